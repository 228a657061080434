"""Where the detectors look and what went, as HTML with the pictures in it, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from demo import map_views
from demo.core.images import Picture
from demo.core.spectrum import ProfileRow, Spectra, profile_rows
from demo.ui.panel import Study
from demo.ui.wording import embedded, signed

if TYPE_CHECKING:
    from demo.core.attention import Attention

WIDTH, HEIGHT = 460, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 10, 32
LEAST_SPAN_DB = 1.0
BAR_WIDTH, BAR_HEIGHT = 128, 8


@dataclass(frozen=True)
class Scale:
    """A bar of a map's colours, with the values at its ends in words."""

    name: str
    bar: Picture
    low: str
    high: str


def looks(study: Study, found: Sequence[Attention]) -> str:
    """A row a detector: what speaks for fake on the clean and the attacked crop, and the change."""
    crops = {one.detector: one for one in study.asked}
    rows = "".join(
        _row(
            one.title,
            f"The strongest place adds {one.peak:.3g} to the fake logit."
            if one.peak > 0
            else "No place of either crop speaks for fake.",
            (
                ("Clean", map_views.heat_over(crops[one.detector].clean, one.clean)),
                ("Attacked", map_views.heat_over(crops[one.detector].attacked, one.attacked)),
                ("Change", map_views.change_over(crops[one.detector].clean, one.difference)),
            ),
            _look_scales(one.peak) if one.peak > 0 else (),
        )
        for one in found
    )
    missing = "".join(
        f"<p>{escape(name)}: no map, for nobody said where its last feature map lies.</p>"
        for name in crops
        if name not in {one.detector for one in found}
    )
    return (
        '<div class="looks"><p class="under">Grad-CAM at the last feature map: yellow speaks '
        "most for fake, dark grey not at all, on one scale for clean and attacked. Change: orange "
        "where the round trip added signs of a fake, purple where it took them, grey where nothing "
        "changed. The bars tell how much a place adds to the fake logit; their colours are those "
        f"over middle grey.</p>{rows}{missing}</div>"
    )


def spectra_shown(spectra: Spectra) -> str:
    """The two spectra, their difference, and the radial profiles with 1/(2K) marked."""
    both = np.stack([spectra.clean.level_db, spectra.attacked.level_db])
    low, high = (float(level) for level in np.percentile(both, [1, 99.9]))
    high = max(high, low + LEAST_SPAN_DB)
    span = max(float(np.percentile(np.abs(spectra.difference_db), 99)), LEAST_SPAN_DB)
    row = _row(
        "Log-magnitude spectrum",
        "Zero frequency in the middle. Change: purple is lost, orange is added.",
        (
            ("Clean", map_views.levels(spectra.clean.level_db, low, high)),
            ("Attacked", map_views.levels(spectra.attacked.level_db, low, high)),
            ("Change", map_views.signed_levels(spectra.difference_db, span)),
        ),
        (
            Scale(
                "Clean and attacked",
                map_views.levels_bar(BAR_WIDTH, BAR_HEIGHT),
                f"{signed(low, 0)} dB",
                f"{signed(high, 0)} dB",
            ),
            Scale(
                "Change",
                map_views.signed_bar(BAR_WIDTH, BAR_HEIGHT),
                f"{signed(-span, 0)} dB",
                f"{signed(span, 0)} dB",
            ),
        ),
    )
    return f'<div class="looks">{row}{_profiles(spectra)}</div>'


def _look_scales(peak: float) -> tuple[Scale, Scale]:
    heat = map_views.heat_bar(BAR_WIDTH, BAR_HEIGHT)
    change = map_views.change_bar(BAR_WIDTH, BAR_HEIGHT)
    return (
        Scale("Clean and attacked", heat, "0", f"+{peak:.3g}"),
        Scale("Change", change, f"−{peak:.3g}", f"+{peak:.3g}"),
    )


def _row(
    title: str, remark: str, pictures: Iterable[tuple[str, Picture]], scales: Iterable[Scale]
) -> str:
    shown = "".join(
        f'<figure><img class="pixels" alt="{escape(title)}: {name.lower()}" '
        f'src="{embedded(picture)}"><figcaption>{name}</figcaption></figure>'
        for name, picture in pictures
    )
    bars = "".join(
        f'<span>{scale.name}: {scale.low} <img alt="to" src="{embedded(scale.bar)}"> '
        f"{scale.high}</span>"
        for scale in scales
    )
    legend = f'<p class="under bars">{bars}</p>' if bars else ""
    return (
        f'<section><h3>{escape(title)}</h3><div class="three">{shown}</div>'
        f'{legend}<p class="under">{escape(remark)}</p></section>'
    )


def _profiles(spectra: Spectra) -> str:
    rows = profile_rows(spectra)
    levels = [level for row in rows for level in (row.clean_db, row.attacked_db)]
    step = 10 * max(1, math.ceil((max(levels) - min(levels)) / 40))
    low, high = math.floor(min(levels) / step) * step, math.ceil(max(levels) / step) * step
    high = max(high, low + step)

    def place(frequency: float, level: float) -> str:
        return f"{_across(frequency):.1f},{_down(level, low, high):.1f}"

    clean = " ".join(place(row.frequency, row.clean_db) for row in rows)
    attacked = " ".join(place(row.frequency, row.attacked_db) for row in rows)
    cutoff = _across(spectra.cutoff)
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_down(level, low, high):.1f}" '
        f'y2="{_down(level, low, high):.1f}"/><text class="tick" x="{LEFT - 5}" '
        f'y="{_down(level, low, high) + 3:.1f}" text-anchor="end">{level}</text>'
        for level in range(low, high + 1, step)
    )
    frequencies = "".join(
        f'<text class="tick" x="{_across(frequency):.1f}" y="{HEIGHT - BOTTOM + 13}" '
        f'text-anchor="middle">{frequency:g}</text>'
        for frequency in (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    )
    said = _lost(rows, spectra.cutoff)
    return (
        '<figure class="profile"><figcaption>Radial profile (dB)</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{lines}{frequencies}'
        f'<line class="threshold" x1="{cutoff:.1f}" x2="{cutoff:.1f}" y1="{TOP}" '
        f'y2="{HEIGHT - BOTTOM}"/><text class="tick" x="{cutoff + 4:.1f}" y="{TOP + 9}">1/(2K)'
        f'</text><g class="curve before"><polyline points="{clean}"/></g>'
        f'<g class="curve edsr"><polyline points="{attacked}"/></g>'
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 3}" '
        'text-anchor="middle">Spatial frequency (cycles per pixel)</text></svg>'
        f'<p class="under">Dashed: clean. Solid: attacked. {said}</p></figure>'
    )


def _lost(rows: Sequence[ProfileRow], cutoff: float) -> str:
    above = [row.difference_db for row in rows if row.frequency > cutoff]
    below = [row.difference_db for row in rows if row.frequency <= cutoff]
    said = f"Mean change up to 1/(2K) = {cutoff:.3f} cycles per pixel: {signed(fmean(below), 1)} dB"
    return f"{said}; above it: {signed(fmean(above), 1)} dB." if above else f"{said}."


def _across(frequency: float) -> float:
    return LEFT + frequency / 0.5 * (WIDTH - LEFT - RIGHT)


def _down(level: float, low: float, high: float) -> float:
    return TOP + (high - level) / (high - low) * (HEIGHT - TOP - BOTTOM)
