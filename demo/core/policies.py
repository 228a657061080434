"""A detector that a policy defends: the policy changes the crop, or not, before it is scored."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from demo.core.errors import SettingsError
from demo.core.images import Picture
from demo.core.scoring import score_crops
from models.crop_actions import CropAction, act
from models.detectors import prepare, resize_to_input
from models.loading import LoadedDetector, LoadedPolicy
from models.policy import best_actions


def choose(policy: LoadedPolicy, crops: Sequence[Picture]) -> list[CropAction]:
    """What the policy does to each crop.

    Args:
        policy: from ``Zoo.policy``.
        crops: uint8 RGB pictures, each of any size, as its detector is given them.

    Returns:
        One name a crop, in order; each crop's is the same in whatever company it is asked about.
    """
    inputs = [prepare([crop], policy.card) for crop in crops]
    return [policy.card.actions[best] for best in best_actions(policy.network, inputs)]


def defended_logits(
    policy: LoadedPolicy, loaded: LoadedDetector, crops: Sequence[Picture], device: torch.device
) -> list[float]:
    """Ask a detector about crops as its policy changed them: resize, choose, act, score.

    Args:
        policy: from ``Zoo.policy``.
        loaded: the detector that it defends, its network on ``device``.
        crops: uint8 RGB pictures, each of any size.
        device: where the detector's network is.

    Returns:
        One logit a crop, in order, as ``scoring.score_crops``.

    Raises:
        SettingsError: the policy defends another detector.
        WeightsError: the detector answered with something that is not a finite number.
    """
    if loaded.card.name != policy.card.detector:
        raise SettingsError(
            f"The policy {policy.card.title} defends {policy.card.detector}, but "
            f"{loaded.card.name} came. Choose the detector that it was trained for."
        )
    changed = [
        act(action, resize_to_input(crop, loaded.card.input_size))
        for action, crop in zip(choose(policy, crops), crops, strict=True)
    ]
    return score_crops(loaded, changed, device)
