"""A stand-in for a GPU's memory: a network refuses batches that are too large, as torch does."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

FULL = "CUDA out of memory."


@contextmanager
def memory_for(
    numbers: int, network: nn.Module, error: Exception | None = None
) -> Iterator[list[tuple[int, ...]]]:
    """As long as this lasts, a network takes batches of so many numbers at most.

    Yields:
        The shapes of the batches that it took.
    """
    taken: list[tuple[int, ...]] = []

    def check(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        (batch,) = inputs
        if batch.numel() > numbers:
            raise error or torch.OutOfMemoryError(FULL)
        taken.append(tuple(batch.shape))

    hook = network.register_forward_pre_hook(check)
    try:
        yield taken
    finally:
        hook.remove()
