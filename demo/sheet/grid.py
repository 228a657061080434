"""How the columns of a figure sheet lie: their width, the resolution, how often pixels repeat.

The largest crop fills its column with each pixel repeated a whole number of times, the same number
for every crop. The sheet's resolution follows from that: at least ``LEAST_DPI``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from demo.core.analysis import Analysis
from demo.core.errors import SettingsError
from demo.sheet.drawing import BOLD, MM_PER_INCH, PLAIN, POINTS_PER_INCH, Mark, Words, fitted
from demo.sheet.settings import PictureShown, SheetSettings
from demo.sheet.words import Magnified, analyses_of, methods, printable

LEAST_DPI: Final = 300
LEAST_CELL_MM: Final = 22.0
# With all rows of three columns this still fits on a page.
MOST_CELL_MM: Final = 42.0
MARGIN_MM: Final = 1.0
GAP_MM: Final = 1.6
HALF_GAP_MM: Final = 0.6
LINE_MM: Final = 3.2
BASELINE_MM: Final = 2.4
HEAD_PT: Final = 7.0
TEXT_PT: Final = 6.5

_LEAST_WINDOW: Final = 8


@dataclass(frozen=True)
class Cell:
    """One column's place.

    Attributes:
        analysis: what it shows.
        picture: number of its picture, from 0.
        name: of its picture.
        title: what stands above it.
        left: its left edge in px.
    """

    analysis: Analysis
    picture: int
    name: str
    title: str
    left: int


@dataclass(frozen=True)
class Grid:
    """How the columns lie on the sheet.

    Attributes:
        bands: the columns, in lines one below the other.
        scale: px to the millimetre.
        side: width of a column in px.
        magnified: how often pixels are repeated.
        settings: of the sheet.
    """

    bands: tuple[tuple[Cell, ...], ...]
    scale: float
    side: int
    magnified: Magnified
    settings: SheetSettings

    def px(self, millimetres: float) -> int:
        """Turn millimetres into whole pixels."""
        return round(millimetres * self.scale)

    def points(self, pixels: float) -> float:
        """Turn pixels into points."""
        return pixels / self.scale / MM_PER_INCH * POINTS_PER_INCH

    @property
    def margin(self) -> int:
        """Where the sheet's text begins, in px from its edge."""
        return self.px(MARGIN_MM)

    @property
    def left(self) -> int:
        """Where the first column begins, in px."""
        return self.bands[0][0].left

    @property
    def width(self) -> int:
        """Width of the sheet in px."""
        return self.px(self.settings.width_mm)

    @property
    def room(self) -> float:
        """Width between the margins in points."""
        return self.points(self.width - 2 * self.margin)


@dataclass(frozen=True)
class Part:
    """Marks of a row, and how far down it reaches, in px from its top."""

    marks: list[Mark]
    height: int


def lay_out(pictures: Sequence[PictureShown], settings: SheetSettings) -> Grid:
    """Place the columns so that the largest crop fills its column.

    Raises:
        SettingsError: the zoomed window is too large to be zoomed.
    """
    crops = [analysis.chosen.clean for analysis in analyses_of(pictures)]
    room_mm = settings.width_mm - 2 * MARGIN_MM
    most = int((room_mm + GAP_MM) / (LEAST_CELL_MM + GAP_MM))
    lines = _in_lines(pictures, most)
    across = max(len(line) for line in lines)
    cell_mm = min((room_mm - (across - 1) * GAP_MM) / across, MOST_CELL_MM)
    widest = max(crop.shape[1] for crop in crops)
    times = max(1, math.ceil(cell_mm / MM_PER_INCH * LEAST_DPI / widest))
    side = times * widest
    scale = side / cell_mm
    smallest = min(min(crop.shape[:2]) for crop in crops)
    window = min(settings.window or max(_LEAST_WINDOW, smallest // 4), smallest)
    half = (side - round(HALF_GAP_MM * scale)) // 2
    if "zoom" in settings.rows and window > half:
        raise SettingsError(
            f"A zoomed window of at most {half} pixels was expected, but {window} came. "
            "Choose a smaller one."
        )
    several = len(methods(pictures)) > 1
    step = side + GAP_MM * scale
    left = (settings.width_mm * scale - across * step + GAP_MM * scale) / 2
    bands = tuple(
        tuple(
            Cell(
                analysis,
                picture,
                pictures[picture].name,
                _title(analysis, several),
                round(left + place * step),
            )
            for place, (picture, analysis) in enumerate(line)
        )
        for line in lines
    )
    return Grid(bands, scale, side, Magnified(times, half // window, window), settings)


def header(band: Sequence[Cell], grid: Grid, top: int, named: bool) -> Part:
    """Place what stands above a band: pictures' names where there are several, K, method."""
    marks: list[Mark] = []
    line = grid.px(LINE_MM)
    for place, cell in enumerate(band):
        if named and (place == 0 or band[place - 1].picture != cell.picture):
            alike = sum(1 for other in band if other.picture == cell.picture)
            room = grid.points(alike * grid.side + (alike - 1) * grid.px(GAP_MM))
            name = fitted(printable(cell.name), HEAD_PT, PLAIN, room)
            marks.append(Words(cell.left, top + grid.px(BASELINE_MM), name, HEAD_PT))
        title = fitted(cell.title, HEAD_PT, BOLD, grid.points(grid.side))
        baseline = top + line * named + grid.px(BASELINE_MM)
        marks.append(Words(cell.left, baseline, title, HEAD_PT, BOLD))
    return Part(marks, line * (1 + named))


def _in_lines(pictures: Sequence[PictureShown], most: int) -> list[list[tuple[int, Analysis]]]:
    """Columns in lines of at most ``most``; a picture's stay together where they can."""
    columns = [(number, one) for number, shown in enumerate(pictures) for one in shown.analyses]
    each = len(pictures[0].analyses)
    lines_each = math.ceil(each / most)
    length = most // each * each if lines_each == 1 else math.ceil(each / lines_each)
    lines = []
    while columns:
        lines.append(columns[:length])
        columns = columns[length:]
    return lines


def _title(analysis: Analysis, several: bool) -> str:
    asked = analysis.settings
    return f"K = {asked.k:g}, {asked.method}" if several else f"K = {asked.k:g}"
