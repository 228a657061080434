"""Pictures of maps: where a detector looks, and which frequencies a crop holds.

Unsigned maps are drawn with perceptually uniform scales that also read in grey and with
colour-blind eyes: levels alone with cividis, heat over a crop with inferno, since the middle of
cividis is grey like the crop. Signed maps are orange above 0 and purple below.

Over a crop either the colour or its share tells the value, never both: a colour that fades where
it is dull hides half of the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt

from demo.core.images import Picture
from demo.views import difference

if TYPE_CHECKING:
    from demo.core.attention import HeatMap

HEAT = "inferno"
LEVEL = "cividis"
SIGNED = "PuOr_r"
HEAT_SHARE = 0.6
CHANGE_SHARE = 0.85
# About equally far from any grey in CIELAB; far apart in blue, which red-green-blind eyes see.
RISE, FALL = (245, 130, 0), (105, 50, 205)
MIDDLE_GREY = 128
Levels = npt.NDArray[np.floating]


def heat_over(crop: Picture, heat: HeatMap) -> Picture:
    """Lay a heat map over the grey crop: everywhere the same share, the colour tells the heat.

    Args:
        crop: uint8 RGB H×W×3.
        heat: float32 H×W in [0, 1].

    Returns:
        uint8 RGB H×W×3.
    """
    return _over(crop, _coloured(heat, HEAT), np.full_like(heat, HEAT_SHARE))


def change_over(crop: Picture, change: HeatMap) -> Picture:
    """Lay a signed map over the grey crop: orange where it rose, purple where it fell.

    The share of the one colour or the other tells the size; where nothing changed the grey crop
    shows.

    Args:
        crop: uint8 RGB H×W×3.
        change: float32 H×W in [-1, 1].

    Returns:
        uint8 RGB H×W×3.
    """
    colours = np.where(change[..., None] > 0, RISE, FALL)
    return _over(crop, colours, np.abs(change) * CHANGE_SHARE)


def heat_bar(width: int, height: int) -> Picture:
    """Draw the scale of ``heat_over`` on middle grey, 0 on the left, 1 on the right: uint8 RGB."""
    return heat_over(_middle_grey(width, height), _ramp(0, width, height).astype(np.float32))


def change_bar(width: int, height: int) -> Picture:
    """Draw the scale of ``change_over`` on middle grey, -1 on the left, 1 on the right: uint8."""
    return change_over(_middle_grey(width, height), _ramp(-1, width, height).astype(np.float32))


def change_levels(clean: Picture, attacked: Picture, gain: float) -> Picture:
    """Draw the largest change of any colour channel, amplified; darkest where nothing changed.

    Args:
        clean: uint8 RGB H×W×3.
        attacked: uint8 RGB H×W×3, the same size.
        gain: as for ``views.difference``; a change of 255/gain levels or more is brightest.

    Returns:
        uint8 RGB H×W×3.

    Raises:
        SettingsError: as ``views.difference``.
    """
    return _coloured(difference(clean, attacked, gain).max(axis=2) / 255, LEVEL)


def levels_bar(width: int, height: int) -> Picture:
    """Draw the scale of ``levels`` and ``change_levels``, lowest on the left: uint8 RGB."""
    return _coloured(_ramp(0, width, height), LEVEL)


def levels(level_db: Levels, low: float, high: float) -> Picture:
    """Draw levels in dB, one pixel a frequency, ``low`` darkest and ``high`` brightest."""
    return _coloured((level_db - low) / (high - low), LEVEL)


def signed_levels(level_db: Levels, span: float) -> Picture:
    """Draw signed levels in dB, one pixel a frequency, from -``span`` over 0 to ``span``."""
    return _coloured((level_db / span + 1) / 2, SIGNED)


def signed_bar(width: int, height: int) -> Picture:
    """Draw the scale of ``signed_levels``, lowest on the left: uint8 RGB."""
    return signed_levels(_ramp(-1, width, height), 1)


def _ramp(low: float, width: int, height: int) -> Levels:
    return np.tile(np.linspace(low, 1, width), (height, 1))


def _middle_grey(width: int, height: int) -> Picture:
    return np.full((height, width, 3), MIDDLE_GREY, np.uint8)


def _coloured(fraction: Levels, name: str) -> Picture:
    colours = matplotlib.colormaps[name](np.clip(fraction, 0, 1), bytes=True)
    return np.ascontiguousarray(colours[..., :3])


def _over(crop: Picture, colours: npt.NDArray[np.integer], share: Levels) -> Picture:
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    part = np.clip(share, 0, 1)[..., None]
    return np.asarray(np.rint(grey * (1 - part) + colours * part), np.uint8)
