"""The sweep as HTML: a chart a detector, SSIM and PSNR under them, and every number in a table.

Chart and table are written from the same rows. A click on a point, or a button of the table, sets
the page to it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeVar

from demo.core.restoring import METHODS
from demo.core.scoring import called
from demo.core.sweep import SWEPT_FACTORS, UNTOUCHED, Sweep, SweepPoint
from demo.core.sweep_rows import SweepRow, rows
from demo.ui.wording import method_name

WIDTH, HEIGHT = 300, 190
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 12, 30
Item = TypeVar("Item", SweepRow, SweepPoint)


@dataclass(frozen=True)
class _Axis:
    """The upright axis of a chart: its ends, ticks, and how a number is written on it."""

    low: float
    high: float
    ticks: tuple[float, ...]
    digits: int


def sweep_chart(sweep: Sweep) -> str:
    """Everything that a sweep shows; text from outside is escaped."""
    made = rows(sweep)
    titles = {row.detector: row.title for row in made}
    charts = "".join(
        _probabilities(title, [row for row in made if row.detector == detector])
        for detector, title in titles.items()
    )
    problems = "".join(f'<p class="problem">{escape(line)}</p>' for line in sweep.problems)
    return (
        f'<div class="sweep">{problems}{_legend(sweep)}<div class="charts">{charts}</div>'
        f'<div class="charts likeness">{_likeness(sweep)}</div>'
        '<p class="readout" aria-hidden="true">Point at a mark for its numbers; click it to set '
        "the page to it.</p>"
        f"{_table(sweep)}</div>"
    )


def point_words(row: SweepRow) -> str:
    """One point in words, as the readout under the charts says it."""
    flipped = ", flipped" if row.flipped else ""
    return (
        f"{row.title}, {_place(row.method, row.k)}: fake probability {row.probability:.3f}, "
        f"{called(row.fake)}{flipped} (threshold {row.threshold:.3f}); SSIM {row.ssim:.4f}, "
        f"PSNR {_decibels(row.psnr_db)}"
    )


def _probabilities(title: str, made: Sequence[SweepRow]) -> str:
    axis = _Axis(0, 1, (0, 0.25, 0.5, 0.75, 1), 2)
    threshold = _down(made[0].threshold, axis)
    line = (
        f'<line class="threshold" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{threshold:.1f}" '
        f'y2="{threshold:.1f}"/>'
    )
    curves = "".join(
        _curve(
            method,
            [(row.k, row.probability, row.flipped, point_words(row)) for row in own],
            axis,
        )
        for method, own in _by_method(made, lambda row: row.method)
    )
    flips = sum(row.flipped for row in made)
    said = (
        f"{title}: fake probability against K, threshold {made[0].threshold:.3f}, "
        f"{flips} of {sum(row.k != UNTOUCHED for row in made)} verdicts flipped"
    )
    return _figure(f"{title}: fake probability", said, _frame(axis) + line + curves)


def _likeness(sweep: Sweep) -> str:
    lowest = math.floor(min(point.quality.ssim for point in sweep.points) * 20) / 20
    ssim = _Axis(lowest, 1, (lowest, (lowest + 1) / 2, 1), 3)
    shown = [point for point in sweep.points if math.isfinite(point.quality.psnr_db)]
    if not shown:
        return ""
    levels = [point.quality.psnr_db for point in shown]
    low, high = math.floor(min(levels) / 5) * 5, math.ceil(max(levels) / 5) * 5
    high = max(high, low + 5)
    psnr = _Axis(low, high, (low, (low + high) / 2, high), 1)
    return _quality("SSIM", sweep.points, lambda point: point.quality.ssim, ssim) + _quality(
        "PSNR (dB)", shown, lambda point: point.quality.psnr_db, psnr
    )


def _quality(
    name: str, points: Sequence[SweepPoint], number: Callable[[SweepPoint], float], axis: _Axis
) -> str:
    curves = "".join(
        _curve(
            method,
            [
                (p.k, number(p), False, f"{_place(method, p.k)}: {name} {number(p):.4f}")
                for p in own
            ],
            axis,
        )
        for method, own in _by_method(points, lambda point: point.method)
    )
    return _figure(
        f"{name} of the crop", f"{name} of the crop against K, falling", _frame(axis) + curves
    )


def _figure(caption: str, said: str, drawing: str) -> str:
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said)}">'
        f"{drawing}</svg></figure>"
    )


def _frame(axis: _Axis) -> str:
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_down(tick, axis):.1f}" '
        f'y2="{_down(tick, axis):.1f}"/>'
        f'<text class="tick" x="{LEFT - 5}" y="{_down(tick, axis) + 3:.1f}" text-anchor="end">'
        f"{tick:.{axis.digits}f}</text>"
        for tick in axis.ticks
    )
    steps = "".join(
        f'<text class="tick" x="{_across(k):.1f}" y="{HEIGHT - BOTTOM + 14}" '
        f'text-anchor="middle">{k:g}</text>'
        for k in SWEPT_FACTORS
    )
    middle = (LEFT + WIDTH - RIGHT) / 2
    return (
        f'{lines}{steps}<text class="axis" x="{middle}" y="{HEIGHT - 3}" '
        'text-anchor="middle">K (scale factor; 1 is the clean crop)</text>'
    )


def _curve(method: str, points: Sequence[tuple[float, float, bool, str]], axis: _Axis) -> str:
    places = [(_across(k), _down(number, axis)) for k, number, _, _ in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = "".join(
        f'<g class="mark{" flip" if flipped else ""}" data-k="{k:g}" data-method="{method}" '
        f'data-words="{escape(words)}"><circle class="reach" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
        f"{_shape(method, x, y)}</g>"
        for (k, _, flipped, words), (x, y) in zip(points, places, strict=True)
    )
    return f'<g class="curve {_style(method)}"><polyline points="{line}"/>{marks}</g>'


def _style(method: str) -> str:
    return method if method in METHODS else "own"


def _shape(method: str, x: float, y: float) -> str:
    if method == "bicubic":
        return f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6"/>'
    if method == "lanczos":
        return f'<path d="M{x:.1f} {y - 4:.1f}l4 7h-8z"/>'
    if method == "edsr":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    return f'<path d="M{x:.1f} {y - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>'


def _legend(sweep: Sweep) -> str:
    methods = dict.fromkeys(point.method for point in sweep.points)
    entries = "".join(
        f'<li><svg viewBox="0 0 28 10" aria-hidden="true"><g class="curve {_style(method)}">'
        f'<polyline points="0,5 28,5"/>{_shape(method, 14, 5)}</g></svg>'
        f"{method_name(method)}</li>"
        for method in methods
    )
    return (
        f'<ul class="legend">{entries}<li><svg viewBox="0 0 28 10" aria-hidden="true">'
        '<line class="threshold" x1="0" x2="28" y1="5" y2="5"/></svg>threshold</li>'
        '<li><svg viewBox="0 0 28 14" aria-hidden="true"><g class="curve edsr">'
        '<g class="mark flip"><circle class="reach" cx="14" cy="7" r="6"/>'
        '<circle cx="14" cy="7" r="3.5"/></g></g></svg>ringed: verdict flipped</li></ul>'
    )


def _table(sweep: Sweep) -> str:
    titles = [escape(score.title) for score in sweep.points[0].scores]
    head = "".join(f"<th scope=col>{title}</th>" for title in titles)
    body = "".join(
        f"<tr><th scope=row>{_button(point)}</th>"
        + "".join(
            f"<td>{score.attacked:.3f} {called(score.attacked_fake)}"
            f"{', <strong>flipped</strong>' if score.flipped else ''}</td>"
            for score in point.scores
        )
        + f"<td>{point.quality.ssim:.4f}</td><td>{_decibels(point.quality.psnr_db)}</td></tr>"
        for point in sweep.points
        if point.k != UNTOUCHED or point.method == sweep.points[0].method
    )
    return (
        "<details><summary>Every number, and a button that sets the page to it</summary>"
        '<div class="table" tabindex="0" role="region" aria-label="Every number of the sweep">'
        f"<table><thead><tr><th scope=col>Set to</th>{head}<th scope=col>SSIM</th>"
        f"<th scope=col>PSNR</th></tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _button(point: SweepPoint) -> str:
    place = _place(point.method, point.k)
    if point.k == UNTOUCHED:
        return place
    return (
        f'<button type="button" data-k="{point.k:g}" data-method="{point.method}">{place}</button>'
    )


def _by_method(
    items: Sequence[Item], method: Callable[[Item], str]
) -> list[tuple[str, list[Item]]]:
    names = dict.fromkeys(method(item) for item in items)
    return [(name, [item for item in items if method(item) == name]) for name in names]


def _place(method: str, k: float) -> str:
    return "clean crop" if k == UNTOUCHED else f"{method_name(method)}, K = {k:g}"


def _decibels(level: float) -> str:
    return "∞" if math.isinf(level) else f"{level:.2f} dB"


def _across(k: float) -> float:
    low, high = SWEPT_FACTORS[0], SWEPT_FACTORS[-1]
    return LEFT + 8 + (k - low) / (high - low) * (WIDTH - LEFT - RIGHT - 16)


def _down(number: float, axis: _Axis) -> float:
    inside = HEIGHT - TOP - BOTTOM
    return TOP + (axis.high - number) / (axis.high - axis.low) * inside
