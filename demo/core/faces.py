"""Picture → faces (box, landmarks, probability); their crops; crops pasted back.

Boxes are (x0, y0, x1, y1) in whole pixels, half-open, inside the picture. Faces are found by
MTCNN (Zhang et al. 2016, arXiv 1604.02878) as facenet-pytorch ships it, with its weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np
import torch

from demo.core.errors import SettingsError
from demo.core.images import Picture
from models.cards import CropPolicy
from models.cropping import Box as Box
from models.cropping import square_crop
from models.slots import Slot

if TYPE_CHECKING:
    from facenet_pytorch import MTCNN

Source = Literal["mtcnn", "hand", "picture"]

MIN_PROBABILITY: Final = 0.9
MIN_FACE_SIDE: Final = 20
MAX_SEARCHED_SIDE: Final = 1024


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        box: where it is; at least `MIN_FACE_SIDE` px a side.
        probability: of being a face, in [0, 1], as MTCNN says; None where nobody measured it.
        landmarks: (x, y) of the left eye, right eye, nose and both corners of the mouth, as seen
            in the picture, in px to a tenth; may lie outside the picture. Empty where unknown.
        source: who says so: the face finder, a person who drew the box, or a person who took the
            whole picture as the face.
    """

    box: Box
    probability: float | None
    landmarks: tuple[tuple[float, float], ...]
    source: Source


class FaceDetector:
    """MTCNN, made once when first asked and shared between threads.

    It always runs on the CPU: a box is rounded to whole pixels, so that a last digit's difference
    on a GPU would attack another crop.
    """

    def __init__(self) -> None:
        self._network: Slot[MTCNN] = Slot(_mtcnn)

    def find(self, picture: Picture) -> tuple[Face, ...]:
        """Find the faces of a picture.

        The search runs on a copy of at most `MAX_SEARCHED_SIDE` px a side. Boxes grow to whole
        pixels and are clipped to the picture; those under `MIN_FACE_SIDE` px a side, or with a
        probability under `MIN_PROBABILITY`, are left out.

        Args:
            picture: uint8 RGB, H×W×3, of any size.

        Returns:
            Largest box first, then from top to bottom and left to right; empty when there is none.
        """
        height, width = picture.shape[:2]
        copy = _searched_copy(picture)
        if min(copy.shape[:2]) < MIN_FACE_SIDE:
            return ()
        boxes, probabilities, landmarks = self._network.get().detect(copy, landmarks=True)
        if boxes is None:
            return ()
        scale = np.array([width / copy.shape[1], height / copy.shape[0]])
        faces = (
            Face(
                box=_whole_pixels(box.astype(float) * np.tile(scale, 2), width, height),
                probability=float(probability),
                landmarks=_points(points.astype(float) * scale),
                source="mtcnn",
            )
            for box, probability, points in zip(boxes, probabilities, landmarks, strict=True)
            if probability >= MIN_PROBABILITY
        )
        return tuple(sorted((face for face in faces if _large_enough(face.box)), key=_order))


def box_from_hand(picture: Picture, box: Sequence[float]) -> Face:
    """Make a face of a box that a person drew.

    Args:
        picture: uint8 RGB, H×W×3.
        box: x0, y0, x1, y1 in px; corners in any order; what sticks out is clipped.

    Raises:
        SettingsError: it is not four finite numbers, or less than `MIN_FACE_SIDE` px a side of it
            lies in the picture.
    """
    # Compared and not asked with isfinite, which fails for whole numbers too large for a float.
    if len(box) != 4 or not all(isinstance(x, Real) and -math.inf < x < math.inf for x in box):
        raise SettingsError(
            "A box of four finite numbers x0, y0, x1, y1 in pixels was expected, but something "
            "else came. Draw it again."
        )
    height, width = picture.shape[:2]
    left, right = sorted(min(max(round(x), 0), width) for x in box[0::2])
    top, bottom = sorted(min(max(round(y), 0), height) for y in box[1::2])
    clipped = left, top, right, bottom
    if not _large_enough(clipped):
        raise SettingsError(
            f"A box of at least {MIN_FACE_SIDE} pixels a side was expected inside the picture of "
            f"{width}×{height} pixels, but {right - left}×{bottom - top} of it lie there. "
            "Draw a larger one."
        )
    return Face(box=clipped, probability=None, landmarks=(), source="hand")


def whole_picture(picture: Picture) -> Face:
    """Take a whole picture, uint8 RGB H×W×3, as the face."""
    height, width = picture.shape[:2]
    return Face(box=(0, 0, width, height), probability=None, landmarks=(), source="picture")


def crop_box(face: Face, policy: CropPolicy, size: tuple[int, int]) -> Box:
    """Return where a detector wants a face cut out.

    Args:
        face: of the picture.
        policy: the detector's.
        size: height and width of the picture in px.

    Returns:
        For a found face the square of `models.cropping.square_crop`; for a box drawn by hand or a
        whole picture that box itself, for a person said what is meant.
    """
    return square_crop(face.box, policy, size) if face.source == "mtcnn" else face.box


def cut(picture: Picture, box: Box) -> Picture:
    """Return a copy of what lies in a box: uint8 RGB, h×w×3.

    Args:
        picture: uint8 RGB, H×W×3.
        box: inside the picture.

    Raises:
        SettingsError: the box is not inside the picture, or is empty.
    """
    _check_inside(picture, box)
    x0, y0, x1, y1 = box
    return picture[y0:y1, x0:x1].copy()


def paste(picture: Picture, crop: Picture, box: Box) -> Picture:
    """Return a new picture with a crop in a box; every pixel outside it is bit-identical.

    Args:
        picture: uint8 RGB, H×W×3; left as it is.
        crop: uint8 RGB, of the box's size.
        box: inside the picture.

    Raises:
        SettingsError: the box is not inside the picture or is empty, or the crop is not an 8-bit
            RGB picture of its size.
    """
    _check_inside(picture, box)
    x0, y0, x1, y1 = box
    if crop.shape != (y1 - y0, x1 - x0, 3) or crop.dtype != np.uint8:
        raise SettingsError(
            f"An 8-bit RGB crop of the box's {x1 - x0}×{y1 - y0} pixels was expected, but "
            f"{crop.dtype} of shape {crop.shape} came. Paste a crop where it was cut."
        )
    pasted = picture.copy()
    pasted[y0:y1, x0:x1] = crop
    return pasted


def _mtcnn() -> MTCNN:
    # Only here: torchvision comes with it, whose import takes as long as that of torch.
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, device=torch.device("cpu")).eval()


def _searched_copy(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    ratio = MAX_SEARCHED_SIDE / max(height, width)
    if ratio >= 1:
        return picture
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _whole_pixels(box: Sequence[float], width: int, height: int) -> Box:
    return (
        min(max(math.floor(box[0]), 0), width),
        min(max(math.floor(box[1]), 0), height),
        min(max(math.ceil(box[2]), 0), width),
        min(max(math.ceil(box[3]), 0), height),
    )


def _points(landmarks: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 1), round(float(y), 1)) for x, y in landmarks)


def _large_enough(box: Box) -> bool:
    x0, y0, x1, y1 = box
    return min(x1 - x0, y1 - y0) >= MIN_FACE_SIDE


def _order(face: Face) -> tuple[int, ...]:
    x0, y0, x1, y1 = face.box
    return -(x1 - x0) * (y1 - y0), y0, x0, y1, x1


def _check_inside(picture: Picture, box: Box) -> None:
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
        raise SettingsError(
            f"A box inside the picture of {width}×{height} pixels was expected, but "
            f"({x0}, {y0}, {x1}, {y1}) came. Choose one inside it."
        )
