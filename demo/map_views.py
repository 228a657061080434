"""Pictures of maps: where a detector looks, and which frequencies a crop holds.

Every map is drawn with a perceptually uniform scale that also reads in grey and with colour-blind
eyes (cividis), a signed one with two hues of equal weight around a neutral middle (PuOr).
"""

import cv2
import matplotlib
import numpy as np
import numpy.typing as npt

from demo.core.attention import HeatMap
from demo.core.images import Picture

HEAT = "cividis"
SIGNED = "PuOr_r"
LEAST_CROP = 0.25
Levels = npt.NDArray[np.floating]


def heat_over(crop: Picture, heat: HeatMap) -> Picture:
    """Lay a heat map over the grey crop; where the heat is, the crop gives way.

    Args:
        crop: uint8 RGB H×W×3.
        heat: float32 H×W in [0, 1].

    Returns:
        uint8 RGB H×W×3.
    """
    return _over(crop, _coloured(heat, HEAT), np.abs(heat))


def change_over(crop: Picture, change: HeatMap) -> Picture:
    """Lay a signed map over the grey crop: orange where it rose, purple where it fell.

    Args:
        crop: uint8 RGB H×W×3.
        change: float32 H×W in [-1, 1].

    Returns:
        uint8 RGB H×W×3.
    """
    return _over(crop, _coloured((change + 1) / 2, SIGNED), np.abs(change))


def levels(level_db: Levels, low: float, high: float) -> Picture:
    """Draw levels in dB, one pixel a frequency, ``low`` darkest and ``high`` brightest."""
    return _coloured((level_db - low) / (high - low), HEAT)


def signed_levels(level_db: Levels, span: float) -> Picture:
    """Draw signed levels in dB, one pixel a frequency, from -``span`` over 0 to ``span``."""
    return _coloured((level_db / span + 1) / 2, SIGNED)


def _coloured(fraction: Levels, name: str) -> Picture:
    colours = matplotlib.colormaps[name](np.clip(fraction, 0, 1), bytes=True)
    return np.ascontiguousarray(colours[..., :3])


def _over(crop: Picture, colours: Picture, weight: Levels) -> Picture:
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    share = (np.clip(weight, 0, 1) * (1 - LEAST_CROP))[..., None]
    return np.asarray(np.rint(grey * (1 - share) + colours * share), np.uint8)
