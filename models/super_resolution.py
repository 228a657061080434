"""EDSR-baseline: how it is built, and how a picture of any size goes through it."""

from __future__ import annotations

from itertools import count, pairwise
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from models.errors import WeightsError
from models.precision import type_of

if TYPE_CHECKING:
    from super_image import EdsrModel

BLOCKS = 16
CHANNELS = 64
TILE_SIDE = 336
TILE_OVERLAP = 40
STRIP_PIXELS = 720 * 720
STRIP_OVERLAP = 4


def build_edsr(scale: int) -> EdsrModel:
    """EDSR-baseline with random weights, in evaluation mode.

    Args:
        scale: factor of enlargement: 2, 3 or 4.

    Returns:
        The network: float32 N×3×h×w RGB in [0, 1] to N×3×sh×sw, not clamped.

    Raises:
        WeightsError: another scale.

    Source: Lim et al. 2017, arXiv 1707.02921, the baseline with 16 blocks and 64 channels.
    """
    if scale not in (2, 3, 4):
        raise WeightsError(
            f"EDSR is there for scale 2, 3 or 4, not for {scale!r}: choose one of these."
        )
    # Only here: its import brings huggingface_hub's and tqdm's, and the page answers meanwhile.
    from super_image import EdsrConfig, EdsrModel

    config = EdsrConfig(scale=scale, n_resblocks=BLOCKS, n_feats=CHANNELS)
    return cast(EdsrModel, EdsrModel(config).eval())


class UnscaledBlock(nn.Module):
    """A residual block that adds its result to its input, as it is: the same weights and names."""

    def __init__(self, body: nn.Module) -> None:
        """Take over the convolutions of a block."""
        super().__init__()
        self.body = body

    def forward(self, features: Tensor) -> Tensor:
        """The features after the block."""
        result: Tensor = self.body(features)
        return result.add_(features)


class TailInStrips(nn.Sequential):
    """The end of an EDSR network, which enlarges: the same weights and names, less memory.

    It has four times the numbers of all before it, or more. Where its result has more than
    `STRIP_PIXELS`, it makes that in strips of whole rows. No pixel depends on features farther away
    than three rows, so the result is the same but for rounding.
    """

    def __init__(self, tail: nn.Sequential, scale: int) -> None:
        """Take over the layers of a network's tail, and its factor."""
        super().__init__(*tail)
        self.scale = scale

    def forward(self, features: Tensor) -> Tensor:
        """The picture, N×3×sh×sw, of features N×64×h×w."""
        height, width = features.shape[2:]
        strips = -(-height * width * self.scale**2 // STRIP_PIXELS)
        rows = -(-height // strips)
        if rows == height:
            return self._whole(features)
        made = []
        for start in range(0, height, rows):
            top, end = max(0, start - STRIP_OVERLAP), min(height, start + rows)
            strip = self._whole(features[:, :, top : end + STRIP_OVERLAP])
            made.append(strip[:, :, (start - top) * self.scale : (end - top) * self.scale])
        return torch.cat(made, 2)

    def _whole(self, features: Tensor) -> Tensor:
        for layer in self:
            features = layer(features)
        return features


def enlarge_in_strips(network: EdsrModel) -> None:
    """Have an EDSR network, as from `build_edsr`, make large results in strips; in place."""
    strips = TailInStrips(network.tail, network.config.scale)
    network.tail = strips.train(network.training)


def leave_out_scaling(network: EdsrModel) -> None:
    """Have the blocks of an EDSR network not multiply their results by 1.

    Only larger networks scale them. It costs a twentieth of a picture's time, and leaving it out
    changes no digit.

    Args:
        network: As from `build_edsr`; changed in place.
    """
    for index, block in enumerate(network.body):
        if getattr(block, "res_scale", None) == 1:
            network.body[index] = UnscaledBlock(block.body).train(block.training)


def enlarge(network: EdsrModel, batch: Tensor, scale: int, tile_side: int = TILE_SIDE) -> Tensor:
    """Enlarge pictures, in tiles where a side is longer than one.

    What is seen at once decides the memory, and the tiles' overlap costs time: so a tile is at most
    `tile_side` with 40 px of its neighbours, and what is no larger goes through whole. What lies
    farther away than 36 px cannot reach a pixel's result, so tiled and untiled results are equal
    but for rounding.

    Args:
        network: as from `build_edsr`.
        batch: float32 N×3×h×w RGB in [0, 1], on the network's device.
        scale: the network's factor.
        tile_side: longest side of a tile in px with its overlap, more than 80.

    Returns:
        float32 N×3×sh×sw in [0, 1], clamped.

    Raises:
        ValueError: another shape, dtype or range, or a scale that is not the network's.
        WeightsError: the network gives something that is not a finite number.
    """
    _check(network, batch, scale)
    height, width = batch.shape[2:]
    if max(height, width) <= tile_side:
        return _run(network, batch)
    result = batch.new_empty(len(batch), 3, height * scale, width * scale)
    for y0, y1 in _spans(height, tile_side):
        for x0, x1 in _spans(width, tile_side):
            top, left = max(0, y0 - TILE_OVERLAP), max(0, x0 - TILE_OVERLAP)
            seen = batch[:, :, top : y1 + TILE_OVERLAP, left : x1 + TILE_OVERLAP]
            y, x = (y0 - top) * scale, (x0 - left) * scale
            rows, columns = (y1 - y0) * scale, (x1 - x0) * scale
            result[:, :, y0 * scale : y1 * scale, x0 * scale : x1 * scale] = _run(network, seen)[
                :, :, y : y + rows, x : x + columns
            ]
    return result


def _spans(length: int, longest: int) -> list[tuple[int, int]]:
    """Cut a side into the fewest, nearly equal parts, at most `longest` with their overlap."""
    parts = next(n for n in count(1) if -(-length // n) + min(n - 1, 2) * TILE_OVERLAP <= longest)
    edges = [length * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


def _run(network: EdsrModel, batch: Tensor) -> Tensor:
    result = network(batch.to(type_of(network))).float()
    if not torch.isfinite(result).all():
        raise WeightsError(
            "EDSR's result should be finite numbers, and some are not: its weights are damaged, "
            "fetch them again."
        )
    return cast(Tensor, result.clamp(0, 1))


def _check(network: EdsrModel, batch: Tensor, scale: int) -> None:
    if batch.ndim != 4 or batch.shape[1] != 3 or 0 in batch.shape:
        raise ValueError(f"expected a batch N×3×h×w, got {'×'.join(map(str, batch.shape))}")
    if batch.dtype != torch.float32:
        raise ValueError(f"expected float32, got {batch.dtype}")
    low, high = batch.aminmax()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"expected values in [0, 1], got {low.item():g} to {high.item():g}")
    if scale != network.config.scale:
        raise ValueError(f"expected the network's scale {network.config.scale}, got {scale}")
