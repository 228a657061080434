"""The rows of a figure sheet: panels of a band's columns, or their scores, under a heading."""

from collections.abc import Callable, Sequence
from typing import Final

from demo.core.faces import Box
from demo.core.images import Picture
from demo.core.scoring import DetectorScore
from demo.map_views import change_levels, levels_bar
from demo.sheet.drawing import BOLD, PLAIN, Dot, Frame, Mark, Panel, Stroke, Words, fitted
from demo.sheet.grid import (
    BASELINE_MM,
    GAP_MM,
    HALF_GAP_MM,
    HEAD_PT,
    LINE_MM,
    TEXT_PT,
    Cell,
    Grid,
    Part,
)
from demo.sheet.words import printable, probabilities, verdicts
from demo.views import enlarge_pixels, window_box

_BAR_MM: Final = 0.5
_SCORE_MM: Final = 9.6


def row(name: str, band: Sequence[Cell], grid: Grid, top: int) -> Part:
    """Place one row of a band, its heading included; ``name`` is one of ``settings.ROWS``."""
    rows: dict[str, Callable[[Sequence[Cell], Grid, int], Part]] = {
        "before": _before,
        "after": _after,
        "difference": _difference,
        "zoom": _zoom,
        "scores": _scores,
    }
    return rows[name](band, grid, top)


def _before(band: Sequence[Cell], grid: Grid, top: int) -> Part:
    return _panels("Before", band, [cell.analysis.chosen.clean for cell in band], grid, top)


def _after(band: Sequence[Cell], grid: Grid, top: int) -> Part:
    return _panels("After", band, [cell.analysis.chosen.attacked for cell in band], grid, top)


def _difference(band: Sequence[Cell], grid: Grid, top: int) -> Part:
    gain = grid.settings.gain
    crops = [
        change_levels(cell.analysis.chosen.clean, cell.analysis.chosen.attacked, gain)
        for cell in band
    ]
    part = _panels(f"Difference ×{gain:g}", band, crops, grid, top)
    return Part(part.marks + _scale_bar(grid, top, 255 / gain), part.height)


def _scale_bar(grid: Grid, top: int, highest: float) -> list[Mark]:
    """The colours of the difference, right of its heading, in 8-bit levels."""
    left, long, high = grid.left + grid.px(27), grid.px(10), grid.px(1.8)
    baseline = top + grid.px(BASELINE_MM)
    return [
        Words(left - grid.px(2), baseline, "0", TEXT_PT),
        Panel(left, baseline - high, levels_bar(long, high)),
        Words(left + long + grid.px(0.6), baseline, f"{highest:.3g} levels", TEXT_PT),
    ]


def _panels(
    heading: str, band: Sequence[Cell], crops: Sequence[Picture], grid: Grid, top: int
) -> Part:
    times = grid.magnified.panel
    begin = top + grid.px(LINE_MM)
    marks: list[Mark] = [Words(grid.left, top + grid.px(BASELINE_MM), heading, HEAD_PT)]
    for cell, crop in zip(band, crops, strict=True):
        marks.append(Panel(cell.left, begin, enlarge_pixels(crop, times)))
        if "zoom" in grid.settings.rows:
            marks += _window_bars(_window(cell, grid), cell.left, begin, crop, grid)
    highest = max(crop.shape[0] for crop in crops) * times
    return Part(marks, grid.px(LINE_MM) + highest + grid.px(GAP_MM))


def _window_bars(box: Box, left: int, top: int, crop: Picture, grid: Grid) -> list[Mark]:
    """Bars below and right of a panel, over the zoomed window: no pixel is drawn upon."""
    x0, y0, x1, y1 = (side * grid.magnified.panel for side in box)
    right = left + crop.shape[1] * grid.magnified.panel + grid.px(_BAR_MM)
    below = top + crop.shape[0] * grid.magnified.panel + grid.px(_BAR_MM)
    return [
        Stroke((left + x0, below), (left + x1, below), 0.9),
        Stroke((right, top + y0), (right, top + y1), 0.9),
    ]


def _window(cell: Cell, grid: Grid) -> Box:
    clean = cell.analysis.chosen.clean
    middle = (clean.shape[1] / 2, clean.shape[0] / 2)
    return window_box(clean, grid.settings.at or middle, grid.magnified.window)


def _zoom(band: Sequence[Cell], grid: Grid, top: int) -> Part:
    times, begin = grid.magnified.zoom, top + grid.px(LINE_MM)
    step = grid.magnified.window * times + grid.px(HALF_GAP_MM)
    marks: list[Mark] = [
        Words(grid.left, top + grid.px(BASELINE_MM), "Zoom: before, after", HEAD_PT)
    ]
    for cell in band:
        x0, y0, x1, y1 = _window(cell, grid)
        found = cell.analysis.chosen
        for place, crop in enumerate((found.clean, found.attacked)):
            zoomed = enlarge_pixels(crop[y0:y1, x0:x1], times)
            marks.append(Panel(cell.left + place * step, begin, zoomed))
    height = grid.magnified.window * times
    return Part(marks, grid.px(LINE_MM) + height + grid.px(GAP_MM))


def _scores(band: Sequence[Cell], grid: Grid, top: int) -> Part:
    marks: list[Mark] = []
    height, room = 0, grid.points(grid.width - grid.left - grid.margin)
    for number, first in enumerate(band[0].analysis.chosen.scores):
        begin = top + height
        heading = f"{printable(first.title)}: fake probability, threshold {first.threshold:.3f}"
        heading = fitted(heading, HEAD_PT, PLAIN, room)
        marks.append(Words(grid.left, begin + grid.px(BASELINE_MM), heading, HEAD_PT))
        for cell in band:
            score = cell.analysis.chosen.scores[number]
            marks += _score(score, cell.left, begin + grid.px(LINE_MM), grid)
        height += grid.px(LINE_MM + _SCORE_MM + GAP_MM)
    return Part(marks, height)


def _score(score: DetectorScore, left: int, top: int, grid: Grid) -> list[Mark]:
    inset = grid.px(1.2)
    style = BOLD if score.flipped else PLAIN
    first, last = left + 2 * inset, left + grid.side - 2 * inset

    def place(probability: float) -> float:
        return first + probability * (last - first)

    room = grid.points(grid.side - 2 * inset)
    middle, reach = top + grid.px(7.9), grid.px(1)
    threshold = place(score.threshold)
    marks: list[Mark] = [
        Words(
            left + inset,
            top + grid.px(2.9),
            fitted(probabilities(score), TEXT_PT, style, room),
            TEXT_PT,
            style,
        ),
        Words(
            left + inset,
            top + grid.px(5.7),
            fitted(verdicts(score), TEXT_PT, style, room),
            TEXT_PT,
            style,
        ),
        Stroke((first, middle), (last, middle), 0.5),
        Stroke((threshold, middle - reach), (threshold, middle + reach), 0.9),
        Dot((place(score.clean), middle), 4, full=False),
        Dot((place(score.attacked), middle), 3, full=True),
    ]
    if score.flipped:
        edge = grid.px(0.2)
        bottom = top + grid.px(_SCORE_MM)
        marks.append(Frame(left + edge, top + edge, left + grid.side - edge, bottom - edge, 0.9))
    return marks
