"""The last layer of a detector, made blind to what round trips do to its features on average.

A round trip moves the features of a crop, and most of what it does to verdicts comes from the mean
of that movement, which is much the same for pristine and fake crops and from split to split. The
last layer is linear: made orthogonal to those mean movements, it no longer sees them. Of all
such layers that one is taken whose answers to clean crops differ least from the trained one's.

Source: the idea of erasing a concept in closed form with the least change, Belrose et al., "LEACE:
Perfect linear concept erasure in closed form", NeurIPS 2023, arXiv 2306.03819; here the features
stay and only one layer is changed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import logit
from torch import nn

from demo.defences.robust import Look, Material, compare_answers
from models.loading import LoadedDetector
from models.training.readout import features

RIDGES: Final = (1e-5, 1e-4, 1e-3)
SHARES: Final = (0.6, 0.8, 1.0)
SHARPEST_MILD_K: Final = 2.5
AUC_TO_LOSE: Final = 0.005
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Features of pairs, real crops first and then their fakes.

    Attributes:
        clean: 2N×C.
        attacked: 2N×C.
        fake: 2N, the truth.
        group: 2N, the number of each crop's kind of round trip: its method, and mild or strong K.
    """

    clean: Numbers
    attacked: Numbers
    fake: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]


def see(
    network: nn.Module, plain: LoadedDetector, material: Material, pairs: int, bf16: bool
) -> Seen:
    """Take the features of a split's first pairs, clean and attacked."""
    trips = material.round_trips
    clean = [material.faces.pictures[index[:pairs]] for index in (trips.real, trips.fake)]
    attacked = [trips.attacked[:pairs, side] for side in (0, 1)]
    mean, std = plain.card.mean, plain.card.std
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        before, after = (
            features(network, np.concatenate(crops), mean, std) for crops in (clean, attacked)
        )
    kinds = [
        f"{method} {k > SHARPEST_MILD_K}"
        for method, k in zip(trips.method[:pairs], trips.k[:pairs], strict=True)
    ]
    group = np.tile(np.unique(kinds, return_inverse=True)[1], 2)
    return Seen(before, after, np.repeat([False, True], len(kinds)), group)


def make_blind(
    network: nn.Module, plain: LoadedDetector, train: Seen, val: Seen, plain_auc: float
) -> Look:
    """Make the last layer blind to the mean movements of the train split, in place.

    How much of them, and how the least change is measured, is chosen on val: the least change of
    FNR and FPR together, among layers whose AUC on clean crops is at most 0.005 below the plain
    detector's; the mildest where there is none.

    Args:
        network: A detector with one linear last layer; the rest of it is kept.
        plain: Its card says from where on a crop is called fake.
        train: What the movements and the spread of the features are taken from.
        val: Chosen with.
        plain_auc: The plain detector's AUC on val's clean crops.

    Returns:
        What round trips do to the network on val afterwards.
    """
    last = network.get_classifier()  # type: ignore[operator]
    weight, bias = last.weight[0].detach().double().numpy(), float(last.bias.detach())
    threshold = float(logit(plain.card.threshold))

    def judge(layer: tuple[Numbers, float]) -> Look:
        before, after = (seen @ layer[0] + layer[1] for seen in (val.clean, val.attacked))
        return compare_answers(before, after, val.fake, threshold)

    layers = [
        _blind_layer(weight, bias, train, ridge, share) for share in SHARES for ridge in RIDGES
    ]
    looks = [judge(layer) for layer in layers]
    kept = [place for place, seen in enumerate(looks) if seen.auc >= plain_auc - AUC_TO_LOSE]
    best = min(kept or [0], key=lambda place: abs(looks[place].fnr) + abs(looks[place].fpr))
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(layers[best][0][None]))
        last.bias.fill_(layers[best][1])
    return looks[best]


def _blind_layer(
    weight: Numbers, bias: float, train: Seen, ridge: float, share: float
) -> tuple[Numbers, float]:
    """The layer nearest to a given one, in its answers to clean crops, that sees less movement.

    The mean answer stays as it was. The ridge keeps directions in which features hardly vary from
    taking up all of the change.
    """
    moved = train.attacked - train.clean
    means = np.stack([moved[train.group == one].mean(0) for one in np.unique(train.group)], axis=1)
    spread = np.cov(train.clean.T)
    spread += ridge * np.trace(spread) / len(spread) * np.eye(len(spread))
    towards = np.linalg.solve(spread, means)
    blind = weight - share * towards @ np.linalg.solve(means.T @ towards, means.T @ weight)
    return blind, bias + float((train.clean @ (weight - blind)).mean())
