"""What a policy may do to a crop before the detector sees it: six changes of a picture.

All take and give the crop as the detector's input sees it (after `detectors.resize_to_input`,
before normalisation), uint8 RGB S×S×3, and leave the one that they were given as it was.

The first two are those of the report "Defense against Adversarial Magnification…". It does not say
with which value the centre is masked, nor does its code, whose mask changes no pixel: it indexes a
height×width×channel picture as if the channels came first. Ours is black.
"""

import typing
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from models.training.distortions import reencode_jpeg

CropAction = Literal["leave", "mask", "blur", "jpeg", "unsharp", "shift"]
Crop = npt.NDArray[np.uint8]

CROP_ACTIONS: Final[tuple[CropAction, ...]] = typing.get_args(CropAction)
MASK_SIDE: Final = 64
BLUR_SIGMA: Final = 1.0
JPEG_QUALITY: Final = 75
UNSHARP_SIGMA: Final = 1.5
UNSHARP_AMOUNT: Final = 1.0


def act(action: CropAction, crop: Crop) -> Crop:
    """The crop after one of `CROP_ACTIONS`; "leave" gives back the crop itself.

    Args:
        action: Its name.
        crop: uint8 RGB S×S×3.

    Returns:
        uint8 RGB S×S×3.

    Raises:
        ValueError: It is to be masked and has no centre of 64×64 px.
    """
    if action == "leave":
        return crop
    if action == "mask":
        return mask_centre(crop)
    if action == "blur":
        return blur(crop)
    if action == "jpeg":
        return reencode_jpeg(crop, JPEG_QUALITY)
    if action == "unsharp":
        return unsharp(crop)
    return shift(crop)


def mask_centre(crop: Crop) -> Crop:
    """Black out the central 64×64 px: rows and columns from (S - 64) // 2 on.

    Raises:
        ValueError: S is less than 64 px.
    """
    side = crop.shape[0]
    if side < MASK_SIDE:
        raise ValueError(f"expected a crop of {MASK_SIDE} px or more, found {side}")
    start = (side - MASK_SIDE) // 2
    masked = crop.copy()
    masked[start : start + MASK_SIDE, start : start + MASK_SIDE, :] = 0
    return masked


def blur(crop: Crop) -> Crop:
    """Gaussian blur with a standard deviation of 1 px; beyond the border the crop is mirrored."""
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), BLUR_SIGMA), np.uint8)


def unsharp(crop: Crop) -> Crop:
    """Unsharp masking: add once what a Gaussian blur of 1.5 px takes away, rounded and clamped."""
    blurred = cv2.GaussianBlur(crop, (0, 0), UNSHARP_SIGMA).astype(np.float32)
    sharpened = crop + UNSHARP_AMOUNT * (crop - blurred)
    return np.asarray(np.clip(np.rint(sharpened), 0, 255), np.uint8)


def shift(crop: Crop) -> Crop:
    """Move every pixel one column to the right; the first column stays, the last one is lost."""
    return np.concatenate((crop[:, :1], crop[:, :-1]), axis=1)
