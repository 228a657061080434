"""The detectors as they are trained: skeleton first, whole later, one logit a cell."""

import typing
from collections.abc import Callable, Mapping

import timm
import torch
from torch import nn
from torch.nn import functional as F

from models.cards import Architecture
from models.silent_blocks import LAST_WEIGHTS, optional_blocks

ARCHITECTURES: tuple[Architecture, ...] = typing.get_args(Architecture)
Statistics = tuple[float, float, float]
FIRST_FILTERS: Mapping[str, str] = {
    "resnet50": "conv1",
    "legacy_xception": "conv1",
    "swin_small_patch4_window7_224": "patch_embed.proj",
}
STAGES: Mapping[str, Mapping[str, int]] = {
    "resnet50": {"layer2": 512, "layer3": 1024, "layer4": 2048},
    "legacy_xception": {"block2": 256, "block3": 728, "act4": 2048},
    "swin_small_patch4_window7_224": {"layers.1": 192, "layers.2": 384, "norm": 768},
}


def input_statistics(architecture: Architecture) -> tuple[Statistics, Statistics]:
    """Mean and standard deviation of each channel, as timm's own configuration has them."""
    config = timm.get_pretrained_cfg(architecture)
    if config is None:
        raise ValueError(f"Expected an architecture that timm knows; {architecture!r} came.")
    return config.mean, config.std


def normalise(pixels: torch.Tensor, mean: Statistics, std: Statistics) -> torch.Tensor:
    """N×3×H×W uint8 RGB to the float32 that a network expects, channels last."""
    means = torch.tensor(mean, device=pixels.device).view(1, 3, 1, 1)
    spreads = torch.tensor(std, device=pixels.device).view(1, 3, 1, 1)
    return ((pixels.float() / 255 - means) / spreads).contiguous(memory_format=torch.channels_last)


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
        # Paths are dropped at random against overfitting; so short a training underfits.
        network: nn.Module = timm.create_model(
            architecture, num_classes=1, img_size=side, drop_path_rate=0.0
        )
    else:
        network = timm.create_model(architecture, num_classes=1)
    sharpen(network.get_submodule(FIRST_FILTERS[architecture]).get_parameter("weight"))
    for name in optional_blocks(architecture):
        parent, _, child = name.rpartition(".")
        with torch.no_grad():
            for key in LAST_WEIGHTS[architecture]:
                network.get_submodule(name).get_parameter(key).zero_()
        if skeleton:
            setattr(network.get_submodule(parent), child, nn.Identity())
    return network


@torch.no_grad()
def sharpen(filters: torch.Tensor) -> None:
    """Make every second filter of the first layer a high-pass filter of the same strength.

    Source: the idea of Bayar and Stamm, "A Deep Learning Approach to Universal Image Manipulation
    Detection", IH&MMSec 2016, section 3, as a start only: the filters are free to move.
    """
    half = filters[::2]
    laplacian = torch.tensor([[0.0, -1.0, 0.0], [-1.0, 4.0, -1.0], [0.0, -1.0, 0.0]])
    sharp = F.conv2d(half.flatten(0, 1)[:, None], laplacian[None, None], padding=1)
    sharp = sharp.view_as(half) - sharp.view_as(half).mean(dim=(2, 3), keepdim=True)
    filters[::2] = sharp * (half.std() / sharp.std())


def listen(network: nn.Module, architecture: Architecture) -> dict[str, torch.Tensor]:
    """The features of a network's stages, filled anew by each of its passes.

    Args:
        network: From `build_network`.
        architecture: Its timm name.

    Returns:
        N×C×h×w by the name of the stage, in the order of `STAGES`; empty before the first pass.
    """
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str, width: int) -> Callable[[nn.Module, object, torch.Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, features: torch.Tensor) -> None:
            seen[name] = features if features.shape[1] == width else features.permute(0, 3, 1, 2)

        return hook

    for name, width in STAGES[architecture].items():
        network.get_submodule(name).register_forward_hook(keep(name, width))
    return seen


class StageHeads(nn.Module):
    """Linear heads on the stages of a network before the last; they do not ship.

    Source: Lee et al., "Deeply-Supervised Nets", AISTATS 2015.
    """

    def __init__(self, network: nn.Module, architecture: Architecture) -> None:
        """Listen to the stages of this very network."""
        super().__init__()
        earlier = list(STAGES[architecture].values())[:-1]
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in earlier)
        self._seen = listen(network, architecture)

    def forward(self) -> list[torch.Tensor]:
        """The logits of each cell of each stage, N×h×w, of the network's latest pass."""
        features = list(self._seen.values())[:-1]
        return [head(stage)[:, 0] for head, stage in zip(self.heads, features, strict=True)]


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
