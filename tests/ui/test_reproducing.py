"""A record that is given sets the page to itself, and the outcome is told on the page."""

import json
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from demo.core.images import Picture, read_picture
from demo.core.record import record_json
from demo.core.record_reading import MAX_BYTES, Recorded, read_record
from demo.core.replay import Difference, Reason, Replay
from demo.examples import EXAMPLES
from demo.ui.first_look import FirstLook
from demo.ui.handlers import Handlers
from demo.ui.keeping import Keeping
from demo.ui.panel import OWN_BOX, SKIP, UNCHANGED
from demo.ui.picture_input import Unreadable
from demo.ui.record_input import RecordInput
from demo.ui.replay_wording import ROWS, told
from demo.ui.reproducing import Pending, Reproducing
from demo.ui.running import Runs
from models.zoo import Zoo
from tests.ui.test_handlers import Visitor, last

BOX = Settings(k=2.5, method="lanczos", kernel="bicubic", scope="frame", box=(10, 20, 60, 90))
CHOSEN = ("edsr", "area", "face")


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def reproducing(toolbox: Toolbox, tmp_path: Path) -> Reproducing:
    first = FirstLook(faceless(), toolbox)
    return Reproducing(Handlers(toolbox, Keeping(tmp_path), Runs(), first))


def faceless() -> Picture:
    coarse = np.random.default_rng(5).integers(0, 256, (7, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))


@pytest.fixture(scope="module")
def recorded(toolbox: Toolbox) -> Recorded:
    """The record of a face marked by hand in a picture that is no example."""
    return read_record(record_json(analyse(faceless(), BOX, toolbox)).encode())


@pytest.fixture(scope="module")
def of_example(toolbox: Toolbox) -> Recorded:
    """The same of an example."""
    picture = read_picture(EXAMPLES[1].path)
    return read_record(record_json(analyse(picture, BOX, toolbox)).encode())


def test_the_controls_follow_the_record(reproducing: Reproducing, recorded: Recorded) -> None:
    taken = reproducing.take(recorded, faceless())
    assert (taken.k, taken.method, taken.kernel, taken.scope) == (
        2.5,
        "lanczos",
        "bicubic",
        "frame",
    )
    assert taken.picture == SKIP
    assert taken.given is None
    assert taken.pending == Pending(recorded, opened=False)


def test_the_picture_on_show_is_analysed_again_as_the_record_says(
    reproducing: Reproducing, recorded: Recorded
) -> None:
    panel = last(reproducing.repeat(faceless(), Pending(recorded, False), Visitor()))
    assert "The same to the last digit" in panel.reproduced
    assert "your own box" in panel.verdict
    assert panel.subject["value"] == OWN_BOX
    assert (panel.left, panel.top, panel.right, panel.bottom) == (10, 20, 60, 90)
    assert panel.pending is None
    again = read_record(Path(panel.record["value"]))
    assert again == recorded


def test_the_example_of_a_record_is_opened_and_its_coming_starts_the_analysis_once(
    reproducing: Reproducing, of_example: Recorded
) -> None:
    taken = reproducing.take(of_example, faceless())
    assert taken.picture == str(EXAMPLES[1].path)
    assert taken.pending == Pending(of_example, opened=True)
    picture = read_picture(EXAMPLES[1].path)
    assert list(reproducing.repeat(picture, taken.pending, Visitor())) == [UNCHANGED]
    panel = last(reproducing.start(picture, 2.5, *CHOSEN, taken.pending, Visitor()))
    assert "The same to the last digit" in panel.reproduced
    assert "your own box" in panel.verdict


def test_a_new_picture_of_the_visitors_own_is_analysed_as_ever(
    reproducing: Reproducing, of_example: Recorded
) -> None:
    for pending in (None, Pending(of_example, opened=True)):
        panel = last(reproducing.start(faceless(), 2.0, *CHOSEN, pending, Visitor()))
        assert "No face was found" in panel.problem
        assert panel.reproduced == ""
        assert panel.pending is None


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (faceless()[::-1].copy(), "Nothing was compared"),
        (None, "no picture is on the page"),
        (Unreadable("No picture."), "no picture is on the page"),
    ],
)
def test_another_picture_is_told_and_nothing_changes(
    reproducing: Reproducing,
    recorded: Recorded,
    picture: Picture | Unreadable | None,
    words: str,
) -> None:
    taken = reproducing.take(recorded, picture)
    assert words in taken.reproduced
    assert "give the record again" in taken.reproduced
    assert taken.pending is None
    assert taken.k == taken.picture == SKIP
    repeated = reproducing.repeat(picture, Pending(recorded, False), Visitor())
    assert list(repeated) == [UNCHANGED]


def test_what_is_no_record_gets_its_sentence(reproducing: Reproducing) -> None:
    taken = reproducing.take(Unreadable("No <b>."), faceless())
    assert "No &lt;b&gt;." in taken.reproduced
    assert taken.k == SKIP
    assert list(reproducing.repeat(faceless(), taken.pending, Visitor())) == [UNCHANGED]


def test_every_later_analysis_takes_the_outcome_away(
    reproducing: Reproducing, recorded: Recorded
) -> None:
    controls = (3.0, "lanczos", "area", "face", "whole", None, None, None, None)
    panel = last(reproducing.handlers.again(faceless(), *controls, Visitor()))
    assert panel.verdict
    assert panel.reproduced == ""


def test_a_refusal_is_told_where_the_record_was_given(
    reproducing: Reproducing, recorded: Recorded, toolbox: Toolbox, tmp_path: Path
) -> None:
    settings = Settings(k=2.0, whole=True)
    read = read_record(record_json(analyse(faceless(), settings, toolbox)).encode())
    (tmp_path / "none").mkdir()
    without = Toolbox(Zoo("cpu", folder=tmp_path / "none", cards=tmp_path), toolbox.faces)
    handlers = Handlers(without, Keeping(tmp_path), Runs(), FirstLook(faceless(), without))
    panel = last(Reproducing(handlers).repeat(faceless(), Pending(read, False), Visitor()))
    assert "could not be repeated" in panel.reproduced
    assert panel.detectors == ""


def test_differences_and_reasons_stand_in_tables() -> None:
    differences = (Difference("face 1", "<b>", "clean", 0.5, 0.25),)
    page = told(Replay(36, differences, (Reason("version", "torch", "<i>", "2.15.0"),)))
    assert "1 difference from the record" in page
    assert (
        "<tr><th scope=row>Face 1, &lt;b&gt;, fake probability before</th>"
        "<td>0.5</td><td>0.25</td><td>−0.25</td></tr>"
    ) in page
    assert ("<tr><th scope=row>Version of torch</th><td>&lt;i&gt;</td><td>2.15.0</td></tr>") in page
    assert "<table>" not in told(Replay(36, (), ()))


def test_of_very_many_differences_the_first_are_shown_and_the_rest_counted() -> None:
    many = tuple(Difference(f"face {n}", "", "ssim", 0.0, 1.0) for n in range(ROWS + 7))
    page = told(Replay(36, many, ()))
    assert page.count("<tr><th scope=row>") == ROWS
    assert "And 7 more." in page


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordInput:
    """The field, whose upload folder is ``uploads`` in the test's own."""
    (tmp_path / "uploads").mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    return RecordInput(file_types=[".json"])


def test_an_uploaded_record_arrives_read(
    field: RecordInput, recorded: Recorded, toolbox: Toolbox, tmp_path: Path
) -> None:
    path = tmp_path / "uploads" / "record.json"
    path.write_text(record_json(analyse(faceless(), BOX, toolbox)), encoding="utf-8")
    assert field.preprocess(FileData(path=str(path))) == recorded
    assert field.preprocess(None) is None


def test_the_page_shows_it_as_gradios_own_file_field(field: RecordInput) -> None:
    assert field.get_block_name() == "file"


def test_no_other_file_of_the_server_is_opened(field: RecordInput, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text(json.dumps({"format": "secret"}))
    names = [str(tmp_path / "secret.json"), f"{tmp_path}/uploads/../secret.json", "gone", "a\0b"]
    for name in names:
        refused = field.preprocess(FileData(path=name))
        assert isinstance(refused, Unreadable)
        assert "secret" not in refused.sentence
    with pytest.raises(gr.Error, match="not fetched"):
        field.move_resource_to_block_cache("https://example.org/record.json")


def test_what_is_uploaded_and_no_record_gets_a_sentence(field: RecordInput, tmp_path: Path) -> None:
    path = tmp_path / "uploads" / "record.json"
    for content in (b"", b"{}", b"\x89PNG", b" " * (MAX_BYTES + 1)):
        path.write_bytes(content)
        refused = field.preprocess(FileData(path=str(path)))
        assert isinstance(refused, Unreadable)
        assert str(tmp_path) not in refused.sentence
