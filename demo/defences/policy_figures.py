"""How well a policy defends its detector, beside what needs no learning at all.

Beside each policy stand: leaving every crop, masking every crop, the one action that was best on
val, and an action drawn at random. All figures are of verdicts at the detector's own threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demo.defences.policy_crops import Answers, Flags, PolicyCrops
from demo.study.rates import (
    Estimate,
    Judged,
    draws,
    interval,
    paired_p,
    per_source,
    rates,
    wrong,
)
from demo.study.table import Cell, Column, Table
from models.cards import Figure
from models.crop_actions import CROP_ACTIONS, CropAction
from models.policy_card import PolicyCard

SEED: Final = 0
LEVEL: Final = 0.05
COLUMNS: Final = (
    Column("Which action"),
    Column("Crops"),
    Column("TPR", "%"),
    Column("FPR", "%"),
    Column("TNR", "%"),
    Column("FNR", "%"),
    Column("Balanced accuracy", "%"),
)

Choices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Measured:
    """The rates of one way to choose, as fractions with their intervals over source videos."""

    tpr: Estimate
    fpr: Estimate
    tnr: Estimate
    fnr: Estimate
    balanced_accuracy: Estimate


@dataclass(frozen=True)
class Gain:
    """Balanced accuracy of a policy less that of one action for all, on the same crops.

    Attributes:
        points: a fraction, with its interval over source videos.
        p_value: two-sided, of the paired permutation test over source videos.
        sources: how many there are.
    """

    points: Estimate
    p_value: float
    sources: int

    @property
    def beaten(self) -> bool:
        """Whether the policy is better, beyond chance."""
        return self.points.value > 0 and self.p_value < LEVEL


def same_for_all(action: CropAction, crops: int) -> Choices:
    """One action for every crop, as its place in ``CROP_ACTIONS``."""
    return np.full(crops, CROP_ACTIONS.index(action), np.int64)


def at_random(actions: Sequence[CropAction], crops: int, seed: int) -> Choices:
    """An action for each crop, drawn evenly."""
    places = np.array([CROP_ACTIONS.index(action) for action in actions])
    drawn: Choices = np.random.default_rng(seed).choice(places, crops)
    return drawn


def best_single_action(answers: Answers, actions: Sequence[CropAction]) -> CropAction:
    """The action with the highest balanced accuracy on these crops; of equals the first."""
    right = answers.right
    accuracy = (right[answers.fake].mean(axis=0) + right[~answers.fake].mean(axis=0)) / 2
    return max(actions, key=lambda action: float(accuracy[CROP_ACTIONS.index(action)]))


def judge(crops: PolicyCrops, answers: Answers, choices: Choices, kept: Flags) -> Judged:
    """The detector's answers under the chosen actions.

    Args:
        crops: N crops.
        answers: what the detector says of them.
        choices: N, the action on each as its place in ``CROP_ACTIONS``.
        kept: N, which crops are judged.
    """
    chosen = answers.logits[np.arange(len(choices)), choices].astype(np.float64)
    _, source = np.unique(crops.source[kept], return_inverse=True)
    return Judged(crops.fake[kept], chosen[kept], answers.threshold, source)


def measure_choices(judged: Judged) -> Measured:
    """The rates of one way to choose."""
    found = rates(judged, SEED)
    return Measured(
        tpr=found.recall,
        fpr=found.fpr,
        tnr=_complement(found.fpr),
        fnr=found.fnr,
        balanced_accuracy=found.accuracy,
    )


def compared(crops: PolicyCrops, answers: Answers, choices: Choices, single: CropAction) -> Gain:
    """A policy's choices against one action for all, on every crop."""
    everything = np.ones(len(crops.fake), np.bool_)
    same = same_for_all(single, len(crops.fake))
    return gain(judge(crops, answers, choices, everything), judge(crops, answers, same, everything))


def gain(policy: Judged, single: Judged) -> Gain:
    """How much a policy is better than one action for all, on the same crops in the same order."""
    fakes, pristine = per_source(single, single.fake), per_source(single, ~single.fake)
    mended = wrong(single).astype(np.float64) - wrong(policy)
    of_fakes, of_pristine = (
        np.bincount(single.source, weights=mended * kind, minlength=len(fakes))
        for kind in (single.fake, ~single.fake)
    )
    times = draws(len(fakes), SEED)
    with np.errstate(invalid="ignore"):
        drawn = (times @ of_fakes) / (times @ fakes) + (times @ of_pristine) / (times @ pristine)
    added = of_fakes / fakes.sum() + of_pristine / pristine.sum()
    return Gain(
        points=interval(float(added.sum()) / 2, drawn / 2),
        p_value=paired_p(added, SEED),
        sources=len(fakes),
    )


def sentence(card: PolicyCard, single: CropAction, found: Gain, on: str) -> str:
    """Whether a policy earns its keep, said plainly."""
    verb = "beats" if found.beaten else "does not beat"
    low, value, high = (
        f"{100 * end:+.1f}".replace("-", "\u2212")
        for end in (found.points.low, found.points.value, found.points.high)
    )
    return (
        f"{card.name} {verb} the best single action, which is always to {single} (chosen on val): "
        f"balanced accuracy {value} points ({low} to {high}; p = {found.p_value:.2g}, paired over "
        f"{found.sources} source videos) on {on}."
    )


def shares(card: PolicyCard, choices: Choices, attacked: Flags) -> str:
    """How often a policy chose each action, on clean and on attacked crops, in a sentence."""
    clauses = []
    for word, kept in (("clean", ~attacked), ("attacked", attacked)):
        said = ", ".join(
            f"{action} {100 * float((choices[kept] == CROP_ACTIONS.index(action)).mean()):.0f} %"
            for action in card.actions
        )
        clauses.append(f"of the {word} crops {said}")
    return f"{card.name} chose: {'; '.join(clauses)}."


def policies_table(
    crops: PolicyCrops, answers: Answers, ways: dict[str, Choices], on: str, notes: tuple[str, ...]
) -> Table:
    """Every way to choose, on the clean and on the attacked crops.

    Args:
        crops: what is judged.
        answers: what the detector says of them.
        ways: the chosen actions by the way's name.
        on: what the crops are, for the title.
        notes: sentences below the table.
    """
    rows: list[tuple[Cell, ...]] = []
    for way, choices in ways.items():
        for word, kept in (("clean", ~crops.attacked), ("attacked", crops.attacked)):
            one = measure_choices(judge(crops, answers, choices, kept))
            rows.append(
                (way, word, one.tpr, one.fpr, one.tnr, one.fnr, one.balanced_accuracy),
            )
    title = f"Policies against single actions, {on}; 95 % intervals over source videos."
    return Table("policies", title, COLUMNS, tuple(rows), notes)


def card_figures(
    crops: PolicyCrops,
    answers: Answers,
    choices: Choices,
    single: CropAction,
    on: str,
) -> tuple[Figure, ...]:
    """What goes on the policy's card: its rates, and what it gains over the best single action."""
    figures: list[Figure] = []
    for word, kept in (("clean", ~crops.attacked), ("attacked", crops.attacked)):
        one = measure_choices(judge(crops, answers, choices, kept))
        of = f"{on}, {int(kept.sum())} crops"
        for name, estimate in (
            ("TPR", one.tpr),
            ("FPR", one.fpr),
            ("TNR", one.tnr),
            ("FNR", one.fnr),
            ("balanced accuracy", one.balanced_accuracy),
        ):
            figures.append(_figure(name, estimate, of, word))
    name = f"balanced accuracy gained over always {single}"
    of = f"{on}, {len(crops.fake)} crops"
    found = compared(crops, answers, choices, single)
    figures.append(_figure(name, found.points, of, "clean and attacked"))
    return tuple(figures)


def _figure(name: str, estimate: Estimate, of: str, condition: str) -> Figure:
    value, low, high = (
        round(100 * end, 4) for end in (estimate.value, estimate.low, estimate.high)
    )
    return Figure(name, value, low, high, "%", of, condition)


def _complement(estimate: Estimate) -> Estimate:
    return Estimate(1 - estimate.value, 1 - estimate.high, 1 - estimate.low)
