"""The figure sheet's form: it offers the sheet of the face on show, and of no other."""

import io
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import PictureShown, SheetSettings
from demo.ui.keeping import Keeping
from demo.ui.panel import Study, finished
from demo.ui.running import Runs
from demo.ui.sheet_handlers import CHANGED, NONE, SheetHandlers, Shown
from demo.ui.studio_handlers import NOTHING
from models.zoo import Zoo
from tests.ui.test_handlers import Visitor

ROWS = ["scores", "zoom"]
LOOK = (4.0, 50.0, 40.0, 32.0)


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="module")
def study(toolbox: Toolbox, astronaut: Picture, tmp_path_factory: pytest.TempPathFactory) -> Study:
    keeping = Keeping(tmp_path_factory.mktemp("kept"))
    panel = finished(analyse(astronaut, Settings(kernel="bicubic"), toolbox), keeping, toolbox.zoo)
    assert isinstance(panel.study, Study)
    return panel.study


@pytest.fixture
def handlers(toolbox: Toolbox, tmp_path: Path) -> SheetHandlers:
    return SheetHandlers(toolbox, Keeping(tmp_path), Runs())


def make(
    handlers: SheetHandlers,
    picture: Picture | None,
    study: Study | None,
    kind: str = "svg",
    factors: tuple[float, ...] = (2.0, 4.0),
    rows: list[str] = ROWS,
) -> Generator[Shown, None, None]:
    chosen = (list(factors), ["bicubic"], rows, 85, kind)
    return handlers.make(picture, study, *chosen, *LOOK, Visitor())


def test_the_sheet_is_of_the_face_on_show_with_the_window_on_show(
    handlers: SheetHandlers, toolbox: Toolbox, astronaut: Picture, study: Study
) -> None:
    yielded = list(make(handlers, astronaut, study))
    assert all("<progress" in shown.status for shown in yielded[:-1])
    last = yielded[-1]
    analyses = tuple(
        analyse(astronaut, Settings(k, "bicubic", "bicubic"), toolbox) for k in (2.0, 4.0)
    )
    height, width = study.clean.shape[:2]
    settings = SheetSettings(("zoom", "scores"), 85, 4.0, 32, (width / 2, round(0.4 * height, 2)))
    shown = [PictureShown("PICTURE", analyses)]
    offered: Any = last.download
    assert offered["visible"] and "SVG" in offered["label"]
    assert Path(offered["value"]).name == "figure-sheet.svg"
    content = Path(offered["value"]).read_bytes()
    assert content == figure_sheet(shown, settings, "figure-sheet.svg")
    preview: Any = last.preview
    assert Image.open(io.BytesIO(Path(preview["value"]).read_bytes())).format == "PNG"
    assert len(handlers.runs) == 0
    assert handlers.still(study, last.made) == Shown()
    moved = replace(study, settings=replace(study.settings, k=4.0, method="lanczos"))
    assert handlers.still(moved, last.made) == Shown()
    for other in (
        None,
        replace(study, digest="0" * 64),
        replace(study, settings=replace(study.settings, scope="frame")),
    ):
        assert handlers.still(other, last.made) == NONE


def test_without_a_result_or_with_another_picture_it_says_so(
    handlers: SheetHandlers, astronaut: Picture, study: Study
) -> None:
    assert list(make(handlers, astronaut, None)) == [Shown(status=NOTHING)]
    assert list(make(handlers, None, study)) == [Shown(status=NOTHING)]
    assert list(make(handlers, astronaut[::-1].copy(), study)) == [Shown(status=CHANGED)]


@pytest.mark.parametrize(
    ("factors", "rows", "expected"),
    [((), ROWS, "one K or more"), ((2.0,), [], "One row or more"), ((9.0,), ROWS, "K must be")],
)
def test_choices_that_make_no_sheet_get_a_sentence(
    factors: tuple[float, ...],
    rows: list[str],
    expected: str,
    handlers: SheetHandlers,
    astronaut: Picture,
    study: Study,
) -> None:
    last = list(make(handlers, astronaut, study, factors=factors, rows=rows))[-1]
    assert expected in last.status
    assert last.download == gr.update(value=None, visible=False)


def test_leaving_or_stopping_ends_it(
    handlers: SheetHandlers, astronaut: Picture, study: Study
) -> None:
    run = make(handlers, astronaut, study)
    next(run)
    run.close()
    assert len(handlers.runs) == 0
    run = make(handlers, astronaut, study)
    next(run)
    handlers.halt(Visitor())
    assert list(run)[-1] == Shown(status="")
    assert not list(handlers.keeping.folder.iterdir())
