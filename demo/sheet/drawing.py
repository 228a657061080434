"""Marks on a sheet → PNG, PDF or SVG: panels pixel by pixel, words as words, the same bytes twice.

Places are in pixels of the sheet from its upper left corner, sizes of type and strokes in points.
The fonts are those inside matplotlib, not the machine's.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Final

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import TextToPath

from demo.core.images import Picture, encode_png

MM_PER_INCH: Final = 25.4
POINTS_PER_INCH: Final = 72
PLAIN, BOLD, MONO = "plain", "bold", "mono"

_FILES: Final = {PLAIN: "DejaVuSans", BOLD: "DejaVuSans-Bold", MONO: "DejaVuSansMono"}
# For readers of an SVG who lack the font that was measured.
_FAMILIES: Final = {
    PLAIN: ("DejaVu Sans", "Verdana", "sans-serif"),
    BOLD: ("DejaVu Sans", "Verdana", "sans-serif"),
    MONO: ("DejaVu Sans Mono", "monospace"),
}
_INK: Final = "black"
_PAPER: Final = "white"
_RULES: Final = {
    "text.hinting": "no_hinting",
    "svg.fonttype": "none",
    "svg.hashsalt": "sheet",
    "pdf.fonttype": 42,
    "pdf.compression": 6,
}
# matplotlib's settings belong to the whole process, and visitors' sheets are drawn in threads.
DRAWING: Final = Lock()


@dataclass(frozen=True)
class Words:
    """One line of text: where its baseline begins, its size in points, and its style."""

    left: float
    baseline: float
    text: str
    size: float
    style: str = PLAIN


@dataclass(frozen=True)
class Stroke:
    """A straight line from one point to another, its thickness in points."""

    start: tuple[float, float]
    end: tuple[float, float]
    thickness: float


@dataclass(frozen=True)
class Frame:
    """The outline of a rectangle, its thickness in points."""

    left: float
    top: float
    right: float
    bottom: float
    thickness: float


@dataclass(frozen=True)
class Dot:
    """A circle, its diameter in points: full, or hollow."""

    centre: tuple[float, float]
    diameter: float
    full: bool


@dataclass(frozen=True)
class Panel:
    """A picture, uint8 RGB, put on the sheet pixel for pixel at whole places."""

    left: int
    top: int
    picture: Picture


Mark = Words | Stroke | Frame | Dot | Panel


@dataclass(frozen=True)
class Drawing:
    """A sheet of marks, ``width``×``height`` px, ``scale`` px to the millimetre."""

    width: int
    height: int
    scale: float
    marks: tuple[Mark, ...]

    @property
    def dpi(self) -> float:
        """Pixels per inch."""
        return self.scale * MM_PER_INCH


def to_png(drawing: Drawing, said: Mapping[str, str]) -> bytes:
    """Draw a sheet as PNG: every pixel of a panel is a pixel of the file.

    Args:
        drawing: what is on it.
        said: keyword → text, for the text chunks.
    """
    with DRAWING, matplotlib.rc_context(_RULES):
        canvas = FigureCanvasAgg(_figure(drawing, panels=False))
        canvas.draw()
        sheet = np.array(canvas.buffer_rgba())[: drawing.height, : drawing.width, :3]
    for mark in drawing.marks:
        if isinstance(mark, Panel):
            height, width = mark.picture.shape[:2]
            sheet[mark.top : mark.top + height, mark.left : mark.left + width] = mark.picture
    return encode_png(np.ascontiguousarray(sheet), said, drawing.dpi)


def to_pdf(drawing: Drawing, said: Mapping[str, str]) -> bytes:
    """Draw a sheet as PDF with embedded fonts; panels are stored without loss. As ``to_png``."""
    stream = io.BytesIO()
    metadata = {
        "Title": said["Title"],
        "Subject": said["Description"],
        "Keywords": "; ".join(_rest(said)),
        "Creator": said["Software"],
        "CreationDate": None,
    }
    with DRAWING, matplotlib.rc_context(_RULES):
        FigureCanvasPdf(_figure(drawing, panels=True)).print_pdf(stream, metadata=metadata)
    return stream.getvalue()


def to_svg(drawing: Drawing, said: Mapping[str, str]) -> bytes:
    """Draw a sheet as SVG with real text; panels are PNGs within it. As ``to_png``."""
    stream = io.BytesIO()
    metadata = {
        "Title": said["Title"],
        "Description": said["Description"],
        "Keywords": _rest(said),
        "Creator": said["Software"],
        "Date": None,
    }
    with DRAWING, matplotlib.rc_context(_RULES):
        FigureCanvasSVG(_figure(drawing, panels=True)).print_svg(stream, metadata=metadata)
    return stream.getvalue()


def width_of(text: str, size: float, style: str) -> float:
    """Return the width of a line of text in points."""
    width: float = TextToPath().get_text_width_height_descent(text, _font(size, style), False)[0]
    return width


def fitted(text: str, size: float, style: str, width: float) -> str:
    """Return a line of text, its end cut off where it is wider than ``width`` points."""
    if width_of(text, size, style) <= width:
        return text
    kept = text
    while kept and width_of(f"{kept}…", size, style) > width:
        kept = kept[:-1]
    return f"{kept}…"


def wrapped(words: Sequence[str], size: float, style: str, width: float) -> list[str]:
    """Put words into lines of at most ``width`` points; one that is wider alone is cut off."""
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, size, style) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, size, style, width))
    return lines


def _rest(said: Mapping[str, str]) -> list[str]:
    named = ("Title", "Description", "Software")
    return [f"{key}: {value}" for key, value in said.items() if key not in named]


def _figure(drawing: Drawing, panels: bool) -> Figure:
    # A hundredth of a pixel more, so that no rounding below loses the last row or column.
    size = ((drawing.width + 0.01) / drawing.dpi, (drawing.height + 0.01) / drawing.dpi)
    figure = Figure(figsize=size, dpi=drawing.dpi, facecolor=_PAPER, edgecolor=_PAPER)
    for mark in drawing.marks:
        if not isinstance(mark, Panel):
            _add(figure, mark, drawing)
        elif panels:
            _add_panel(figure, mark, drawing)
    return figure


def _add(figure: Figure, mark: Words | Stroke | Frame | Dot, drawing: Drawing) -> None:
    def place(x: float, y: float) -> tuple[float, float]:
        return x / drawing.width, 1 - y / drawing.height

    match mark:
        case Words():
            figure.text(
                *place(mark.left, mark.baseline),
                mark.text,
                fontproperties=_font(mark.size, mark.style),
                color=_INK,
                ha="left",
                va="baseline",
                parse_math=False,
            )
        case Stroke():
            (x0, y0), (x1, y1) = place(*mark.start), place(*mark.end)
            line = Line2D([x0, x1], [y0, y1], linewidth=mark.thickness, color=_INK)
            line.set(solid_capstyle="butt", transform=figure.transFigure)
            figure.add_artist(line)
        case Frame():
            (x0, y0), (x1, y1) = place(mark.left, mark.bottom), place(mark.right, mark.top)
            box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=_INK)
            box.set(linewidth=mark.thickness, transform=figure.transFigure)
            figure.add_artist(box)
        case Dot():
            x, y = place(*mark.centre)
            dot = Line2D([x], [y], marker="o", linestyle="none", markersize=mark.diameter)
            dot.set(markeredgecolor=_INK, markerfacecolor=_INK if mark.full else _PAPER)
            dot.set(markeredgewidth=0.8, transform=figure.transFigure)
            figure.add_artist(dot)


def _add_panel(figure: Figure, panel: Panel, drawing: Drawing) -> None:
    height, width = panel.picture.shape[:2]
    axes = figure.add_axes(
        (
            panel.left / drawing.width,
            1 - (panel.top + height) / drawing.height,
            width / drawing.width,
            height / drawing.height,
        )
    )
    axes.set_axis_off()
    # "none" leaves the stored pixels as they are; the file's reader places them.
    axes.imshow(panel.picture, interpolation="none", aspect="auto")


@cache
def _font(size: float, style: str) -> FontProperties:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return FontProperties(
        family=list(_FAMILIES[style]),
        weight="bold" if style == BOLD else "normal",
        size=size,
        fname=str(folder / f"{_FILES[style]}.ttf"),
    )
