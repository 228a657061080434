"""What visitors ask for, and what the core gives for it alone, before anybody else is there."""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import skimage
from PIL import Image

from demo.core.analysis import Analysis, Settings, Toolbox, analyse
from demo.core.compare import compared, comparison_csv
from demo.core.images import Picture, encode_png, read_picture
from demo.core.record import mark, record, record_json
from demo.core.sweep import sweep
from demo.examples import EXAMPLES
from demo.ui.sweep_chart import sweep_chart
from tests.load.visitor import Page, Visitor


@dataclass(frozen=True)
class Sent:
    """A picture as PNG under a file's name, and the K, method, kernel and scope for it."""

    name: str
    content: bytes
    settings: Settings

    @property
    def chosen(self) -> dict[str, Any]:
        """The settings as a program names them; the page's controls carry the same names."""
        given = self.settings
        return {"k": given.k, "method": given.method, "kernel": given.kernel, "scope": given.scope}


@dataclass(frozen=True)
class Case:
    """What is sent, and the analysis of it that nobody else was there for."""

    sent: Sent
    alone: Analysis


def pictures() -> dict[str, Picture]:
    """Four unlike pictures: uint8 RGB, one or two faces, 256 to 901 px wide."""
    astronaut = skimage.data.astronaut()
    two = np.full((512, 901, 3), 96, np.uint8)
    two[:, :512] = astronaut
    two[64:448, 517:] = astronaut[::-1, ::-1][::-1][64:448, :384]
    return {
        "astronaut": astronaut,
        "fake": read_picture(EXAMPLES[2].path),
        "two-faces": two,
        "small": np.ascontiguousarray(astronaut[:256, 100:356]),
    }


def faces(toolbox: Toolbox) -> list[Case]:
    """Single faces, and all of them, at several K and by every method."""
    return _cases(
        toolbox,
        ("astronaut", Settings(2.0)),
        ("astronaut", Settings(4.0, "bicubic")),
        ("fake", Settings(3.0, kernel="bicubic")),
        ("fake", Settings(2.0, "lanczos")),
        ("two-faces", Settings(1.5, scope="faces")),
        ("small", Settings(2.5)),
        ("small", Settings(3.5, "lanczos", "bicubic")),
    )


def frames(toolbox: Toolbox) -> list[Case]:
    """A whole frame, small as it is."""
    return _cases(toolbox, ("small", Settings(2.0, scope="frame")))


def large_frame() -> Sent:
    """A whole frame that takes long enough to leave in the middle."""
    return _sent("two-faces", Settings(2.0, scope="frame"))


def ask_as_program(page: Page, visitor: Visitor, case: Case) -> str:
    """Ask the endpoint; returns what is wrong with the answer, "" where nothing is."""
    upload = visitor.upload(case.sent.name, case.sent.content)
    numbers, *files = visitor.do(page.program("analyse"), [upload, *case.sent.chosen.values(), 1])
    result = case.alone.chosen
    wanted = (case.alone.attacked, result.clean, result.attacked)
    seen = [pixels(visitor.file(file)) for file in files]
    if numbers != json.loads(json.dumps(record(case.alone))):
        return "other numbers than alone"
    right = all(map(np.array_equal, seen, wanted))
    return "" if right else "other pixels than alone"


def put_on_page(visitor: Visitor, sent: Sent) -> None:
    """Upload the picture and set the controls; nothing is analysed yet."""
    visitor.set({"picture": visitor.upload(sent.name, sent.content), **sent.chosen})


def check_on_page(visitor: Visitor, case: Case) -> str:
    """What is wrong with the result on the page, "" where nothing is."""
    if visitor.value("comparison") is None:
        return "no result on the page"
    shown = [pixels(visitor.file(file)) for file in visitor.value("comparison")]
    result = case.alone.chosen
    if visitor.file(visitor.value("get-record")) != record_json(case.alone).encode():
        return "other numbers than alone"
    if visitor.file(visitor.value("get-png")) != encode_png(case.alone.attacked, mark(case.alone)):
        return "another file than alone"
    right = all(map(np.array_equal, shown, (result.clean, result.attacked)))
    return "" if right else "other pixels than alone"


def ask_on_page(page: Page, visitor: Visitor, case: Case) -> str:
    """Put the picture on the page, as ``ask_as_program``; its other views follow."""
    put_on_page(visitor, case.sent)
    changed = page.event("picture", "change")
    visitor.do(changed)
    wrong = check_on_page(visitor, case)
    for event in page.after(changed):
        visitor.do(event)
    return wrong


@dataclass(frozen=True)
class LongCases:
    """What takes a visitor longer: the lone sweep's chart, and the lone comparison's table."""

    swept: Case
    chart: str
    compared: tuple[Case, ...]
    table: bytes


def long_cases(toolbox: Toolbox, made: list[Case]) -> LongCases:
    """Sweep the smallest picture, and compare two."""
    swept = next(case for case in made if case.sent.name == "small.png")
    picture = swept.alone.picture
    pair = made[0], made[2]
    alone = [analyse(case.alone.picture, Settings(), toolbox) for case in pair]
    names = [case.sent.name for case in pair]
    rows = [compared(name, analysis) for name, analysis in zip(names, alone, strict=True)]
    return LongCases(
        swept=swept,
        chart=sweep_chart(sweep(picture, swept.sent.settings, toolbox)),
        compared=pair,
        table=comparison_csv(rows).encode(),
    )


def ask_for_sweep(page: Page, visitor: Visitor, cases: LongCases) -> str:
    """Analyse a picture and sweep it."""
    wrong = ask_on_page(page, visitor, cases.swept)
    # A sweep that is on the page already stays as it is.
    visitor.do(page.event("run-sweep", "click"))
    return wrong or ("" if visitor.value("sweep") == cases.chart else "another chart than alone")


def ask_for_comparison(page: Page, visitor: Visitor, cases: LongCases) -> str:
    """Compare two pictures under the tab's own settings."""
    uploads = [visitor.upload(case.sent.name, case.sent.content) for case in cases.compared]
    visitor.set({"compare-pictures": uploads})
    changed = page.event("compare-pictures", "change")
    visitor.do(changed)
    for event in page.after(changed):
        visitor.do(event)
    table = visitor.file(visitor.value("get-csv"))
    return "" if table == cases.table else "another table than alone"


def send_no_picture(page: Page, visitor: Visitor) -> str:
    """Send what is no picture: the page has to say so, and show no result."""
    visitor.set({"picture": visitor.upload("note.png", b"This is no picture.")})
    outputs = visitor.do(page.event("picture", "change"))
    said = any("problem" in output for output in outputs if isinstance(output, str))
    return "" if said and visitor.value("comparison") is None else "no sentence about it"


def leave_in_the_middle(page: Page, visitor: Visitor, sent: Sent, messages: int) -> str:
    """Put a picture on the page and go away while it is analysed."""
    put_on_page(visitor, sent)
    visitor.leave(page.event("picture", "change"), messages)
    return ""


def pixels(png: bytes) -> Picture:
    """The pixels of a PNG file."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def _cases(toolbox: Toolbox, *asked: tuple[str, Settings]) -> list[Case]:
    known = pictures()
    return [
        Case(_sent(name, settings), analyse(known[name], settings, toolbox))
        for name, settings in asked
    ]


def _sent(name: str, settings: Settings) -> Sent:
    return Sent(f"{name}.png", encode_png(pictures()[name], {}), settings)
