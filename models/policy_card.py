"""The card of a policy: which detector it defends, between which actions it chooses, and how well.

A policy's weights are those of its Q-network (`models.policy`); the detector has a card of its own.
"""

import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.card_files import CARDS_FOLDER, read_card
from models.cards import DetectorName, Figure, Origin, WeightsFile
from models.crop_actions import CropAction

PolicyName = Literal["policy_mask_resnet50", "policy_actions_resnet50"]
PolicyArchitecture = Literal["two_layers", "convolutional"]

POLICY_NAMES: tuple[PolicyName, ...] = typing.get_args(PolicyName)


@dataclass(frozen=True)
class PolicyCard:
    """A policy: the detector's input in, the action with the highest value out.

    Attributes:
        name: The name used in code, files and commands.
        title: The name shown to people.
        detector: The name of the detector whose verdicts it learnt from, and that it defends.
        actions: What it chooses between, in the order of the Q-network's outputs.
        architecture: Of the Q-network, see `models.policy`.
        hidden: Width of the Q-network's hidden layer.
        input_size: Side of the square input in px, the detector's.
        mean: Per channel RGB, of pixels in [0, 1], the detector's.
        std: Per channel RGB, of pixels in [0, 1], the detector's.
        weights: The file of weights.
        figures: What was measured on exactly that file.
        origin: Where the weights come from.
        note: What a reader has to know before trusting the figures.
    """

    name: PolicyName
    title: str
    detector: DetectorName
    actions: tuple[CropAction, ...]
    architecture: PolicyArchitecture
    hidden: int
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: WeightsFile
    figures: tuple[Figure, ...]
    origin: Origin
    note: str

    def __post_init__(self) -> None:
        if len(self.actions) < 2 or len(set(self.actions)) != len(self.actions):
            raise ValueError("a policy's actions must be two or more, each named once")
        if min(self.hidden, self.input_size) <= 0:
            raise ValueError("hidden and input_size must be above 0")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0 in every channel, found {self.std}")


def read_policy_card(path: Path) -> PolicyCard:
    """Read and check a policy's card.

    Raises:
        WeightsError: As `card_files.read_detector_card`.
    """
    return read_card(path, PolicyCard)


def shipped_policy_cards(folder: Path = CARDS_FOLDER) -> tuple[PolicyCard, ...]:
    """Every policy's card in `folder`, in the order of their names; absent ones are left out.

    Raises:
        WeightsError: As `card_files.read_detector_card`.
    """
    paths = (folder / f"{name}.json" for name in POLICY_NAMES)
    return tuple(read_policy_card(path) for path in paths if path.is_file())
