"""What the round-trip detector's card says: how often it sees one, where there is and is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from scipy.special import logit

from demo.core.round_trip_detection import round_trip_logits
from demo.core.spectrum import Array
from demo.defences.round_trip_samples import resampled, scaled, sharpened
from models.cards import Figure
from models.round_trip_card import RoundTripCard
from models.round_trip_detector import LoadedRoundTripDetector
from models.training.distortions import reencode_jpeg
from models.training.measure import auc_figure, share_figure

Pictures = npt.NDArray[np.uint8]


class Change(NamedTuple):
    """Something done to a crop, and the words for it."""

    words: str
    change: Callable[[Pictures], Pictures]


CLEAN: Final = Change("clean", lambda crop: crop)
HARMLESS: Final = (
    CLEAN,
    Change("scaled by 0.75", partial(scaled, factor=0.75)),
    Change("scaled by 1.25", partial(scaled, factor=1.25)),
    Change("shrunk by 1/1.15 and back", partial(resampled, factor=1.15, kernel=cv2.INTER_CUBIC)),
    Change("sharpened", partial(sharpened, sigma=1.0, amount=1.0)),
    Change("JPEG quality 80", partial(reencode_jpeg, quality=80)),
    Change("JPEG quality 60", partial(reencode_jpeg, quality=60)),
)
# As a round trip by a control ends: nothing can tell, so it is measured and not counted as either.
ENLARGED: Final = Change("scaled by 2", partial(scaled, factor=2.0))
ATTACKED: Final = Change("round trip", lambda crop: crop)
STORED: Final = (
    Change("round trip, then JPEG quality 90", partial(reencode_jpeg, quality=90)),
    Change("round trip, then JPEG quality 60", partial(reencode_jpeg, quality=60)),
)


@dataclass(frozen=True)
class Measured:
    """Crops of one split before and after one round trip each.

    Attributes:
        clean: N crops, uint8 RGB.
        attacked: the same after a round trip.
        k: N, its K.
        method: N, who restored.
        source: N names of the real video behind each: the unit that intervals are drawn over.
        of: what they are, for the card.
    """

    clean: Sequence[Pictures]
    attacked: Sequence[Pictures]
    k: npt.NDArray[np.float64]
    method: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]
    of: str


@dataclass(frozen=True)
class Answers:
    """Logits of many crops, N×(1 + factors), of each model."""

    linear: Array
    network: Array


@dataclass(frozen=True)
class Said:
    """What both models said of everything that is measured.

    Attributes:
        before: of the crops without a round trip, by the words for what was done to them.
        after: of the crops after a round trip, likewise.
        portraits: of pristine faces cut from photographs, at their own size.
    """

    before: dict[str, Answers]
    after: dict[str, Answers]
    portraits: Answers


def ask(loaded: LoadedRoundTripDetector, measured: Measured, portraits: Sequence[Pictures]) -> Said:
    """Ask both models about everything that the card speaks of, once."""
    return Said(
        before={one.words: answers(loaded, measured.clean, one) for one in (*HARMLESS, ENLARGED)},
        after={one.words: answers(loaded, measured.attacked, one) for one in (ATTACKED, *STORED)},
        portraits=answers(loaded, portraits),
    )


def answers(
    loaded: LoadedRoundTripDetector, crops: Sequence[Pictures], change: Change = CLEAN
) -> Answers:
    """Ask both models about crops that something was done to."""
    both = [round_trip_logits(change.change(np.asarray(crop)), loaded) for crop in crops]
    return Answers(*(np.stack(logits) for logits in zip(*both, strict=True)))


def figures(
    card: RoundTripCard, measured: Measured, said: Said, portraits: str
) -> tuple[Figure, ...]:
    """Count everything that the card says.

    Args:
        card: with its thresholds.
        measured: what was asked about.
        said: what both models said.
        portraits: what the portraits are, for the card.
    """
    found: list[Figure] = []
    for model in ("network", "linear"):
        threshold = card.network_threshold if model == "network" else card.linear_threshold
        seen = partial(_share, f"round trip seen, {model}", threshold, model)
        found += _areas(measured, said, model)
        found += _factors(card, measured, said, model)
        found += [seen(one, measured.of, words) for words, one in said.after.items()]
        found += [seen(one, measured.of, words) for words, one in said.before.items()]
        found.append(seen(said.portraits, portraits, CLEAN.words))
    return tuple(found)


def _areas(measured: Measured, said: Said, model: str) -> list[Figure]:
    before = _logits(said.before[CLEAN.words], model)[:, 0]
    after = _logits(said.after[ATTACKED.words], model)[:, 0]
    chosen = {"": np.full(len(after), True)}
    chosen |= {f" by {name}": measured.method == name for name in np.unique(measured.method)}
    return [
        replace(
            auc_figure(
                np.repeat([False, True], int(those.sum())),
                np.concatenate((before[those], after[those])),
                np.tile(measured.source[those], 2),
                measured.of,
                f"clean against a round trip{words}",
            ),
            name=f"AUC, {model}",
        )
        for words, those in chosen.items()
    ]


def _factors(card: RoundTripCard, measured: Measured, said: Said, model: str) -> list[Figure]:
    logits = _logits(said.after[ATTACKED.words], model)
    k = np.array(card.factors)[logits[:, 1:].argmax(axis=1)]
    near = np.abs(k - measured.k) <= 0.5
    return [
        share_figure(f"K right, {model}", k == measured.k, measured.of, ATTACKED.words),
        share_figure(f"K within 0.5, {model}", near, measured.of, ATTACKED.words),
    ]


def _share(
    name: str, threshold: float, model: str, said: Answers, of: str, condition: str
) -> Figure:
    return share_figure(name, _logits(said, model)[:, 0] >= logit(threshold), of, condition)


def _logits(said: Answers, model: str) -> Array:
    return said.network if model == "network" else said.linear
