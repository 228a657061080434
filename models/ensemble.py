"""Several detectors asked as one: the mean of their logits. Needs no weights of its own."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import expit, logit
from torch import Tensor

from models.cards import DefenceName
from models.detectors import fake_logits, prepare
from models.loading import LoadedDetector

SMALL_ENSEMBLE: tuple[DefenceName, ...] = ("small", "small_residual", "small_attention")


@torch.inference_mode()
def ensemble_logits(
    members: Sequence[LoadedDetector], crops: Sequence[npt.NDArray[np.uint8]]
) -> Tensor:
    """The mean of the members' fake logits; each prepares the crops in its own way.

    Args:
        members: One or more detectors, such as the zoo's `SMALL_ENSEMBLE`.
        crops: One or more face crops, uint8 RGB H×W×3.

    Returns:
        float32 N on the CPU.

    Raises:
        ValueError: No member, no crop, or a crop of another kind.
        WeightsError: An answer is NaN or infinite.
    """
    if not members:
        raise ValueError("expected one or more detectors, found none")
    asked = [fake_logits(one.network, prepare(crops, one.card)) for one in members]
    return torch.stack(asked).mean(dim=0)


def ensemble_threshold(members: Sequence[LoadedDetector]) -> float:
    """The fake probability from which on the members together call a crop fake.

    It is the mean of their thresholds in log-odds, so that members that agree with one another
    judge as each of them does.
    """
    return float(expit(np.mean([logit(one.card.threshold) for one in members])))
