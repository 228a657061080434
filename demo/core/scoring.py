"""Crops → fake probability of a detector, before and after the round trip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from demo.core.errors import WeightsError
from demo.core.images import Picture
from demo.core.out_of_memory import in_halves
from models.detectors import fake_logits, prepare
from models.loading import LoadedDetector
from models.precision import type_of

BATCH: Final = 16
CPU_BATCH: Final = 8


@dataclass(frozen=True)
class DetectorScore:
    """What one detector says about a clean crop and about the attacked one.

    Attributes:
        detector: the detector's name, as on its card.
        title: its name for people.
        clean: fake probability of the clean crop, in [0, 1].
        attacked: fake probability of the attacked crop, in [0, 1].
        clean_logit: log-odds behind ``clean``.
        attacked_logit: log-odds behind ``attacked``.
        threshold: the card's; a probability from there on is called fake.
    """

    detector: str
    title: str
    clean: float
    attacked: float
    clean_logit: float
    attacked_logit: float
    threshold: float

    @property
    def clean_fake(self) -> bool:
        """Whether the clean crop is called fake."""
        return self.clean >= self.threshold

    @property
    def attacked_fake(self) -> bool:
        """Whether the attacked crop is called fake."""
        return self.attacked >= self.threshold

    @property
    def flipped(self) -> bool:
        """Whether the verdict on the attacked crop differs from that on the clean one."""
        return self.clean_fake != self.attacked_fake


def called(fake: bool) -> str:
    """The word for a verdict, the same on page, command line, figure and table."""
    return "fake" if fake else "real"


def probability(logit: float) -> float:
    """Turn log-odds into a probability in [0, 1], without overflow for any finite value."""
    if logit >= 0:
        return 1.0 / (1.0 + math.exp(-logit))
    odds = math.exp(logit)
    return odds / (1.0 + odds)


def score_crops(
    loaded: LoadedDetector, crops: Sequence[Picture], device: torch.device
) -> list[float]:
    """Ask one detector about crops, in passes of ``pass_size``.

    Args:
        loaded: the detector, its network on ``device``.
        crops: uint8 RGB pictures, each of any size; the card's preprocessing is applied.
        device: where the network is.

    Returns:
        One logit a crop, in order; ``probability`` turns it into a fake probability. In float32 a
        crop's logit is the same to the last digit in whatever company it is asked about.

    Raises:
        WeightsError: the network answered with something that is not a finite number.
    """
    size = pass_size(device, type_of(loaded.network))
    logits: list[float] = []
    for start in range(0, len(crops), size):
        logits += score_pass(loaded, prepare(crops[start : start + size], loaded.card), device)
    return logits


def pass_size(device: torch.device, number: torch.dtype = torch.float32) -> int:
    """How many crops go through a detector at once on a device, at most.

    On a CPU one: libraries there sum in an order that depends on a crop's place among the others,
    which moves its logit by about 1e-5, and more at once are hardly faster. In bfloat16 several are
    faster, and an order of summation is the least that moves. A GPU takes 16.

    Args:
        device: where the network is.
        number: what it computes in.
    """
    if device.type == "cpu":
        return 1 if number == torch.float32 else CPU_BATCH
    return BATCH


@torch.inference_mode()
def score_pass(loaded: LoadedDetector, prepared: torch.Tensor, device: torch.device) -> list[float]:
    """Ask one detector about the crops of one pass.

    On a GPU every pass is filled up to the same size by repeating its last crop, since libraries
    choose their order of summation by the size of a batch. Where its memory is too small for that,
    the pass is halved.

    Args:
        loaded: the detector, its network on ``device``.
        prepared: float32 N×3×S×S from ``models.detectors.prepare``; N from 1 to ``pass_size``.
        device: where the network is.

    Returns:
        N logits, in order.

    Raises:
        WeightsError: the network answered with something that is not a finite number.
    """
    count = len(prepared)
    missing = 0 if device.type == "cpu" else BATCH - count
    full = torch.cat((prepared, prepared[-1:].expand(missing, -1, -1, -1)))
    try:
        logits = in_halves(lambda part: fake_logits(loaded.network, part).tolist(), full)
    except WeightsError as refused:
        raise WeightsError(f"{loaded.card.title}: {refused}") from refused
    return logits[:count]


def compare(loaded: LoadedDetector, clean_logit: float, attacked_logit: float) -> DetectorScore:
    """Put a detector's two logits, of a clean crop and its attacked twin, into one record."""
    return DetectorScore(
        detector=loaded.card.name,
        title=loaded.card.title,
        clean=probability(clean_logit),
        attacked=probability(attacked_logit),
        clean_logit=clean_logit,
        attacked_logit=attacked_logit,
        threshold=loaded.card.threshold,
    )
