"""Residual blocks that add nothing: trained later, and left out until then.

Some blocks of a residual network keep size and width. With zero as its last weights such a block
passes its input on unchanged, so that a network may be trained without them first, store them
silent, and be asked without them at half the cost: the answers are the very same.
"""

from collections.abc import Mapping
from typing import Final

from torch import Tensor, nn

from models.cards import KnownArchitecture

LAST_WEIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "resnet50": ("bn3.weight", "bn3.bias"),
    "legacy_xception": ("rep.8.weight", "rep.8.bias"),
    "swin_small_patch4_window7_224": (
        "attn.proj.weight",
        "attn.proj.bias",
        "mlp.fc2.weight",
        "mlp.fc2.bias",
    ),
}


def optional_blocks(architecture: KnownArchitecture) -> tuple[str, ...]:
    """Names of the blocks that keep size and width; none for an architecture of others."""
    if architecture == "resnet50":
        depths = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}
        return tuple(f"{layer}.{i}" for layer, depth in depths.items() for i in range(1, depth))
    if architecture == "legacy_xception":
        return tuple(f"block{i}" for i in range(4, 12))
    if architecture == "swin_small_patch4_window7_224":
        return tuple(f"layers.2.blocks.{i}" for i in range(2, 18))
    return ()


def is_silent(weights: Mapping[str, Tensor], architecture: KnownArchitecture, block: str) -> bool:
    """Whether an optional block is missing from the weights, or adds nothing to its input."""
    last = (weights.get(f"{block}.{key}") for key in LAST_WEIGHTS[architecture])
    return not any(tensor is not None and bool(tensor.any()) for tensor in last)


def leave_out_silent_blocks(network: nn.Module, architecture: KnownArchitecture) -> None:
    """Take the silent blocks out of a network, in place; what it answers stays the same."""
    weights = network.state_dict()
    for block in optional_blocks(architecture):
        if is_silent(weights, architecture, block):
            parent, _, child = block.rpartition(".")
            setattr(network.get_submodule(parent), child, nn.Identity().train(network.training))
