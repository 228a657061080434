"""The deepfake detectors: networks that answer with one logit, fake above 0."""

import typing
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.cards import DETECTOR_NAMES, Architecture, DetectorCard, KnownArchitecture
from models.errors import WeightsError
from models.policy_card import PolicyCard
from models.small_network import SMALL_ARCHITECTURES, build_small
from models.transfer import to_device

DETECTORS = DETECTOR_NAMES
ARCHITECTURES: tuple[Architecture, ...] = typing.get_args(Architecture)
KNOWN_ARCHITECTURES: tuple[KnownArchitecture, ...] = typing.get_args(KnownArchitecture)


def build_detector(architecture: KnownArchitecture) -> nn.Module:
    """A detector with random weights, on the CPU in float32, in evaluation mode.

    Maps N×3×S×S prepared crops to N×1 logits; the fake probability is their sigmoid. Needs no
    network. The random numbers come from torch's global generator.

    Args:
        architecture: One of `KNOWN_ARCHITECTURES`.

    Raises:
        WeightsError: Another name; nothing is built in its place.
    """
    if architecture not in KNOWN_ARCHITECTURES:
        raise WeightsError(
            f"The detector {architecture!r} is unknown: expected {', '.join(KNOWN_ARCHITECTURES)}; "
            "write one of these names on the card."
        )
    if architecture in SMALL_ARCHITECTURES:
        return build_small(architecture)
    # Only here: timm brings torchvision, whose import takes as long as that of torch.
    import timm

    network = timm.create_model(architecture, pretrained=False, num_classes=1)
    return typing.cast(nn.Module, network).eval()


def prepare(crops: Sequence[npt.NDArray[np.uint8]], card: DetectorCard | PolicyCard) -> Tensor:
    """Face crops as the detector's input: `resize_to_input`, then (x / 255 - mean) / std.

    Args:
        crops: One or more uint8 RGB pictures H×W×3 of any sizes.
        card: The detector's, or that of a policy, which sees what its detector sees.

    Returns:
        float32 N×3×S×S on the CPU, S = `card.input_size`.

    Raises:
        ValueError: No crop, or one that is not uint8 H×W×3.
    """
    if not crops:
        raise ValueError("expected one or more crops, found none")
    batch = np.stack([resize_to_input(crop, card.input_size) for crop in crops])
    pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).to(torch.float32) / 255
    mean = torch.tensor(card.mean).view(1, 3, 1, 1)
    std = torch.tensor(card.std).view(1, 3, 1, 1)
    return (pixels - mean) / std


def resize_to_input(crop: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A face crop in the size that a detector's input has, still as a picture.

    Each side that is too long is area-averaged and each that is too short is enlarged bicubically,
    both to 8 bits as in a stored picture; a crop that already has the size is not touched.

    Args:
        crop: uint8 RGB H×W×3.
        side: Of the input, px.

    Returns:
        uint8 RGB side×side×3.

    Raises:
        ValueError: The crop is not uint8 H×W×3.
    """
    if crop.dtype != np.uint8 or crop.ndim != 3 or crop.shape[2] != 3 or crop.size == 0:
        raise ValueError(f"expected a crop uint8 H×W×3, found {crop.dtype} {crop.shape}")
    height, width = crop.shape[:2]
    smaller = (min(width, side), min(height, side))
    if smaller != (width, height):
        crop = cv2.resize(crop, smaller, interpolation=cv2.INTER_AREA)
    if smaller != (side, side):
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return crop


def fake_logits(network: nn.Module, batch: Tensor) -> Tensor:
    """Ask a detector; above 0 it leans to fake, and the sigmoid is the fake probability.

    Args:
        network: From `build_detector`, on any device.
        batch: float32 N×3×S×S from `prepare`, on any device.

    Returns:
        float32 N on the CPU.

    Raises:
        WeightsError: An answer is NaN or infinite.
    """
    first = next(network.parameters())
    there = to_device(batch, first.device).to(first.dtype)
    logits: Tensor = network(there).squeeze(1).float().cpu()
    if not bool(logits.isfinite().all()):
        raise WeightsError(
            "A detector's answer is refused: expected a finite number, found NaN or infinity; "
            "fetch the project's weights again."
        )
    return logits
