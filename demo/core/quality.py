"""How much the round trip changed a crop: SSIM, PSNR and 8-bit differences, at native size.

The published code subtracted uint8 arrays, which wraps and hides every difference above 24 dB, and
compared after a resize. Here both crops keep their size and the arithmetic is float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import skimage

from demo.core.errors import ImageError
from demo.core.images import Picture


@dataclass(frozen=True)
class Quality:
    """Likeness of an attacked crop to the clean one.

    Attributes:
        ssim: structural similarity, at most 1 (the same picture).
        psnr_db: peak signal-to-noise ratio in dB for a peak of 255; infinite for the same picture.
        mean_difference: mean absolute difference over pixels and channels, in 8-bit levels.
        max_difference: largest absolute difference, in 8-bit levels.
    """

    ssim: float
    psnr_db: float
    mean_difference: float
    max_difference: int


def measure(clean: Picture, attacked: Picture) -> Quality:
    """Compare two crops of one size.

    SSIM: Wang et al. 2004, doi 10.1109/TIP.2003.819861, as scikit-image computes it by default: a
    uniform window of 7×7 px (the largest odd one that fits in a smaller crop), mean over RGB.
    PSNR: 10·log10(255² / mean squared error over pixels and channels).

    Args:
        clean: uint8 RGB, H×W×3, at least 3 px a side.
        attacked: uint8 RGB, the same shape.

    Raises:
        ImageError: the sizes differ, or a side is under 3 px.
    """
    if clean.shape != attacked.shape:
        raise ImageError(
            f"Two crops of one size were expected, but they have {_size(clean)} and "
            f"{_size(attacked)} pixels. Compare a crop with its own round trip."
        )
    side = min(clean.shape[:2])
    if side < 3:
        raise ImageError(
            f"A crop of at least 3 pixels a side was expected, but {_size(clean)} came. "
            "Take a larger crop."
        )
    difference = np.abs(clean.astype(np.int32) - attacked.astype(np.int32))
    mean_square = float(np.mean(np.square(difference), dtype=np.float64))
    # Asked for by its whole name, scikit-image imports its metrics, and scipy, only now.
    similarity = skimage.metrics.structural_similarity(
        clean, attacked, win_size=min(7, side - (side + 1) % 2), channel_axis=2, data_range=255
    )
    return Quality(
        ssim=float(similarity),
        psnr_db=math.inf if mean_square == 0 else 10 * math.log10(255**2 / mean_square),
        mean_difference=float(np.mean(difference, dtype=np.float64)),
        max_difference=int(difference.max()),
    )


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}×{picture.shape[0]}"
