"""Whom one asks about a crop: a detector as it is, or a defence with all that belongs to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from demo.core.defences import KNOWN, Defence, defence_logits, defence_network
from demo.core.images import Picture
from demo.core.scoring import score_crops
from models.loading import LoadedDetector
from models.zoo import Zoo


@dataclass(frozen=True)
class Judge:
    """A detector or a defence.

    Attributes:
        name: the detector's or the defence's.
        network: says how a face is cut out and from which probability on it is called fake; what a
            gradient attack goes against.
        ask: crops → logits.
    """

    name: str
    network: LoadedDetector
    ask: Callable[[Sequence[Picture]], list[float]]


def detector_judge(loaded: LoadedDetector, zoo: Zoo) -> Judge:
    """A detector, asked as it is."""
    return Judge(loaded.card.name, loaded, partial(score_crops, loaded, device=zoo.device))


def defence_judge(defence: Defence, zoo: Zoo) -> Judge:
    """A defence.

    Raises:
        WeightsError: as ``defences.defence_network``.
    """
    network = defence_network(defence, zoo)
    return Judge(defence.name, network, partial(defence_logits, defence, zoo=zoo))


def find_judge(name: str, zoo: Zoo) -> Judge:
    """A detector that ships, or a defence, by name.

    Raises:
        WeightsError: its card or weights are refused.
    """
    for defence in KNOWN:
        if defence.name == name:
            return defence_judge(defence, zoo)
    return detector_judge(zoo.detector(name), zoo)
