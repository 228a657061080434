"""Other people's super-resolution networks, recognised and built by the library spandrel."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor

from models.errors import WeightsError
from models.foreign_files import named_file, read_foreign_file, refusal, some_keys

SCALES = (2, 3, 4, 8)
TILE_SIDE = 256
TILE_OVERLAP = 32


@dataclass(frozen=True)
class ForeignSuperResolutionCard:
    """What is known about somebody else's super-resolution network.

    Attributes:
        name: The name used in code and commands; also the name of the restoring method.
        title: The name shown to people.
        architecture: As spandrel calls it, such as "ESRGAN".
        scale: The factor of enlargement.
        sha256: Of the file, 64 lower-case hexadecimal digits.
        bytes: The file's size.
        tiled: Whether a long side is cut into tiles. A seam may then differ a little from the
            same place in an uncut picture, as the network's view can be wider than the overlap.
    """

    name: str
    title: str
    architecture: str
    scale: int
    sha256: str
    bytes: int
    tiled: bool


@dataclass(frozen=True)
class ForeignSuperResolution:
    """A network ready to be used, from several threads too.

    Attributes:
        card: What is known about it.
        network: Maps float32 1×3×h×w RGB in [0, 1] to 1×3×sh×sw in [0, 1], on its device.
    """

    card: ForeignSuperResolutionCard
    network: Callable[[Tensor], Tensor]


def read_foreign_super_resolutions(
    files: Sequence[str], device: torch.device
) -> tuple[ForeignSuperResolution, ...]:
    """Read every `FILE` or `NAME=FILE`, for `Zoo(restorers=…)`; errors as for one of them."""
    named = [named_file(file) for file in files]
    return tuple(read_foreign_super_resolution(path, name, device) for name, path in named)


def read_foreign_super_resolution(
    path: Path, name: str, device: torch.device, title: str | None = None
) -> ForeignSuperResolution:
    """Read a super-resolution network that someone else trained.

    Args:
        path: safetensors, or a pickle of tensors; see `models.foreign_files`.
        name: The name used in code and commands.
        device: Where the network is to live.
        title: The name shown to people; None takes `name`.

    Returns:
        The network in float32, in evaluation mode, needing no gradients.

    Raises:
        WeightsError: The file is not a checkpoint, spandrel knows no such network, or the network
            does something else than enlarge RGB pictures.
    """
    # Only here, so that nobody without such a file waits for forty architectures.
    from spandrel import MAIN_REGISTRY, ImageModelDescriptor, ModelTiling

    file = read_foreign_file(path, name)
    try:
        found = MAIN_REGISTRY.load(dict(file.tensors))
    except Exception:  # spandrel builds from what the file says, and any error may come of that
        raise refusal(
            name,
            "the keys of a super-resolution network that spandrel knows, such as conv_first.weight "
            "with body.0.rdb1.conv1.weight (ESRGAN) or body.0.weight (Real-ESRGAN compact)",
            some_keys(file.tensors),
        ) from None
    kind = found.architecture.name
    if not isinstance(found, ImageModelDescriptor) or found.purpose != "SR":
        raise refusal(name, "a super-resolution network", f"{kind}, made for another purpose")
    if (found.input_channels, found.output_channels) != (3, 3):
        raise refusal(
            name,
            f"3 channels (RGB) in and out of {kind}",
            f"{found.input_channels} in and {found.output_channels} out",
        )
    if found.scale not in SCALES:
        raise refusal(name, f"a scale of {', '.join(map(str, SCALES))}", f"{found.scale}")
    found.model.requires_grad_(False)
    card = ForeignSuperResolutionCard(
        name=name,
        title=title or name,
        architecture=kind,
        scale=found.scale,
        sha256=file.sha256,
        bytes=file.bytes,
        tiled=found.tiling is ModelTiling.SUPPORTED,
    )
    return ForeignSuperResolution(card, found.float().to(device).eval())


def enlarge_foreign(loaded: ForeignSuperResolution, batch: Tensor) -> Tensor:
    """Enlarge pictures, in tiles where a side is longer than 256 px and the network allows it.

    A tile is seen with 32 px around it. Sizes that the network cannot take are padded by
    reflection, and the padding is cut off again.

    Args:
        loaded: As read.
        batch: float32 N×3×h×w RGB in [0, 1], on the network's device.

    Returns:
        float32 N×3×sh×sw in [0, 1], clamped, s = `loaded.card.scale`.

    Raises:
        ValueError: Another shape or dtype.
        WeightsError: The network gives another size, or something that is not a finite number.
    """
    if batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape or batch.dtype != torch.float32:
        raise ValueError(f"expected float32 N×3×h×w, got {batch.dtype} {tuple(batch.shape)}")
    return torch.cat([_enlarge_one(loaded, picture[None]) for picture in batch])


def _enlarge_one(loaded: ForeignSuperResolution, picture: Tensor) -> Tensor:
    scale, (height, width) = loaded.card.scale, picture.shape[2:]
    if not loaded.card.tiled or max(height, width) <= TILE_SIDE:
        return _run(loaded, picture)
    result = picture.new_empty(1, 3, height * scale, width * scale)
    for y0, y1 in _spans(height):
        for x0, x1 in _spans(width):
            top, left = max(0, y0 - TILE_OVERLAP), max(0, x0 - TILE_OVERLAP)
            seen = picture[:, :, top : y1 + TILE_OVERLAP, left : x1 + TILE_OVERLAP]
            y, x = (y0 - top) * scale, (x0 - left) * scale
            rows, columns = (y1 - y0) * scale, (x1 - x0) * scale
            tile = _run(loaded, seen)[:, :, y : y + rows, x : x + columns]
            result[:, :, y0 * scale : y1 * scale, x0 * scale : x1 * scale] = tile
    return result


def _spans(length: int) -> list[tuple[int, int]]:
    """Cut a side into the fewest, nearly equal parts of at most `TILE_SIDE`."""
    parts = -(-length // TILE_SIDE)
    return list(pairwise(length * part // parts for part in range(parts + 1)))


def _run(loaded: ForeignSuperResolution, picture: Tensor) -> Tensor:
    card = loaded.card
    result = loaded.network(picture)
    expected = (1, 3, picture.shape[2] * card.scale, picture.shape[3] * card.scale)
    if tuple(result.shape) != expected or not bool(torch.isfinite(result).all()):
        raise WeightsError(
            f"The result of {card.title} is refused: expected finite numbers, {card.scale} times "
            "the picture's size, and something else came; give another file, or leave it out."
        )
    return result.clamp(0, 1)
