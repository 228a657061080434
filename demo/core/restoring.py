"""Who restores a shrunken crop: EDSR, a control, or a super-resolution network of the operator's.

EDSR has a network for each whole factor, and takes the next one from K up. The controls enlarge by
any. A network of the operator's has one factor of its own, and can undo any K up to it.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from demo.core.errors import SettingsError
from demo.core.images import Picture
from demo.core.out_of_memory import in_smaller_tiles
from models.foreign_super_resolution import enlarge_foreign
from models.super_resolution import TILE_SIDE, enlarge
from models.transfer import to_device
from models.zoo import Zoo

Method = Literal["edsr", "bicubic", "lanczos"]
FloatPicture = npt.NDArray[np.float32]

METHODS: Final[tuple[str, ...]] = get_args(Method)
SCALES: Final = (2, 3, 4)

_RESAMPLERS: Final = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def methods(zoo: Zoo) -> tuple[str, ...]:
    """Return every restoring method: ``METHODS``, then the operator's own networks by name."""
    return (*METHODS, *zoo.restorer_names)


def restoring_scale(k: float, method: str, zoo: Zoo) -> int:
    """Return the whole factor, at least K, by which a method restores a crop shrunk by 1/K.

    Raises:
        SettingsError: the method is unknown, or K is more than its one factor.
    """
    if method not in zoo.restorer_names:
        check_choice("restoring method", method, methods(zoo))
        return math.ceil(k)
    scale = zoo.restorer(method).card.scale
    if scale < k:
        raise SettingsError(
            f"The restoring method {method} enlarges {scale} times, so K must be {scale} or less, "
            f"but {k:g} came. Choose a smaller K or another method."
        )
    return scale


def restorable(factors: tuple[float, ...], method: str, zoo: Zoo) -> tuple[float, ...]:
    """Return those of the factors K that a method can undo."""
    if method not in zoo.restorer_names:
        return factors
    return tuple(k for k in factors if k <= zoo.restorer(method).card.scale)


def scales(method: str, zoo: Zoo) -> tuple[int, ...]:
    """Return the whole factors by which a method can enlarge a picture.

    Raises:
        SettingsError: the method is unknown.
    """
    check_choice("restoring method", method, methods(zoo))
    return (zoo.restorer(method).card.scale,) if method in zoo.restorer_names else SCALES


def restoring_weights(method: str, scale: int, zoo: Zoo) -> tuple[str, str] | None:
    """Return name and sha256 of the weights that a method restores with; None for the controls.

    Raises:
        WeightsError: EDSR's weights were refused.
    """
    if method in zoo.restorer_names:
        return method, zoo.restorer(method).card.sha256
    if method != "edsr":
        return None
    card, _ = zoo.super_resolution(scale)
    return card.name, card.weights.sha256


@torch.inference_mode()
def restore(small: Picture, scale: int, method: str, zoo: Zoo) -> FloatPicture:
    """Enlarge an 8-bit picture by a whole factor, without rounding.

    Args:
        small: uint8 RGB, h×w×3.
        scale: one of ``scales``.
        method: one of ``methods``.
        zoo: the loaded networks; asked only where the method is one of them.

    Returns:
        float32 RGB, (scale·h)×(scale·w)×3, clamped to [0, 1].

    Raises:
        WeightsError: the network's weights were refused, or its output is not finite.
    """
    if method in _RESAMPLERS:
        return _resample(small, scale, method)
    pixels = to_device(torch.from_numpy(np.ascontiguousarray(small)), zoo.device)
    batch = pixels.permute(2, 0, 1).unsqueeze(0).to(torch.float32) / 255
    if method in zoo.restorer_names:
        enlarged = enlarge_foreign(zoo.restorer(method), batch)
    else:
        network = zoo.super_resolution(scale).network
        enlarged = in_smaller_tiles(partial(enlarge, network, batch, scale), TILE_SIDE)
    restored = enlarged[0].permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(restored, dtype=np.float32)


def check_choice(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse a value that is not one of the allowed words.

    Args:
        what: what the value is for, as a person would call it.
        value: what came.
        allowed: the words that may come.

    Raises:
        SettingsError: the sentence names the allowed ones.
    """
    if not isinstance(value, str) or value not in allowed:
        raise SettingsError(
            f"The {what} must be one of {', '.join(allowed)}, but {value!r} came. "
            "Choose one of them."
        )


def _resample(small: Picture, scale: int, method: str) -> FloatPicture:
    size = (small.shape[1] * scale, small.shape[0] * scale)
    channels = [
        Image.fromarray(small[:, :, channel].astype(np.float32)).resize(size, _RESAMPLERS[method])
        for channel in range(3)
    ]
    levels = np.stack([np.asarray(channel) for channel in channels], axis=2, dtype=np.float32)
    restored: FloatPicture = np.clip(levels / 255, 0, 1, dtype=np.float32)
    return restored
