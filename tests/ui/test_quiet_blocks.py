"""Outputs that are skipped cost nothing and answer as Gradio's do; a fault leaves no trace."""

import asyncio
import json
from copy import deepcopy
from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from demo.ui.quiet_blocks import QuietBlocks
from demo.ui.request_log import LOGGER


def page(kind: type[gr.Blocks], answer: Any = None) -> gr.Blocks:
    """A page with one event, whose outputs are two texts, a state and a number."""
    made = kind()
    with made:
        outputs = [gr.Textbox(), gr.Textbox(), gr.State(0), gr.Number()]
        gr.Button().click(lambda: answer() if answer else None, None, outputs)
    return made


def answered(made: gr.Blocks, given: Any) -> tuple[list[Any], SessionState]:
    (event,) = made.fns.values()
    state = SessionState(made)
    # Gradio takes updates apart, and both kinds of page get the same.
    return asyncio.run(made.postprocess_data(event, deepcopy(given), state)), state


@pytest.mark.parametrize(
    "given",
    [
        (gr.skip(), gr.skip(), gr.skip(), gr.skip()),
        ("a", gr.skip(), gr.skip(), gr.skip()),
        (gr.skip(), gr.update(value="b", visible=False), 7, gr.skip()),
        ("a", "b", 7, 8),
        (gr.skip(), gr.skip(), 7, gr.skip()),
    ],
)
def test_the_answers_are_gradios_own(given: Any) -> None:
    mine, my_state = answered(page(QuietBlocks), given)
    theirs, their_state = answered(page(gr.Blocks), given)
    assert mine == theirs
    assert list(my_state.state_data.values()) == list(their_state.state_data.values())


def test_a_skipped_output_is_not_made_anew() -> None:
    given = ("a", gr.skip(), gr.skip(), gr.skip())
    made = page(QuietBlocks)
    (event,) = made.fns.values()
    _, state = answered(made, given)
    assert all(state[block._id] is block for block in event.outputs if not block.stateful)


def test_a_fault_is_told_in_one_line_and_a_sentence(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise LookupError("/home/alice/secret.png")

    made = page(QuietBlocks, broken)
    (event,) = made.fns.values()
    with (
        caplog.at_level("INFO", LOGGER.name),
        pytest.raises(gr.Error, match="Something went wrong") as told,
    ):
        asyncio.run(made.process_api(event, [], SessionState(made)))
    assert told.value.print_exception is False
    (line,) = (json.loads(record.getMessage()) for record in caplog.records)
    assert (line["event"], line["outcome"], line["problem"]) == ("event", "failed", "LookupError")
    assert line["place"].startswith("tests/ui/test_quiet_blocks.py:")
    assert "alice" not in caplog.text + "".join(capsys.readouterr())
