"""Gradio's Blocks, which tell a fault in one line of the log instead of a trace with its words."""

from typing import Any

import gradio as gr

from demo.ui.handlers import BROKEN
from demo.ui.request_log import Account, Asked


class QuietBlocks(gr.Blocks):
    """Every event passes here, with reading its inputs and writing its outputs.

    Gradio prints a trace of whatever is raised there. Its message may quote what a visitor sent.
    """

    async def process_api(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Does what Gradio does; arguments pass as they are, for they differ between releases.

        Raises:
            gr.Error: the sentence that a component or a handler refused with, or ``BROKEN``.
        """
        try:
            return await super().process_api(*given, **named)
        except gr.Error as refusal:
            refusal.print_exception = False
            raise
        except Exception as problem:
            Account(Asked("event")).write("failed", problem=problem)
            raise gr.Error(BROKEN, print_exception=False) from None
