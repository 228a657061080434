"""What each event leaves on the page, and that nothing of an older picture stays."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from demo.core.analysis import Analysis, Settings, Toolbox, analyse
from demo.core.errors import SettingsError
from demo.core.faces import FaceDetector
from demo.core.images import Picture, read_picture
from demo.ui.first_look import FirstLook
from demo.ui.handlers import BROKEN, EMPTY, Handlers
from demo.ui.keeping import Keeping
from demo.ui.panel import OWN_BOX, SKIP, UNCHANGED, WHOLE, Controls, Panel, nothing
from demo.ui.picture_input import Unreadable
from demo.ui.running import Runs
from demo.ui.stepping import OnStep
from models.zoo import Zoo

CHOSEN = ("edsr", "area", "face")


class Visitor(gr.Request):
    """A request of one visitor."""

    def __init__(self, name: str = "a", query: Mapping[str, str] | None = None) -> None:
        super().__init__(session_hash=name, query_params=query or {})


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def handlers(toolbox: Toolbox, astronaut: Picture, tmp_path: Path) -> Handlers:
    return Handlers(toolbox, Keeping(tmp_path), Runs(), FirstLook(astronaut, toolbox))


def last(panels: Iterator[Panel]) -> Panel:
    """The page after all of an event's changes, the latest value of each output."""
    whole = Panel()
    for panel in panels:
        changes = {
            name: value
            for name, value in panel._asdict().items()
            if not (isinstance(value, dict) and value == SKIP)
        }
        whole = whole._replace(**changes)
    return whole


def select(x: object, y: object) -> gr.SelectData:
    return gr.SelectData(None, {"index": [x, y], "value": None})


def faceless() -> Picture:
    return np.full((200, 300, 3), 128, np.uint8)


def test_a_new_picture_is_analysed_and_everything_comes_from_one_record(
    handlers: Handlers, toolbox: Toolbox, astronaut: Picture
) -> None:
    panel = last(handlers.start(astronaut, 3.0, *CHOSEN, Visitor()))
    analysis = analyse(astronaut, Settings(k=3.0), toolbox)
    result = analysis.results[0]
    assert panel.results["visible"] is True
    assert np.array_equal(read_picture(Path(panel.comparison[0])), result.clean)
    assert np.array_equal(read_picture(Path(panel.comparison[1])), result.attacked)
    assert np.array_equal(np.asarray(Image.open(panel.attacked)), analysis.attacked)
    assert panel.png["value"] == panel.attacked
    written = json.loads(Path(panel.record["value"]).read_text())
    assert written["results"][0]["quality"]["ssim"] == result.quality.ssim
    assert f"{result.quality.ssim:.4f}" in panel.quality
    assert panel.boxes == tuple(face.box for face in analysis.faces)
    assert "progress" not in panel.progress


def test_the_example_is_analysed_once_for_everybody(
    handlers: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = last(handlers.welcome(Visitor("a")))
    monkeypatch.setattr("demo.ui.first_look.analyse", None)
    second = last(handlers.welcome(Visitor("b")))
    assert first.verdict == second.verdict
    assert "K = 2" in first.verdict


def test_ones_own_box_begins_in_the_middle_of_the_first_example(handlers: Handlers) -> None:
    panel = next(handlers.welcome(Visitor("a")))
    assert (panel.left, panel.top, panel.right, panel.bottom) == (128, 128, 384, 384)


def test_what_was_refused_before_is_not_said_while_work_runs(
    handlers: Handlers, astronaut: Picture
) -> None:
    steps = [
        panel
        for panel in handlers.start(astronaut, 2.0, *CHOSEN, Visitor())
        if "<progress" in str(panel.progress)
    ]
    assert steps and all(panel.problem == "" for panel in steps)


def test_a_box_by_hand_is_not_called_every_face(handlers: Handlers, astronaut: Picture) -> None:
    controls = (2.0, "bicubic", "area", "faces")
    box = handlers.again(astronaut, *controls, "box", 100, 100, 300, 300, Visitor())
    assert "attacked: your own box only; shown: your own box" in last(box).verdict
    whole = handlers.again(astronaut, *controls, "whole", None, None, None, None, Visitor())
    assert "attacked: the whole picture; shown: the whole picture" in last(whole).verdict


@pytest.mark.parametrize(("given", "words"), [(None, EMPTY), (Unreadable("No <b>."), "No &lt;b")])
def test_without_a_picture_nothing_old_stays(
    handlers: Handlers, given: Unreadable | None, words: str
) -> None:
    panel = last(handlers.start(given, 2.0, *CHOSEN, Visitor()))
    assert words in panel.problem
    assert panel.verdict == panel.detectors == panel.quality == ""
    assert panel.comparison is None
    assert panel.attacked is None
    assert panel.crops is None
    assert panel.results["visible"] is False
    assert panel.png["value"] is None
    assert panel.record["value"] is None


def test_clearing_touches_every_output_but_the_box_fields() -> None:
    kept = {name for name, value in nothing()._asdict().items() if value == SKIP}
    assert kept == {"left", "top", "right", "bottom"}


def test_without_a_face_the_picture_stays_for_drawing_a_box(handlers: Handlers) -> None:
    panel = last(handlers.start(faceless(), 2.0, *CHOSEN, Visitor()))
    assert "No face was found" in panel.problem
    assert panel.detectors == ""
    assert panel.frame["visible"] is True
    assert [value for _, value in panel.subject["choices"]] == [OWN_BOX, WHOLE]
    assert (panel.left, panel.top, panel.right, panel.bottom) == (75, 50, 225, 150)


def test_two_clicks_draw_a_box(handlers: Handlers) -> None:
    settings = (2.0, *CHOSEN, OWN_BOX)
    first = last(handlers.click(faceless(), *settings, (), None, select(20, 30), Visitor()))
    assert first.corner == (20, 30)
    assert "opposite corner" in first.hint
    assert isinstance(first.detectors, dict)
    second = last(
        handlers.click(faceless(), *settings, (), first.corner, select(120, 10), Visitor())
    )
    assert (second.left, second.top, second.right, second.bottom) == (20, 10, 120, 30)
    assert second.corner is None
    assert "your own box" in second.verdict


def test_a_click_on_a_large_picture_counts_in_its_own_pixels(handlers: Handlers) -> None:
    wide = np.zeros((1024, 4096, 3), np.uint8)
    panel = last(handlers.click(wide, 2.0, *CHOSEN, OWN_BOX, (), None, select(512, 128), Visitor()))
    assert panel.corner == (2048, 512)


def test_a_click_on_a_face_chooses_it_and_one_beside_changes_nothing(
    handlers: Handlers, astronaut: Picture, toolbox: Toolbox
) -> None:
    box = toolbox.faces.find(astronaut)[0].box
    on_it = select((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    settings = (2.0, *CHOSEN, WHOLE)
    chosen = last(handlers.click(astronaut, *settings, (box,), None, on_it, Visitor()))
    assert "face 1 of 1" in chosen.verdict
    assert chosen.subject["value"] == "0"
    beside = handlers.click(astronaut, *settings, (box,), None, select(1, 1), Visitor())
    assert list(beside) == [UNCHANGED]
    nowhere = handlers.click(None, *settings, (box,), None, on_it, Visitor())
    assert list(nowhere) == [UNCHANGED]


def test_a_refused_box_leaves_the_found_faces_to_choose_from(
    handlers: Handlers, astronaut: Picture
) -> None:
    tiny = (100.0, 100.0, 101.0, 101.0)
    panel = last(handlers.again(astronaut, 2.0, *CHOSEN, OWN_BOX, *tiny, Visitor()))
    assert "box" in panel.problem
    assert panel.detectors == ""
    kept = (panel.frame, panel.subject, panel.hint, panel.hand, panel.boxes)
    assert kept == (SKIP,) * 5


def test_a_box_that_reaches_out_of_the_picture_is_shown_as_it_was_taken(
    handlers: Handlers, astronaut: Picture
) -> None:
    wide = (-50.0, 0.0, 9999.0, 9999.0)
    settings = (2.0, "bicubic", "area", "face", OWN_BOX)
    panel = last(handlers.again(astronaut, *settings, *wide, Visitor()))
    assert (panel.left, panel.top, panel.right, panel.bottom) == (0, 0, 512, 512)


@pytest.mark.parametrize("place", [("a", 1), (float("nan"), 1), (None, None)])
def test_a_click_nowhere_is_ignored(
    handlers: Handlers, astronaut: Picture, place: tuple[object, object]
) -> None:
    settings = (2.0, *CHOSEN, OWN_BOX)
    clicked = handlers.click(astronaut, *settings, (), None, select(*place), Visitor())
    assert list(clicked) == [Panel()]


@pytest.mark.parametrize("k", [float("nan"), 2.2, 99, -3, "x", None])
def test_a_setting_that_cannot_be_gets_a_sentence(
    handlers: Handlers, astronaut: Picture, k: float
) -> None:
    panel = last(handlers.start(astronaut, k, *CHOSEN, Visitor()))
    assert "1.5" in panel.problem
    assert panel.detectors == ""


def test_a_newer_analysis_of_the_same_visitor_ends_the_older(
    handlers: Handlers, astronaut: Picture
) -> None:
    older = handlers.start(astronaut, 2.0, *CHOSEN, Visitor())
    for _ in range(2):
        next(older)
    newer = last(handlers.start(astronaut, 3.0, *CHOSEN, Visitor()))
    assert "K = 3" in newer.verdict
    assert all(isinstance(panel.verdict, dict) for panel in older)
    assert len(handlers.runs) == 0


def test_leaving_ends_the_work(handlers: Handlers) -> None:
    begun, ended = Event(), Event()

    def endless(on_step: OnStep) -> Analysis:
        try:
            while True:
                begun.set()
                on_step("Working", 0.5)
                ended.wait(0.01)
        finally:
            ended.set()

    class Endless(FirstLook):
        analysis = staticmethod(endless)

    slow = replace(handlers, first_look=Endless(faceless(), handlers.toolbox))
    page = slow.welcome(Visitor())
    next(page)
    next(page)
    assert begun.wait(5)
    page.close()
    assert ended.wait(5)
    assert len(handlers.runs) == 0


def test_stop_ends_the_work_and_keeps_the_last_result(
    handlers: Handlers, astronaut: Picture
) -> None:
    page = handlers.start(astronaut, 2.0, *CHOSEN, Visitor())
    next(page)
    next(page)
    assert handlers.halt(Visitor()) == ""
    assert all(isinstance(panel.verdict, dict) for panel in page)


def test_a_fault_of_the_server_is_told_without_a_trace(handlers: Handlers) -> None:
    class Broken(FirstLook):
        def analysis(self, on_step: OnStep) -> Analysis:
            raise RuntimeError("/home/somebody/secret.py")

    panel = last(
        replace(handlers, first_look=Broken(faceless(), handlers.toolbox)).welcome(Visitor())
    )
    assert BROKEN in panel.problem
    assert "secret" not in panel.problem


@pytest.mark.parametrize(
    ("controls", "settings"),
    [
        (Controls(2.0, *CHOSEN), Settings()),
        (Controls(2.0, *CHOSEN, "2"), Settings(face=2)),
        (Controls(2.0, *CHOSEN, None), Settings()),
        (Controls(2.0, *CHOSEN, WHOLE), Settings(whole=True)),
        (Controls(2.0, *CHOSEN, OWN_BOX, 50, 60, 10, 20), Settings(box=(10, 20, 50, 60))),
    ],
)
def test_the_controls_lead_to_settings(controls: Controls, settings: Settings) -> None:
    assert controls.settings() == settings


@pytest.mark.parametrize(
    "controls",
    [
        Controls(2.0, *CHOSEN, OWN_BOX, 1, None, 3, 4),
        Controls(2.0, *CHOSEN, "-1"),
        Controls(2.0, *CHOSEN, "all"),
        Controls(2.0, "edsr", "magic", "face"),
    ],
)
def test_controls_that_cannot_be_are_refused(controls: Controls) -> None:
    with pytest.raises(SettingsError):
        controls.settings()


def test_a_link_sets_the_controls_and_its_example_is_shown(
    handlers: Handlers, toolbox: Toolbox, astronaut: Picture
) -> None:
    visitor = Visitor(query={"k": "4", "method": "bicubic"})
    assert handlers.follow(visitor) == (SKIP, 4.0, "bicubic", "area", "face")
    panel = last(handlers.welcome(visitor))
    result = analyse(astronaut, Settings(k=4.0, method="bicubic"), toolbox).results[0]
    assert np.array_equal(read_picture(Path(panel.comparison[1])), result.attacked)
    other = Visitor(query={"example": "2"})
    assert str(handlers.follow(other)[0]).endswith("self-blended-1.png")
    assert list(handlers.welcome(other)) == [UNCHANGED]


def test_a_wrong_link_changes_nothing_and_says_so(handlers: Handlers) -> None:
    visitor = Visitor(query={"k": "9"})
    assert handlers.follow(visitor) == (SKIP,) * 5
    assert "K must be one of" in last(handlers.welcome(visitor)).problem
