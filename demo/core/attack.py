"""The round trip: a crop is shrunk by 1/K and restored ×K to the size it had.

Source: arXiv 2407.02670, section 3 (shrink by 1/K, EDSR ×K, paste back at the same place). Whole K
is the paper's path. A fractional K = p/q is restored by the next whole factor and area-averaged to
size. Bicubic and Lanczos are controls: they take exactly the same way as EDSR, only the restorer
differs (``restoring``), so the difference between them and EDSR is what super-resolution adds to
plain blur.
"""

from __future__ import annotations

from fractions import Fraction
from numbers import Real
from typing import Final, Literal, get_args

import cv2
import numpy as np
from PIL import Image

from demo.core.errors import SettingsError
from demo.core.images import Picture
from demo.core.restoring import (
    FloatPicture,
    check_choice,
    restore,
    restoring_scale,
    scales,
)
from models.zoo import Zoo

Kernel = Literal["area", "bicubic"]

FACTORS: Final = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
KERNELS: Final[tuple[str, ...]] = get_args(Kernel)
MAX_ENLARGED_PIXELS: Final = 100_000_000


def round_trip(crop: Picture, k: float, method: str, kernel: str, zoo: Zoo) -> Picture:
    """Shrink a crop by 1/K and restore it to the same size.

    The crop is padded by reflection on the right and below so that it can be divided evenly,
    shrunk to 8 bits, restored by the whole factor ``restoring.restoring_scale``, area-averaged to
    the padded size where that is more than K, clamped, rounded once and cut to the size it came
    with.

    Args:
        crop: uint8 RGB, H×W×3, any size from 1×1.
        k: one of ``FACTORS``.
        method: one of ``restoring.methods``: who restores.
        kernel: one of ``KERNELS``: how the crop is shrunk.
        zoo: the loaded networks; asked only where the method is one of them.

    Returns:
        uint8 RGB, H×W×3: the size of ``crop``. The same input gives the same bytes.

    Raises:
        SettingsError: K, method or kernel is not one of those named, or the method cannot undo K.
        WeightsError: the network's weights were refused, or its output is not finite.
    """
    ratio = Fraction(check_factor(k))
    scale = restoring_scale(k, method, zoo)
    check_kernel(kernel)
    height, width = crop.shape[:2]
    padded = pad_to_multiple(crop, ratio.numerator)
    small = shrink(padded, ratio, kernel)
    restored = restore(small, scale, method, zoo)
    same_size = average_to(restored, padded.shape[1], padded.shape[0])
    return to_bytes(same_size)[:height, :width].copy()


def enlarge_picture(picture: Picture, scale: int, method: str, zoo: Zoo) -> Picture:
    """Enlarge a whole picture by a whole factor: restoring without the attack.

    Args:
        picture: uint8 RGB, H×W×3.
        scale: one of ``restoring.scales``: 2, 3 or 4, or the one of the operator's network.
        method: one of ``restoring.methods``.
        zoo: the loaded networks; asked only where the method is one of them.

    Returns:
        uint8 RGB, (scale·H)×(scale·W)×3.

    Raises:
        SettingsError: scale or method is not one of those named, or the result would have more than
            100 megapixels.
        WeightsError: the network's weights were refused, or its output is not finite.
    """
    allowed = scales(method, zoo)
    if isinstance(scale, bool) or scale not in allowed:
        named = " or ".join(", ".join(map(str, allowed)).rsplit(", ", 1))
        raise SettingsError(f"The scale must be {named}, but {scale!r} came. Choose that instead.")
    pixels = picture.shape[0] * picture.shape[1] * scale**2
    if pixels > MAX_ENLARGED_PIXELS:
        raise SettingsError(
            f"The enlarged picture would have {pixels / 1e6:.0f} megapixels, and at most "
            f"{MAX_ENLARGED_PIXELS / 1e6:.0f} are made. Choose a smaller scale or picture."
        )
    return to_bytes(restore(picture, scale, method, zoo))


def check_factor(k: float) -> float:
    """Return K as a float when it is one of ``FACTORS``.

    Raises:
        SettingsError: it is anything else: another number, NaN, text, a truth value.
    """
    if isinstance(k, Real) and k in FACTORS:
        return float(k)
    allowed = ", ".join(f"{factor:g}" for factor in FACTORS)
    raise SettingsError(f"K must be one of {allowed}, but {repr(k)[:40]} came. Choose one.")


def check_kernel(kernel: str) -> None:
    """Refuse a shrinking kernel that is not one of ``KERNELS``.

    Raises:
        SettingsError: the sentence names the allowed ones.
    """
    check_choice("shrinking kernel", kernel, KERNELS)


def pad_to_multiple(crop: Picture, multiple: int) -> Picture:
    """Pad a crop by reflection, right and below, until both sides are multiples.

    Args:
        crop: uint8 RGB, H×W×3.
        multiple: at least 1.

    Returns:
        uint8 RGB; the upper left H×W is ``crop``. A crop narrower than its padding is reflected
        as often as needed.
    """
    height, width = crop.shape[:2]
    return np.pad(crop, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="reflect")


def shrink(crop: Picture, ratio: Fraction, kernel: str) -> Picture:
    """Shrink a crop by an exact ratio to 8 bits.

    Args:
        crop: uint8 RGB, H×W×3; H and W are multiples of the ratio's numerator.
        ratio: K as a fraction in lowest terms, above 1.
        kernel: ``"area"`` (mean of the covered pixels) or ``"bicubic"`` (a = -0.5, widened by K so
            that it does not alias).

    Returns:
        uint8 RGB, (H/K)×(W/K)×3.
    """
    height, width = crop.shape[:2]
    size = (
        width * ratio.denominator // ratio.numerator,
        height * ratio.denominator // ratio.numerator,
    )
    if kernel == "area":
        return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.array(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC))


def average_to(picture: FloatPicture, width: int, height: int) -> FloatPicture:
    """Shrink a float picture by averaging over area; one of that size already is returned as is.

    Args:
        picture: float32 RGB, H×W×3, [0, 1].
        width: wanted, in px, at most W.
        height: wanted, in px, at most H.

    Returns:
        float32 RGB, height×width×3, [0, 1].
    """
    if picture.shape[:2] == (height, width):
        return picture
    averaged = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(averaged, dtype=np.float32)


def to_bytes(picture: FloatPicture) -> Picture:
    """Round a float picture to 8 bits, to the nearest level.

    Args:
        picture: float32, [0, 1] (values beside it are clamped).

    Returns:
        uint8 of the same shape.
    """
    levels: FloatPicture = picture * np.float32(255)
    np.rint(levels, out=levels)
    np.clip(levels, 0, 255, out=levels)
    return levels.astype(np.uint8)
