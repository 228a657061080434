"""What a person can choose about a round trip, checked once when it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Final, Literal, get_args

from demo.core.attack import check_factor, check_kernel
from demo.core.errors import SettingsError
from demo.core.restoring import check_choice

Scope = Literal["face", "faces", "frame"]
HandBox = tuple[float, float, float, float]
LONGEST_METHOD: Final = 40
SCOPES: Final[tuple[str, ...]] = get_args(Scope)


@dataclass(frozen=True)
class Settings:
    """What is done to a picture. Making one that cannot be carried out raises ``SettingsError``.

    Attributes:
        k: scale factor, one of ``attack.FACTORS``.
        method: who restores, one of ``restoring.methods``. The operator may have added some, so an
            unknown one is refused only when the work begins.
        kernel: how the crop is shrunk, one of ``attack.KERNELS``.
        scope: what goes through the round trip: the chosen ``"face"``, all ``"faces"``, or the
            whole ``"frame"``. A box by hand, or the whole picture as the face, is all the faces
            that there are.
        face: index of the chosen face, from 0 in code; people count from 1, and so do messages,
            the command line and the record.
        box: a face drawn by hand, (x0, y0, x1, y1) in px of the picture, instead of a found one.
        whole: take the whole picture as the face instead of a found one.
    """

    k: float = 2.0
    method: str = "edsr"
    kernel: str = "area"
    scope: str = "face"
    face: int = 0
    box: HandBox | None = None
    whole: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", check_factor(self.k))
        _check_method_name(self.method)
        check_kernel(self.kernel)
        check_choice("scope", self.scope, SCOPES)
        _check_face(self.face)
        if self.box is not None:
            object.__setattr__(self, "box", _checked_box(self.box))
        if not isinstance(self.whole, bool):
            raise SettingsError(
                f"Taking the whole picture must be true or false, but {self.whole!r} came. "
                "Choose one of them."
            )
        if self.whole and self.box is not None:
            raise SettingsError(
                "Either a box or the whole picture was expected, but both came. Choose one of them."
            )


def _check_method_name(method: object) -> None:
    if not isinstance(method, str) or not 0 < len(method) <= LONGEST_METHOD:
        raise SettingsError(
            f"The restoring method must be a name of up to {LONGEST_METHOD} characters, but "
            f"{str(method)[:LONGEST_METHOD]!r} came. Choose edsr, bicubic or lanczos."
        )


def _check_face(face: object) -> None:
    if isinstance(face, bool) or not isinstance(face, int):
        raise SettingsError(
            f"The number of a face must be a whole number, but {face!r} came. "
            "Faces are numbered from 1, the largest first."
        )
    if face < 0:
        raise SettingsError(
            f"The number of a face must be 1 or more, but {face + 1} came. "
            "Faces are numbered from 1, the largest first."
        )


def _checked_box(box: object) -> HandBox:
    if (
        not isinstance(box, Sequence)
        or len(box) != 4
        or not all(isinstance(side, Real) and math.isfinite(side) for side in box)
    ):
        raise SettingsError(
            f"A box of four numbers x0, y0, x1, y1 in pixels was expected, but {box!r} came. "
            "Draw it again."
        )
    x0, y0, x1, y1 = (float(side) for side in box)
    return x0, y0, x1, y1
