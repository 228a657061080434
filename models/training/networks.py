"""The detectors as they are trained: skeleton first, whole later, one logit a cell."""

import typing
from collections.abc import Callable, Mapping

import timm
import torch
from torch import nn
from torch.nn import functional as F

from models.cards import Architecture

ARCHITECTURES: tuple[Architecture, ...] = typing.get_args(Architecture)
Statistics = tuple[float, float, float]
LAST_WEIGHTS: Mapping[str, tuple[str, ...]] = {
    "resnet50": ("bn3.weight",),
    "legacy_xception": ("rep.8.weight",),
    "swin_small_patch4_window7_224": (
        "attn.proj.weight",
        "attn.proj.bias",
        "mlp.fc2.weight",
        "mlp.fc2.bias",
    ),
}

FIRST_FILTERS: Mapping[str, str] = {
    "resnet50": "conv1",
    "legacy_xception": "conv1",
    "swin_small_patch4_window7_224": "patch_embed.proj",
}
EARLIER_STAGES: Mapping[str, Mapping[str, int]] = {
    "resnet50": {"layer2": 512, "layer3": 1024},
    "legacy_xception": {"block2": 256, "block3": 728},
    "swin_small_patch4_window7_224": {"layers.1": 192, "layers.2": 384},
}


def input_statistics(architecture: Architecture) -> tuple[Statistics, Statistics]:
    """Mean and standard deviation of each channel, as timm's own configuration has them."""
    config = timm.get_pretrained_cfg(architecture)
    if config is None:
        raise ValueError(f"Expected an architecture that timm knows; {architecture!r} came.")
    return config.mean, config.std


def optional_blocks(architecture: Architecture) -> tuple[str, ...]:
    """Names of the residual blocks that keep size and width, and so can join later."""
    if architecture == "resnet50":
        depths = {"layer1": 3, "layer2": 4, "layer3": 6, "layer4": 3}
        return tuple(f"{layer}.{i}" for layer, depth in depths.items() for i in range(1, depth))
    if architecture == "legacy_xception":
        return tuple(f"block{i}" for i in range(4, 12))
    return tuple(f"layers.2.blocks.{i}" for i in range(2, 18))


def build_network(architecture: Architecture, skeleton: bool, side: int) -> nn.Module:
    """A network with one logit and random weights, its optional blocks silent or left out.

    A silent block has zero as its last weights, so that it passes its input on unchanged: the
    whole network then computes what its skeleton does.

    Args:
        architecture: timm name.
        skeleton: Leave the optional blocks out.
        side: Side of the input, px; only Swin has to know it.

    Returns:
        The network on the CPU.
    """
    if architecture == "swin_small_patch4_window7_224":
        network: nn.Module = timm.create_model(architecture, num_classes=1, img_size=side)
    else:
        network = timm.create_model(architecture, num_classes=1)
    _sharpen(network.get_submodule(FIRST_FILTERS[architecture]).get_parameter("weight"))
    for name in optional_blocks(architecture):
        parent, _, child = name.rpartition(".")
        with torch.no_grad():
            for key in LAST_WEIGHTS[architecture]:
                network.get_submodule(name).get_parameter(key).zero_()
        if skeleton:
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network


@torch.no_grad()
def _sharpen(filters: torch.Tensor) -> None:
    """Make every second filter of the first layer a high-pass filter of the same strength.

    Source: the idea of Bayar and Stamm, "A Deep Learning Approach to Universal Image Manipulation
    Detection", IH&MMSec 2016, section 3, as a start only: the filters are free to move.
    """
    half = filters[::2]
    laplacian = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
    sharp = F.conv2d(half.flatten(0, 1)[:, None], laplacian[None, None], padding=1)
    sharp = sharp.view_as(half) - sharp.view_as(half).mean(dim=(2, 3), keepdim=True)
    filters[::2] = sharp * (half.std() / sharp.std())


class StageHeads(nn.Module):
    """Linear heads on two earlier stages of a network; they help it to learn and do not ship.

    Source: Lee et al., "Deeply-Supervised Nets", AISTATS 2015.
    """

    def __init__(self, network: nn.Module, architecture: Architecture) -> None:
        """Listen to the stages of this very network."""
        super().__init__()
        stages = EARLIER_STAGES[architecture]
        self.heads = nn.ModuleList(nn.Linear(width, 1) for width in stages.values())
        self._seen: dict[str, torch.Tensor] = {}
        for name in stages:
            network.get_submodule(name).register_forward_hook(self._keep(name))

    def forward(self) -> list[torch.Tensor]:
        """The logits of each cell of each stage, N×h×w, of the network's latest pass."""
        logits = []
        for head, features in zip(self.heads, self._seen.values(), strict=True):
            if features.shape[-1] != head.in_features:
                features = features.permute(0, 2, 3, 1)
            logits.append(head(features)[..., 0])
        return logits

    def _keep(self, name: str) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def keep(_module: nn.Module, _inputs: object, features: torch.Tensor) -> None:
            self._seen[name] = features

        return keep


def begin(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Take over every weight of an earlier stage; blocks that it lacks stay as they are."""
    own = network.state_dict()
    kept = {
        key: weights[key]
        for key, tensor in own.items()
        if key in weights and weights[key].shape == tensor.shape
    }
    network.load_state_dict(own | kept)


def cell_logits(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Fake logit of each cell of the last feature map; their mean is the crop's logit.

    The last layer is linear and follows an average over the cells, so the two may be swapped.

    Args:
        network: From `build_network`.
        batch: N×3×H×W, float32, normalised.

    Returns:
        N×h×w.
    """
    features = network.forward_features(batch)  # type: ignore[operator]
    last = network.get_classifier()  # type: ignore[operator]
    if features.shape[-1] != last.in_features:
        features = features.permute(0, 2, 3, 1)
    logits: torch.Tensor = F.linear(features, last.weight, last.bias)[..., 0]
    return logits
