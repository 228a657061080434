"""The way of batches and networks to the device that computes."""

import copy
from collections.abc import Callable
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=Callable[[Tensor], Tensor])


def to_device(batch: Tensor, device: torch.device) -> Tensor:
    """A batch on a device, with the same numbers and type.

    A GPU fetches it from page-locked memory by itself, while Python goes on to queue the work that
    waits for it. Torch keeps such memory for the next batch, and does not hand it out again before
    the GPU has read it.

    Args:
        batch: Any tensor.
        device: Where it is wanted.

    Returns:
        The batch there; itself where it is there already.
    """
    if device.type == "cuda" and batch.device.type == "cpu":
        return batch.pin_memory().to(device, non_blocking=True)
    return batch.to(device)


def copy_to(network: Network, device: torch.device) -> Network:
    """A copy of a network on another device, made without any memory on its own.

    Args:
        network: A module, or what holds one as ``model``, as spandrel's descriptors do; a plain
            function holds no tensors and is its own copy.
        device: Where the copy is wanted.
    """
    module = network if isinstance(network, nn.Module) else getattr(network, "model", None)
    if not isinstance(module, nn.Module):
        return network
    there: dict[int, object] = {
        id(one): nn.Parameter(one.detach().to(device), one.requires_grad)
        for one in module.parameters()
    }
    there |= {id(one): one.to(device) for one in module.buffers()}
    copied = copy.deepcopy(network, there)
    return cast(Network, copied.to(device))  # type: ignore[attr-defined]
