"""Similarity as the published code measured it, beside the right one of ``core.quality``.

That code resized both faces to 224 px, subtracted them as uint8 and squared the result as uint8.
Both wrap at 256, so that no mean square is above 255 and no PSNR below 24.07 dB. It is kept, under
this name of its own, only so that Table 3 of arXiv 2407.02670 can be compared with.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import skimage

from demo.core.images import Picture
from demo.core.quality import Quality

SIDE: Final = 224


@dataclass(frozen=True)
class PublishedQuality:
    """Likeness of two faces by the published protocol.

    Attributes:
        ssim: structural similarity at 224 px, at most 1.
        psnr_db: peak signal-to-noise ratio in dB of differences that wrap; infinite for the same
            picture.
    """

    ssim: float
    psnr_db: float


def measure_as_published(clean: Picture, attacked: Picture, right: Quality) -> PublishedQuality:
    """Compare two faces as the published code did.

    Args:
        clean: uint8 RGB, H×W×3.
        attacked: uint8 RGB, of the same size.
        right: their likeness as ``core.quality`` measures it; at 224 px its SSIM is this one too.
    """
    first, second = (cv2.resize(face, (SIDE, SIDE)) for face in (clean, attacked))
    difference = np.subtract(first, second, dtype=np.uint8)
    mean_square = float(np.multiply(difference, difference, dtype=np.uint8).mean())
    return PublishedQuality(
        ssim=right.ssim
        if clean.shape[:2] == (SIDE, SIDE)
        else float(skimage.metrics.structural_similarity(first, second, channel_axis=2)),
        psnr_db=20 * math.log10(255 / math.sqrt(mean_square)) if mean_square else math.inf,
    )
