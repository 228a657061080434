"""The defences that are held beside the plain detectors, and what each says about a face."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import torch
from torch import Tensor, nn

from demo.core.errors import SettingsError, WeightsError
from demo.core.images import Picture
from demo.core.policies import choose, defended_logits
from demo.core.scoring import score_crops
from models.cards import DETECTOR_NAMES, Figure
from models.crop_actions import CropAction
from models.ensemble import SMALL_ENSEMBLE, ensemble_threshold
from models.loading import LoadedDetector
from models.zoo import Zoo

Kind = Literal[
    "robust training", "input policy", "other training source", "ensemble", "small network"
]
KINDS: Final[tuple[Kind, ...]] = (
    "robust training",
    "input policy",
    "other training source",
    "ensemble",
    "small network",
)
SMALL: Final = "small"
ENSEMBLE: Final = "small_ensemble"


@dataclass(frozen=True)
class Defence:
    """One defence.

    Attributes:
        name: as in code, files and commands.
        title: for people.
        kind: what defends: another training, a change of the input, several networks, or merely a
            smaller network, which the other small ones are compared with.
        plain: name of the detector that it stands against; empty where there is none.
    """

    name: str
    title: str
    kind: Kind
    plain: str


KNOWN: Final = (
    Defence("resnet50_robust", "ResNet50, robust", "robust training", "resnet50"),
    Defence("swin_small_robust", "Swin-Small, robust", "robust training", "swin_small"),
    Defence("xception_robust", "XceptionNet, robust", "robust training", "xception"),
    Defence("policy_mask_resnet50", "ResNet50, leave or mask", "input policy", "resnet50"),
    Defence("policy_actions_resnet50", "ResNet50, six actions", "input policy", "resnet50"),
    Defence(SMALL, "Small network", "small network", ""),
    Defence("small_residual", "Small, residual", "small network", SMALL),
    Defence("small_attention", "Small, attention", "small network", SMALL),
    Defence(ENSEMBLE, "Small, ensemble of three", "ensemble", SMALL),
    Defence("small_adversarial", "Small, adversarially trained", "robust training", SMALL),
    Defence("small_synthetic", "Small, synthetic fakes added", "other training source", SMALL),
    Defence("small_patterns", "Small, frequency patterns only", "other training source", SMALL),
    Defence("small_mixed", "Small, frequency patterns added", "other training source", SMALL),
    Defence("small_self_blended", "Small, self-blended fakes", "other training source", SMALL),
)


def defences(zoo: Zoo) -> tuple[Defence, ...]:
    """The defences that ship: those whose card is there; the ensemble, where all its members'."""
    there = set(zoo.defence_names)
    if there.issuperset(SMALL_ENSEMBLE):
        there.add(ENSEMBLE)
    return tuple(one for one in KNOWN if one.name in there)


def find_defences(names: Sequence[str], zoo: Zoo) -> tuple[Defence, ...]:
    """The defences of these names, in the order in which they are shown.

    Raises:
        WeightsError: one is not there.
    """
    shipped = defences(zoo)
    for name in names:
        if name not in {one.name for one in shipped}:
            listed = ", ".join(one.name for one in shipped) or "none, for none ships"
            raise WeightsError(
                f"The defence {name!r} is not there: expected {listed}; choose one of these."
            )
    return tuple(one for one in shipped if one.name in names)


def chosen_defences(only: Sequence[str], zoo: Zoo) -> tuple[Defence, ...]:
    """The defences of these names; all that ship where none is named.

    Raises:
        SettingsError: none ships.
        WeightsError: one is not there.
    """
    chosen = find_defences(only, zoo) if only else defences(zoo)
    if not chosen:
        raise SettingsError(
            "Defences were asked for, but none ships here. Fetch the project's models/cards folder."
        )
    return chosen


def plain_network(defence: Defence, zoo: Zoo) -> LoadedDetector | None:
    """The detector that a defence stands against; None where there is none.

    Raises:
        WeightsError: its card or weights are refused.
    """
    if not defence.plain:
        return None
    small = defence.plain == SMALL
    return zoo.defence(SMALL) if small else zoo.detector(defence.plain)


def defence_network(defence: Defence, zoo: Zoo) -> LoadedDetector:
    """The network of a defence, with the crop and the threshold that the defence is read at.

    A detector that was trained on from a plain one is read at the plain one's threshold, as nobody
    would know that a picture was attacked. Of an input policy it is the plain detector itself.
    Others are read at their own card's threshold. The ensemble takes the mean of its members'
    logits, and of their thresholds as logits.

    Raises:
        WeightsError: a card or weights are refused, or the ensemble's members want different crops.
    """
    if defence.name == ENSEMBLE:
        return _ensemble([zoo.defence(name) for name in SMALL_ENSEMBLE], defence)
    if defence.kind == "input policy":
        return zoo.detector(defence.plain)
    loaded = zoo.defence(defence.name)
    if defence.plain in DETECTOR_NAMES:
        threshold = zoo.detector(defence.plain).card.threshold
        return replace(loaded, card=replace(loaded.card, threshold=threshold))
    return loaded


def defence_logits(defence: Defence, crops: Sequence[Picture], zoo: Zoo) -> list[float]:
    """Ask a defence about crops.

    Args:
        defence: one of ``defences``.
        crops: uint8 RGB pictures, each of any size.
        zoo: the loaded networks.

    Returns:
        One logit a crop, in order, as ``scoring.score_crops``.

    Raises:
        WeightsError: a card or weights are refused, or an answer is not finite.
    """
    network = defence_network(defence, zoo)
    if defence.kind == "input policy":
        return defended_logits(zoo.policy(defence.name), network, crops, zoo.device)
    return score_crops(network, crops, zoo.device)


def chosen_actions(defence: Defence, crops: Sequence[Picture], zoo: Zoo) -> tuple[CropAction, ...]:
    """What an input policy does to each crop before its detector sees it; empty for the others.

    Raises:
        WeightsError: its card or weights are refused.
    """
    if defence.kind != "input policy":
        return ()
    return tuple(choose(zoo.policy(defence.name), crops))


def clean_auc(defence: Defence, zoo: Zoo) -> tuple[Figure, Figure | None] | None:
    """The AUC on clean crops that a defence's card states, beside its plain detector's.

    Returns:
        The plain detector's is None where its card has none on the same crops; the whole is None
        where the defence's card has none, as that of the ensemble and of the policies.

    Raises:
        WeightsError: as ``defence_network``.
    """
    if defence.name == ENSEMBLE or defence.kind == "input policy":
        return None
    figures = [one for one in zoo.defence(defence.name).card.figures if _is_clean_auc(one)]
    plain = plain_network(defence, zoo)
    beside = {one.of: one for one in plain.card.figures if _is_clean_auc(one)} if plain else {}
    return (figures[0], beside.get(figures[0].of)) if figures else None


def _is_clean_auc(figure: Figure) -> bool:
    return (figure.name, figure.condition) == ("AUC", "clean")


def defence_weights(defence: Defence, zoo: Zoo) -> dict[str, str]:
    """Name → sha256 of every file of weights that a defence needs, its plain detector's aside.

    Raises:
        WeightsError: as ``defence_network``.
    """
    if defence.kind == "input policy":
        return {defence.name: zoo.policy(defence.name).card.weights.sha256}
    names = SMALL_ENSEMBLE if defence.name == ENSEMBLE else (defence.name,)
    return {name: zoo.defence(name).card.weights.sha256 for name in names}


class _MeanLogit(nn.Module):
    """N×3×S×S to the mean of several networks' N×1 logits."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, batch: Tensor) -> Tensor:
        return torch.stack([member(batch) for member in self.members]).mean(dim=0)


def _ensemble(members: Sequence[LoadedDetector], defence: Defence) -> LoadedDetector:
    cards = [one.card for one in members]
    if len({(card.input_size, card.mean, card.std, card.crop) for card in cards}) > 1:
        raise WeightsError(
            f"{defence.title} is refused: expected cards that prepare a crop alike, found "
            "different ones; restore the project's models/cards folder."
        )
    card = replace(
        cards[0],
        name=defence.name,
        title=defence.title,
        threshold=ensemble_threshold(members),
        figures=(),
    )
    return LoadedDetector(card, _MeanLogit([one.network for one in members]).eval())
