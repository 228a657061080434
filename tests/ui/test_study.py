"""The Study tab shows what lies finished, and runs one study at a time that can go on."""

import html
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr
import pytest

from demo.core.analysis import Toolbox
from demo.core.errors import ImageError
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.study.folder import open_folder
from demo.study.run import Plan
from demo.study.samples import DataSet, Sample
from demo.ui.keeping import Keeping
from demo.ui.panel import SKIP
from demo.ui.study_handlers import Seen, Shown, Studies, StudyHandlers
from demo.ui.study_running import FAILED, Ended, Running, StudyRun
from demo.ui.study_view import progress, said
from models.zoo import Zoo
from tests.made_studies import make_faces, make_study

PLAN = Plan(methods=("bicubic",), factors=(2.0,), kernel="area", seed=0)
ASKED = ([2.0], ["bicubic"])
PART = 16
# A study steps back behind whatever else the machine does.
PATIENCE = 400


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shelf = tmp_path_factory.mktemp("bundled")
    make_study(shelf / "dfdc_test", "DFDC, test split")
    make_study(shelf / "dfdc_val", "DFDC, <val> split", samples=26)
    return shelf


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return open_folder(make_faces(tmp_path_factory.mktemp("data") / "faces"), crops=True)


@pytest.fixture
def make(toolbox: Toolbox, bundled: Path, tmp_path: Path) -> Callable[..., StudyHandlers]:
    """Handlers over a data set, whose own studies lie in ``own``."""

    def made(data: DataSet, shelf: Path = bundled) -> StudyHandlers:
        own = tmp_path / "own"
        (tmp_path / "kept").mkdir()
        run = StudyRun(toolbox, own)
        return StudyHandlers(Studies((data,), own, shelf), Keeping(tmp_path / "kept"), run)

    return made


def ended(handlers: StudyHandlers) -> Ended:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        state = handlers.run.state()
        if isinstance(state, Ended):
            return state
        time.sleep(0.01)
    raise AssertionError("The study does not end.")


def choices(shown: Shown) -> list[tuple[str, str]]:
    listed: list[tuple[str, str]] = shown.choice["choices"]
    return listed


def skipped(value: Any) -> bool:
    return isinstance(value, dict) and value == SKIP


def read_by(data: DataSet, read: Callable[[Sample], Picture]) -> DataSet:
    return replace(data, read=read)


def test_the_first_bundled_study_is_shown_with_what_it_is_of(
    make: Callable[..., StudyHandlers], faces: DataSet, bundled: Path
) -> None:
    handlers = make(faces)
    shown = handlers.open(None)
    assert [name for name, _ in choices(shown)] == [
        "DFDC, test split; K = 2; EDSR, bundled",
        "DFDC, <val> split; K = 2; EDSR, bundled",
    ]
    assert shown.choice["value"] == choices(shown)[0][1] == shown.seen.key
    assert "DFDC, test split" in shown.headline
    assert "24 of 25 pictures measured. K = 2, restored by EDSR" in shown.headline
    report = (bundled / "dfdc_test" / "report.html").read_bytes()
    assert Path(shown.html["value"]).read_bytes() == report
    assert Path(shown.html["value"]).name == "dfdc-test-split.html"
    assert Path(shown.archive["value"]).read_bytes()[:2] == b"PK"
    assert shown.timer == gr.update(active=False)
    told = "".join(str(part) for part in (shown.choice, shown.headline, shown.report))
    assert str(bundled) not in told


def test_the_report_is_framed_so_that_nothing_in_it_runs(
    make: Callable[..., StudyHandlers], faces: DataSet, bundled: Path
) -> None:
    report = make(faces).open(None).report
    found = re.fullmatch(
        r'<iframe sandbox tabindex="0" title="([^"]+)" srcdoc="([^"]+)"></iframe>', report
    )
    assert found is not None
    assert found[1] == "Report: DFDC, test split"
    policy, page = html.unescape(found[2]).split(">", 1)
    assert "default-src 'none'" in policy
    assert page == (bundled / "dfdc_test" / "report.html").read_text(encoding="utf-8")


def test_another_study_is_shown_and_is_not_sent_twice(
    make: Callable[..., StudyHandlers], faces: DataSet
) -> None:
    handlers = make(faces)
    first = handlers.open(None)
    second = handlers.show(choices(first)[1][1], first.seen)
    assert "DFDC, &lt;val&gt; split" in second.headline
    assert "<val>" not in second.headline + framed_title(second.report)
    again = handlers.open(second.seen)
    assert skipped(again.report) and skipped(again.html) and skipped(again.headline)
    assert again.choice["value"] == second.seen.key
    # One that is gone from the list, or never was there, is none.
    assert handlers.show("../../etc", first.seen).choice["value"] == first.seen.key


def framed_title(report: str) -> str:
    return report[: report.index("srcdoc")]


def test_without_a_study_the_page_says_how_one_is_made(
    make: Callable[..., StudyHandlers], faces: DataSet, tmp_path: Path
) -> None:
    shown = make(faces, tmp_path / "nothing").open(None)
    assert "python -m demo study run" in shown.headline
    assert shown.choice["visible"] is False
    assert skipped(shown.report)


@pytest.mark.timeout(900)
def test_a_stopped_study_goes_on_and_its_report_comes_into_the_list(
    make: Callable[..., StudyHandlers], faces: DataSet
) -> None:
    """Stopped at the second part; the same settings then measure only what is left."""
    names: list[str] = []
    reached, released = Event(), Event()

    def read(sample: Sample) -> Picture:
        names.append(sample.name)
        if len(names) == PART + 1:
            reached.set()
            released.wait(PATIENCE)
        return faces.read(sample)

    handlers = make(read_by(faces, read))
    began = handlers.start(0, *ASKED, None, 0, Seen("x"))
    assert began.timer == gr.update(active=True)
    assert began.seen == Seen("x", began=True)
    assert reached.wait(PATIENCE)
    assert "17 of 20 pictures" in handlers.tick(None).progress
    assert "Three quarters" in handlers.tick(None).said
    refused = handlers.start(0, *ASKED, None, 0, None)
    assert "One study runs on this server at a time" in refused.problem
    assert "Stopping" in handlers.stop().progress
    released.set()
    assert ended(handlers).folder is None
    shown = handlers.tick(Seen())
    assert "stopped</strong> at" in shown.said
    assert shown.timer == gr.update(active=False)
    assert len(choices(shown)) == 2

    names.clear()
    seen = handlers.start(0, *ASKED, None, 0, shown.seen).seen
    folder = ended(handlers).folder
    assert folder is not None
    # The picture in hand at the stop is measured again, with those after it.
    assert names == [one.name for one in faces.samples[PART:]]
    shown = handlers.tick(seen)
    assert "finished" in shown.said
    assert "a folder of pictures; K = 2; bicubic" in dict(choices(shown))
    assert "20 of 20 pictures measured" in shown.headline
    assert shown.seen == Seen(shown.choice["value"])
    assert json.loads((folder / "manifest.json").read_text())["measured"] == 20
    for part in shown:
        assert str(folder.parent) not in str(part)
    # Whoever reads another report keeps it.
    assert skipped(handlers.tick(Seen(choices(shown)[0][1])).report)
    # Another seed is another study, in a folder of its own.
    assert len(list(folder.parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ((0, [], ["bicubic"], None, 0), "one or more methods and K"),
        ((0, [2.0], [], None, 0), "one or more methods and K"),
        ((0, *ASKED, 0, 0), "1 picture or more"),
        ((0, *ASKED, -3, 0), "1 picture or more"),
        ((0, *ASKED, None, None), "The seed must be"),
        ((0, *ASKED, None, -1), "The seed must be"),
        ((None, *ASKED, None, 0), "needs data"),
    ],
)
def test_what_cannot_be_run_gets_a_sentence_at_once(
    make: Callable[..., StudyHandlers], faces: DataSet, asked: tuple[Any, ...], sentence: str
) -> None:
    handlers = make(faces)
    assert sentence in handlers.start(*(*asked, None)).problem
    assert handlers.run.state() is None


def test_a_study_without_a_usable_picture_says_why(
    make: Callable[..., StudyHandlers], faces: DataSet
) -> None:
    def read(sample: Sample) -> Picture:
        raise ImageError("A picture was expected, but something else came.")

    handlers = make(read_by(faces, read))
    handlers.start(0, *ASKED, None, 0, None)
    assert "all were refused" in ended(handlers).refusal
    shown = handlers.tick(None)
    assert "all were refused" in shown.problem
    assert shown.said == shown.progress == ""


def test_a_fault_of_the_server_is_told_without_a_trace_and_another_run_can_begin(
    make: Callable[..., StudyHandlers], faces: DataSet
) -> None:
    def read(sample: Sample) -> Picture:
        raise OSError("/data/secret/1.png")

    handlers = make(read_by(faces, read))
    for _ in range(2):
        handlers.start(0, *ASKED, None, 0, None)
        assert ended(handlers).refusal == FAILED
    assert "secret" not in handlers.tick(None).problem


def test_a_refused_picture_is_counted_and_the_run_goes_on(
    make: Callable[..., StudyHandlers], faces: DataSet
) -> None:
    def read(sample: Sample) -> Picture:
        raise ImageError("It is no picture.")

    handlers = make(read_by(faces, read))
    handlers.start(0, *ASKED, 8, 0, None)
    assert ended(handlers).last.done == 8


def test_rate_and_time_left_are_told_once_they_are_known() -> None:
    state = Running("faces", PLAN, done=50, total=200)
    assert "50 of 200 pictures<" in progress(state)
    assert 'value="0.250"' in progress(state)
    known = replace(state, rate=0.25)
    assert "50 of 200 pictures, 0.25 a second, about 10 min left" in progress(known)
    assert "about 75 s left" in progress(replace(known, rate=2.0))
    assert "about 4.2 h left" in progress(replace(known, rate=0.01))
    assert "value" not in progress(replace(state, stage="writing"))


def test_a_screen_reader_hears_quarters_only() -> None:
    told = [said(Running("faces", PLAN, done, 200, rate=done + 1.0)) for done in range(201)]
    assert len(dict.fromkeys(told)) == 5
    assert all('class="spoken"' in one for one in told)


def test_names_from_outside_are_escaped() -> None:
    state = Running("<b>", replace(PLAN, methods=("<i>",)), 1, 2)
    for told in (progress(state), said(Ended(state)), said(Ended(state, Path("x")))):
        assert "<b>" not in told
        assert "<i>" not in told
