"""The small network of arXiv 2302.11704: four convolutional and two fully connected layers, 256 px.

The paper gives no more than these numbers. Widths, kernels and strides are ours. The shape is that
of Meso-4 (Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018,
section 3), but wider, and with convolutions that halve the sides themselves where Meso-4 pools,
which costs a third. Batch normalisation follows every convolution.
"""

import typing

import torch
from torch import Tensor, nn

from models.cards import SmallArchitecture

WIDTHS = (16, 32, 64, 128)
KERNELS = (5, 3, 3, 3)
POOLED = 4
HIDDEN = 128
SMALL_ARCHITECTURES: tuple[SmallArchitecture, ...] = typing.get_args(SmallArchitecture)


class SmallNetwork(nn.Module):
    """N×3×256×256, normalised, to N×1 fake logits.

    Attributes:
        stages: the four convolutions, each of which halves the sides.
        attention: where to look on the last feature map; an identity without attention.
        classifier: the two fully connected layers.
    """

    def __init__(self, residual: bool, attention: bool) -> None:
        """Build it with random weights.

        Args:
            residual: each convolution adds to its own input, averaged to half the sides and
                brought to its width by a 1×1 convolution.
            attention: a spatial attention weighs the cells of the last feature map.
        """
        super().__init__()
        entering = (3, *WIDTHS[:-1])
        self.stages = nn.Sequential(
            *(
                _Stage(old, new, kernel, residual)
                for old, new, kernel in zip(entering, WIDTHS, KERNELS, strict=True)
            )
        )
        self.attention = _SpatialAttention() if attention else nn.Identity()
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(POOLED),
            nn.Flatten(),
            nn.Linear(WIDTHS[-1] * POOLED**2, HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(HIDDEN, 1),
        )

    def forward(self, batch: Tensor) -> Tensor:
        """The logits."""
        logits: Tensor = self.classifier(self.attention(self.stages(batch)))
        return logits


class _Stage(nn.Module):
    def __init__(self, entering: int, leaving: int, kernel: int, residual: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            entering, leaving, kernel, stride=2, padding=kernel // 2, bias=False
        )
        self.normalisation = nn.BatchNorm2d(leaving)
        # Averaged before, for a 1×1 convolution of stride 2 would look at every fourth pixel alone.
        self.shortcut = (
            nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(entering, leaving, 1))
            if residual
            else None
        )

    def forward(self, features: Tensor) -> Tensor:
        answer = self.normalisation(self.convolution(features))
        if self.shortcut is not None:
            answer = answer + self.shortcut(features)
        return torch.relu(answer)


class _SpatialAttention(nn.Module):
    """Weighs each cell by its channels' mean and maximum, as the spatial part of CBAM.

    Source: Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018, section 3.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, features: Tensor) -> Tensor:
        summary = torch.stack((features.mean(dim=1), features.amax(dim=1)), dim=1)
        return features * torch.sigmoid(self.convolution(summary))


def build_small(architecture: SmallArchitecture) -> SmallNetwork:
    """The small network as it was published, or with residual connections, or with attention."""
    return SmallNetwork(
        residual=architecture == "small_residual", attention=architecture == "small_attention"
    ).eval()
