"""A detector as one differentiable function: from a crop's pixels to its fake logit.

What an attack by gradients has to climb is the whole of it: the resize and the normalisation of
`models.detectors.prepare`, then the network. Only the rounding of the resized crop to 8 bits is
left out, for it has no gradient; logits differ from those of `prepare` by what rounding moves them.
"""

import copy
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from models.cards import DetectorCard
from models.precision import type_of

Statistics = tuple[float, float, float]


@dataclass(frozen=True)
class Preparation:
    """How a network wants its input, as a detector's card says it.

    Attributes:
        input_size: Side of the network's square input in px.
        mean: Per channel RGB, of pixels in [0, 1].
        std: Per channel RGB, of pixels in [0, 1].
    """

    input_size: int
    mean: Statistics
    std: Statistics


class ScoringFunction(nn.Module):
    """Pixels N×3×H×W in [0, 1], of any size, to N fake logits.

    Holds the network's structure anew and shares its weights, which never ask for a gradient here:
    the network that others are using, or training, is not touched, from whichever thread this is
    made or called. Changes of the shared weights are seen.

    Attributes:
        network: In evaluation mode.
        preparation: How the network wants its input.
    """

    def __init__(self, network: nn.Module, preparation: Preparation) -> None:
        """Share the weights of a network, which may be in training."""
        super().__init__()
        self.network = frozen_twin(network).eval()
        self.preparation = preparation

    def forward(self, pixels: Tensor) -> Tensor:
        """The logits, in the pixels' type of number.

        Args:
            pixels: floating point, RGB, on the network's device.
        """
        prepared = prepare_pixels(pixels, self.preparation)
        logits: Tensor = self.network(prepared.to(type_of(self.network)))
        return logits.squeeze(1).to(pixels.dtype)


def scoring_function(network: nn.Module, card: DetectorCard) -> ScoringFunction:
    """The scoring function of a detector that has a card."""
    return ScoringFunction(network, Preparation(card.input_size, card.mean, card.std))


def prepare_pixels(pixels: Tensor, preparation: Preparation) -> Tensor:
    """What `models.detectors.prepare` does, without its rounding to 8 bits.

    Args:
        pixels: floating point N×3×H×W, RGB in [0, 1].
        preparation: How the network wants its input.

    Returns:
        N×3×S×S of the same type and on the same device.

    Raises:
        ValueError: Not a batch of RGB pictures in floating point.
    """
    if pixels.ndim != 4 or pixels.shape[1] != 3 or not pixels.is_floating_point():
        raise ValueError(
            f"expected floating-point N×3×H×W, found {pixels.dtype} {tuple(pixels.shape)}"
        )
    # In bfloat16 the resize alone would move pixels by more than a level.
    with torch.autocast(pixels.device.type, enabled=False):
        resized = _resize(pixels, preparation.input_size)
        mean = pixels.new_tensor(preparation.mean).view(1, 3, 1, 1)
        std = pixels.new_tensor(preparation.std).view(1, 3, 1, 1)
        return (resized - mean) / std


def frozen_twin(network: nn.Module) -> nn.Module:
    """A copy of a network's modules that holds the very same numbers and wants no gradient.

    Hooks, modes and gradients of the copy never reach the network.
    """
    with torch.inference_mode(False):
        shared: dict[int, object] = {id(buffer): buffer for buffer in network.buffers()}
        shared |= {
            id(parameter): nn.Parameter(parameter.detach(), requires_grad=False)
            for parameter in network.parameters()
        }
        return copy.deepcopy(network, shared)


def _resize(pixels: Tensor, side: int) -> Tensor:
    height, width = pixels.shape[2:]
    if height != side:
        pixels = _weights(height, side).to(pixels) @ pixels
    if width != side:
        pixels = pixels @ _weights(width, side).to(pixels).T
    # Cubic weights overshoot at edges, which a picture of 8 bits cannot follow.
    return pixels.clamp(0, 1) if min(height, width) < side else pixels


@lru_cache(maxsize=16)
def _weights(pixels: int, side: int) -> Tensor:
    """Share of each pixel of a line in each pixel of the resized one: float64, side×pixels.

    Resizing is linear and works along one side after the other, so that a resized identity matrix
    shows what OpenCV does.
    """
    kernel = cv2.INTER_AREA if pixels > side else cv2.INTER_CUBIC
    shown = cv2.resize(np.eye(pixels), (pixels, side), interpolation=kernel)
    with torch.inference_mode(False):
        return torch.from_numpy(np.asarray(shown, dtype=np.float64))
