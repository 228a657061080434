"""Gradio's Blocks with less noise in the log, and less work for what stays as it is."""

from copy import copy
from typing import Any

import gradio as gr

from demo.ui.handlers import BROKEN
from demo.ui.request_log import Account, Asked


class QuietBlocks(gr.Blocks):
    """Blocks through whose two methods here every event of the page passes."""

    async def process_api(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Does what Gradio does, but tells a fault in one line of the log.

        Gradio prints a trace of whatever reading inputs, a handler or writing outputs raises; its
        message may quote what a visitor sent. Arguments differ between releases and pass as they
        are.

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

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Does what Gradio does, but nothing at all for outputs that a handler skips.

        Gradio makes each of them anew, which for one step of an analysis took 11 ms of the thread
        that answers every visitor.
        """
        several = len(block_fn.outputs) > 1 and isinstance(predictions, tuple)
        if not several or len(predictions) != len(block_fn.outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        changed = [place for place, value in enumerate(predictions) if not _skipped(value)]
        answers = [None if block.stateful else gr.skip() for block in block_fn.outputs]
        if changed:
            part = copy(block_fn)
            part.outputs = [block_fn.outputs[place] for place in changed]
            values = [predictions[place] for place in changed]
            made = await super().postprocess_data(
                part, values if len(values) > 1 else values[0], state
            )
            for place, answer in zip(changed, made, strict=True):
                answers[place] = answer
        return answers


def _skipped(value: object) -> bool:
    return isinstance(value, dict) and value == gr.skip()
