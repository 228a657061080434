"""Gradio's Blocks with less noise in the log, and less work for what stays as it is."""

from copy import copy
from typing import Any

import gradio as gr
import numpy as np
from anyio.to_thread import run_sync
from gradio.blocks import BlocksConfig

from demo.core.errors import DemoError
from demo.core.images import encode_png
from demo.ui.handlers import BROKEN
from demo.ui.keeping import Keeping
from demo.ui.request_log import Account, Asked


class _Plan(BlocksConfig):
    """Which components and events the page has."""

    def __copy__(self) -> BlocksConfig:
        """A visitor's copy, which describes no component again.

        Gradio describes all of them for each visitor, and keeps that, for its deep links. The page
        has none, and it takes 40 ms of the thread that answers every visitor.
        """
        copied: BlocksConfig = super().__copy__()  # type: ignore[no-untyped-call]
        copied.config_for_block = lambda *_: {}  # type: ignore[method-assign]
        return copied


class QuietBlocks(gr.Blocks):
    """Blocks through whose two methods here every event of the page passes."""

    def __init__(self, title: str, keeping: Keeping) -> None:
        """Begin with nothing on the page.

        Args:
            title: the page's.
            keeping: where pictures for the page are kept; it also cleans. Gradio would take an
                example that one visitor chose from all the others.
        """
        super().__init__(title=title, analytics_enabled=False, delete_cache=None)
        self.default_config = _Plan(self)
        self.keeping = keeping

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
        except DemoError as problem:
            raise gr.Error(str(problem), print_exception=False) from None
        except Exception as problem:
            Account(Asked("event")).write("failed", problem=problem)
            raise gr.Error(BROKEN, print_exception=False) from None

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """Does what Gradio does, but less in the thread that answers every visitor.

        Gradio makes outputs anew that a handler skips, which took 11 ms of it for each step of an
        analysis, and encodes pictures in it, which took half of its time with many visitors.
        """
        outputs = block_fn.outputs
        several = len(outputs) > 1 and isinstance(predictions, tuple)
        if not several or len(predictions) != len(outputs):
            return await super().postprocess_data(block_fn, predictions, state)
        changed = [place for place, value in enumerate(predictions) if not _skipped(value)]
        answers = [None if block.stateful else gr.skip() for block in outputs]
        if changed:
            part = copy(block_fn)
            part.outputs = [outputs[place] for place in changed]
            values = [await self._as_file(outputs[place], predictions[place]) for place in changed]
            made = await super().postprocess_data(
                part, values if len(values) > 1 else values[0], state
            )
            for place, answer in zip(changed, made, strict=True):
                answers[place] = answer
        return answers

    async def _as_file(self, block: Any, value: Any) -> Any:
        """What a handler gave for an output, with a file's name in place of a picture's pixels."""
        if isinstance(value, dict) and "value" in value:
            return value | {"value": await self._as_file(block, value["value"])}
        if isinstance(block, gr.Image) and isinstance(value, np.ndarray):
            return await run_sync(lambda: self.keeping.write("picture.png", encode_png(value, {})))
        return value


def _skipped(value: object) -> bool:
    return isinstance(value, dict) and value == gr.skip()
