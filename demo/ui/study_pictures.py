"""Where the detectors look and what went, as HTML with the pictures in it, pixel by pixel."""

import base64
from collections.abc import Iterable, Sequence
from html import escape
from statistics import fmean

import numpy as np

from demo import map_views
from demo.core.attention import Attention
from demo.core.images import Picture, encode_png
from demo.core.spectrum import ProfileRow, Spectra, profile_rows
from demo.ui.panel import Study
from demo.ui.wording import signed

WIDTH, HEIGHT = 460, 210
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 10, 32
LEAST_SPAN_DB = 1.0


def looks(study: Study, found: Sequence[Attention]) -> str:
    """A row a detector: what speaks for fake on the clean and the attacked crop, and the change."""
    crops = {one.detector: one for one in study.asked}
    rows = "".join(
        _row(
            one.title,
            f"The brightest place adds {one.peak:.2f} to the fake logit."
            if one.peak > 0
            else "No place of either crop speaks for fake.",
            (
                ("Clean", map_views.heat_over(crops[one.detector].clean, one.clean)),
                ("Attacked", map_views.heat_over(crops[one.detector].attacked, one.attacked)),
                ("Change", map_views.change_over(crops[one.detector].clean, one.difference)),
            ),
        )
        for one in found
    )
    return (
        '<div class="looks"><p class="under">Grad-CAM at the last feature map: bright is what '
        "speaks for fake, on one scale for clean and attacked. Change: orange where the round "
        f"trip added signs of a fake, purple where it took them.</p>{rows}</div>"
    )


def spectra_shown(spectra: Spectra) -> str:
    """The two spectra, their difference, and the radial profiles with 1/(2K) marked."""
    both = np.stack([spectra.clean.level_db, spectra.attacked.level_db])
    low, high = (float(level) for level in np.percentile(both, [1, 99.9]))
    high = max(high, low + LEAST_SPAN_DB)
    span = max(float(np.percentile(np.abs(spectra.difference_db), 99)), LEAST_SPAN_DB)
    row = _row(
        "Log-magnitude spectrum",
        f"Zero frequency in the middle; clean and attacked from {signed(low, 0)} to "
        f"{signed(high, 0)} dB, their difference from −{span:.0f} (purple, lost) to +{span:.0f} dB "
        "(orange, added).",
        (
            ("Clean", map_views.levels(spectra.clean.level_db, low, high)),
            ("Attacked", map_views.levels(spectra.attacked.level_db, low, high)),
            ("Change", map_views.signed_levels(spectra.difference_db, span)),
        ),
    )
    return f'<div class="looks">{row}{_profiles(spectra)}</div>'


def _row(title: str, remark: str, pictures: Iterable[tuple[str, Picture]]) -> str:
    shown = "".join(
        f'<figure><img class="pixels" alt="{escape(title)}: {name.lower()}" '
        f'src="{_embedded(picture)}"><figcaption>{name}</figcaption></figure>'
        for name, picture in pictures
    )
    return (
        f'<section><h3>{escape(title)}</h3><div class="three">{shown}</div>'
        f'<p class="under">{escape(remark)}</p></section>'
    )


def _embedded(picture: Picture) -> str:
    return "data:image/png;base64," + base64.b64encode(encode_png(picture, {})).decode()


def _profiles(spectra: Spectra) -> str:
    rows = profile_rows(spectra)
    levels = [level for row in rows for level in (row.clean_db, row.attacked_db)]
    low, high = np.floor(min(levels) / 10) * 10, np.ceil(max(levels) / 10) * 10
    high = max(high, low + 10)

    def place(frequency: float, level: float) -> str:
        return f"{_across(frequency):.1f},{_down(level, low, high):.1f}"

    clean = " ".join(place(row.frequency, row.clean_db) for row in rows)
    attacked = " ".join(place(row.frequency, row.attacked_db) for row in rows)
    cutoff = _across(spectra.cutoff)
    lines = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_down(level, low, high):.1f}" '
        f'y2="{_down(level, low, high):.1f}"/><text class="tick" x="{LEFT - 5}" '
        f'y="{_down(level, low, high) + 3:.1f}" text-anchor="end">{level:.0f}</text>'
        for level in np.linspace(low, high, 4)
    )
    steps = "".join(
        f'<text class="tick" x="{_across(step):.1f}" y="{HEIGHT - BOTTOM + 13}" '
        f'text-anchor="middle">{step:g}</text>'
        for step in (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    )
    said = _lost(rows, spectra.cutoff)
    return (
        '<figure class="profile"><figcaption>Radial profile (dB)</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">{lines}{steps}'
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
