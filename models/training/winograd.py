"""A faster 3×3 convolution for training on a CPU: Winograd's F(4×4, 3×3).

Each 4×4 tile of output takes 36 multiplications a channel pair instead of 144. The result is that
of ``torch.nn.functional.conv2d`` but for rounding. Source: Lavin and Gray, "Fast Algorithms for
Convolutional Neural Networks" (arXiv 1509.09308), section 4.3.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, cast

import torch
import torch.nn.functional as F
from super_image import EdsrModel
from torch import Tensor, nn

TILE = 4

_PICTURE = ((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0),
            (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0), (0, 4, 0, -5, 0, 1))  # fmt: skip
_FILTER = ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6),
           (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1))  # fmt: skip
_RESULT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0),
           (0, 1, -1, 8, -8, 1))  # fmt: skip


def _combine(parts: Sequence[Tensor], matrix: Sequence[Sequence[float]], dim: int) -> Tensor:
    """Multiply a constant matrix with a list of equal tensors, and stack the rows at ``dim``."""
    rows = []
    for coefficients in matrix:
        terms = [c * part for c, part in zip(coefficients, parts, strict=True) if c]
        rows.append(sum(terms[1:], start=terms[0]))
    return torch.stack(rows, dim)


def _transform_picture(x: Tensor) -> Tensor:
    """Overlapping 6×6 tiles of N×H×W×C, transformed: 36 × tiles × C."""
    height, width, channels = x.shape[1:]
    padded = F.pad(x, (0, 0, 1, 1, 1, 1))
    rows = _combine([padded[:, i : i + height - 3 : TILE] for i in range(6)], _PICTURE, 0)
    both = _combine([rows[:, :, :, i : i + width - 3 : TILE] for i in range(6)], _PICTURE, 1)
    return both.reshape(36, -1, channels)


def _filter_matrix(like: Tensor) -> Tensor:
    """The filter's transform as one matrix, 36 × 9."""
    matrix = like.new_tensor(_FILTER)
    return torch.kron(matrix, matrix)


def _transform_filter(weight: Tensor) -> Tensor:
    """Filters O×C×3×3, transformed: 36 × C × O."""
    outputs, channels = weight.shape[:2]
    flat = weight.permute(2, 3, 1, 0).reshape(9, -1)
    return (_filter_matrix(weight) @ flat).view(36, channels, outputs)


def _filter_gradient(products: Tensor) -> Tensor:
    """The transpose of `_transform_filter`: 36 × C × O to O×C×3×3."""
    flat = _filter_matrix(products).T @ products.flatten(1)
    return flat.view(3, 3, *products.shape[1:]).permute(3, 2, 0, 1).contiguous()


def _restore_result(products: Tensor, like: Tensor) -> Tensor:
    """Products 36 × tiles × O back to N×H×W×O, with N, H, W of ``like``."""
    n, height, width = like.shape[:3]
    channels = products.shape[2]
    tiles = products.view(6, 6, n, height // TILE, width // TILE, channels)
    rows = _combine(tiles.unbind(0), _RESULT, 0)
    both = _combine(rows.unbind(1), _RESULT, 1)
    return both.permute(2, 3, 0, 4, 1, 5).reshape(n, height, width, channels)


def _transform_gradient(gradient: Tensor) -> Tensor:
    """The transpose of `_restore_result`: N×H×W×O to 36 × tiles × O."""
    n, height, width, channels = gradient.shape
    transposed = tuple(zip(*_RESULT, strict=True))
    tiles = gradient.view(n, height // TILE, TILE, width // TILE, TILE, channels)
    rows = _combine(tiles.unbind(2), transposed, 0)
    both = _combine(rows.unbind(4), transposed, 1)
    return both.reshape(36, -1, channels)


@cache
def _compiled(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return torch.compile(function, dynamic=False)


def _apply(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    tiles = _compiled(_transform_picture)(x)
    products = torch.bmm(tiles, _transform_filter(weight))
    return _compiled(_restore_result)(products, x), tiles


class _Convolution(torch.autograd.Function):
    """3×3 convolution of N×H×W×C with zero padding; H and W are multiples of 4."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        result, tiles = _apply(x, weight)
        ctx.save_for_backward(tiles, weight)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        tiles, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        to_x, _ = _apply(gradient, weight.flip(2, 3).transpose(0, 1))
        products = torch.bmm(tiles.transpose(1, 2), _compiled(_transform_gradient)(gradient))
        return to_x, _filter_gradient(products)


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """3×3 convolution with zero padding 1, differentiable in all arguments.

    Args:
        x: float32 N×H×W×C, H and W multiples of 4.
        weight: float32 O×C×3×3.
        bias: float32 O.

    Returns:
        float32 N×H×W×O.
    """
    return cast(Tensor, _Convolution.apply(x, weight)) + bias


def forward(network: EdsrModel, batch: Tensor, depth: int) -> Tensor:
    """The network's own forward pass, its wide convolutions through `convolve`.

    Args:
        network: the EDSR; its parameters receive gradients as usual.
        batch: float32 N×3×h×w in [0, 1], h and w multiples of 4.
        depth: how many residual blocks take part.

    Returns:
        float32 N×3×sh×sw, unclamped; with all blocks as ``network(batch)`` but for rounding.
    """
    head = network.head(batch.contiguous(memory_format=torch.channels_last))
    first = head.permute(0, 2, 3, 1).contiguous()
    x = first
    for layer in network.body[:depth]:
        one, two = layer.body[0], layer.body[2]
        inner = convolve(x, one.weight, one.bias).relu_()
        x = convolve(inner, two.weight, two.bias).add_(x)
    last = network.body[-1]
    x = convolve(x, last.weight, last.bias) + first
    for layer in network.tail[0]:
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            x = convolve(x, layer.weight, layer.bias)
        else:
            x = layer(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).contiguous()
    return cast(Tensor, network.tail[1](x.permute(0, 3, 1, 2)))
