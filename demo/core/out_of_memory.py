"""When a GPU's memory is full: the same work in smaller pieces.

What is still too large in the smallest pieces is done on the CPU, see ``carrying_out``. Nothing is
remembered: the next request begins with whole pieces on the GPU again, whoever held its memory
then. Pieces of another size are summed in another order, which may move a last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

# Of smaller ones most would be overlap.
LEAST_TILE_SIDE: Final = 120

# Torch's own allocator has an error of its own; libraries that allocate by themselves do not.
_STATUSES: Final = ("CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(problem: Exception) -> bool:
    """Whether an error says that a GPU's memory is full."""
    if isinstance(problem, torch.OutOfMemoryError):
        return True
    return isinstance(problem, RuntimeError) and any(one in str(problem) for one in _STATUSES)


def in_halves(ask: Callable[[Tensor], list[float]], batch: Tensor) -> list[float]:
    """Ask about a batch; about its halves where the GPU's memory does not hold it, down to one.

    Args:
        ask: a batch → one number for each of its parts.
        batch: N×…, N at least 1.

    Returns:
        N numbers, in order.

    Raises:
        RuntimeError: there is no memory even for one; so ``is_out_of_memory`` says.
    """
    try:
        return ask(batch)
    except RuntimeError as problem:
        if len(batch) == 1 or not is_out_of_memory(problem):
            raise
    # Not before here: while the error is at hand, its trace holds what filled the memory.
    torch.cuda.empty_cache()
    half = len(batch) // 2
    return in_halves(ask, batch[:half]) + in_halves(ask, batch[half:])


def in_smaller_tiles(enlarge: Callable[[int], Tensor], side: int) -> Tensor:
    """Enlarge in tiles; in tiles of half the side where the GPU's memory does not hold one.

    Args:
        enlarge: the longest side of a tile in px → the enlarged picture.
        side: of the tiles to begin with, px.

    Returns:
        What ``enlarge`` returned.

    Raises:
        RuntimeError: there is no memory even for tiles of ``LEAST_TILE_SIDE``; so
            ``is_out_of_memory`` says.
    """
    try:
        return enlarge(side)
    except RuntimeError as problem:
        if side // 2 < LEAST_TILE_SIDE or not is_out_of_memory(problem):
            raise
    torch.cuda.empty_cache()
    return in_smaller_tiles(enlarge, side // 2)
