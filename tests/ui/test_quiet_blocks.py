"""Outputs that are skipped cost nothing and answer as Gradio's do; a fault leaves no trace."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.state_holder import SessionState

from demo.core.images import read_picture
from demo.ui.keeping import Keeping
from demo.ui.quiet_blocks import QuietBlocks
from demo.ui.request_log import LOGGER
from tests.awaiting import awaited


@pytest.fixture
def quiet(tmp_path: Path) -> QuietBlocks:
    return QuietBlocks("Title", Keeping(tmp_path))


def page(made: gr.Blocks, answer: Any = None) -> gr.Blocks:
    """A page with one event, whose outputs are two texts, a state and a number."""
    with made:
        outputs = [gr.Textbox(), gr.Textbox(), gr.State(0), gr.Number()]
        gr.Button().click(lambda: answer() if answer else None, None, outputs)
    return made


def answered(made: gr.Blocks, given: Any) -> tuple[list[Any], SessionState]:
    (event,) = made.fns.values()
    state = SessionState(made)
    # Gradio takes updates apart, and both kinds of page get the same.
    return awaited(made.postprocess_data(event, deepcopy(given), state)), state


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
def test_the_answers_are_gradios_own(given: Any, quiet: QuietBlocks) -> None:
    mine, my_state = answered(page(quiet), given)
    theirs, their_state = answered(page(gr.Blocks()), given)
    assert mine == theirs
    assert list(my_state.state_data.values()) == list(their_state.state_data.values())


def test_a_skipped_output_is_not_made_anew(quiet: QuietBlocks) -> None:
    given = ("a", gr.skip(), gr.skip(), gr.skip())
    made = page(quiet)
    (event,) = made.fns.values()
    _, state = answered(made, given)
    assert all(state[block._id] is block for block in event.outputs if not block.stateful)


def test_a_visit_keeps_no_description_of_the_page(quiet: QuietBlocks) -> None:
    made = page(quiet)
    assert all(made.get_config_file()["components"])
    (event,) = made.fns.values()
    answers, state = answered(made, ("a", gr.update(value="b"), 7, 8))
    assert not any(state.config_values.values())
    assert (answers[0], answers[1]["value"], answers[3]) == ("a", "b", 8)
    assert state[event.outputs[2]._id] == 7


def test_a_picture_arrives_as_a_file_and_a_state_as_it_is(quiet: QuietBlocks) -> None:
    with quiet:
        outputs = [gr.Image(format="png"), gr.Image(format="png"), gr.State()]
        gr.Button().click(lambda: None, None, outputs)
    first, second = (np.full((20, 24, 3), level, np.uint8) for level in (10, 200))
    (plain, labelled, _), state = answered(
        quiet, (first, gr.update(value=second, label="b"), first)
    )
    for told, picture in ((plain, first), (labelled["value"], second)):
        assert Path(told["path"]).suffix == ".png"
        assert np.array_equal(read_picture(Path(told["path"])), picture)
    assert labelled["label"] == "b"
    assert np.array_equal(state[outputs[2]._id], first)


def test_where_there_is_no_room_for_a_picture_a_sentence_says_so(tmp_path: Path) -> None:
    full = QuietBlocks("Title", Keeping(tmp_path, most=0))
    with full:
        outputs = [gr.Image(format="png"), gr.Textbox()]
        gr.Button().click(lambda: (np.zeros((4, 6, 3), np.uint8), "a"), None, outputs)
    (event,) = full.fns.values()
    with pytest.raises(gr.Error, match="no room"):
        awaited(full.process_api(event, [], SessionState(full)))


def test_a_fault_is_told_in_one_line_and_a_sentence(
    quiet: QuietBlocks, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise LookupError("/home/alice/secret.png")

    made = page(quiet, broken)
    (event,) = made.fns.values()
    with (
        caplog.at_level("INFO", LOGGER.name),
        pytest.raises(gr.Error, match="Something went wrong") as told,
    ):
        awaited(made.process_api(event, [], SessionState(made)))
    assert told.value.print_exception is False
    (line,) = (json.loads(record.getMessage()) for record in caplog.records)
    assert (line["event"], line["outcome"], line["problem"]) == ("event", "failed", "LookupError")
    assert line["place"].startswith("tests/ui/test_quiet_blocks.py:")
    assert "alice" not in caplog.text + "".join(capsys.readouterr())
