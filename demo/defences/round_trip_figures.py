"""What the round-trip detector's card says: how often it sees one, where there is one and where not."""

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


def answers(
    loaded: LoadedRoundTripDetector, crops: Sequence[Pictures], change: Change = CLEAN
) -> Answers:
    """Ask both models about crops that something was done to."""
    both = [round_trip_logits(change.change(np.asarray(crop)), loaded) for crop in crops]
    return Answers(*(np.stack(logits) for logits in zip(*both, strict=True)))


def figures(
    loaded: LoadedRoundTripDetector, measured: Measured, portraits: Sequence[Pictures], part: str
) -> tuple[Figure, ...]:
    """Measure everything that the card says.

    Args:
        loaded: the detector with its thresholds.
        measured: crops of a data set; half of what the AUC compares is attacked.
        portraits: pristine faces cut from photographs at their own size.
        part: which portraits they are, for the card.
    """
    attacked, clean = answers(loaded, measured.attacked), answers(loaded, measured.clean)
    harmless = [(one, answers(loaded, measured.clean, one)) for one in (*HARMLESS[1:], ENLARGED)]
    stored = [(one, answers(loaded, measured.attacked, one)) for one in STORED]
    photographs = answers(loaded, portraits)
    found: list[Figure] = []
    for model in ("network", "linear"):
        threshold = _threshold(loaded, model)
        seen = partial(_share, f"round trip seen, {model}", threshold, model=model)
        found += _areas(measured, clean, attacked, model)
        found += _factors(loaded, measured, attacked, model)
        found.append(seen(attacked, measured.of, "round trip"))
        found += [seen(said, measured.of, one.words) for one, said in stored]
        found.append(seen(clean, measured.of, CLEAN.words))
        found += [seen(said, measured.of, one.words) for one, said in harmless]
        found.append(seen(photographs, f"{len(portraits)} {part}", CLEAN.words))
    return tuple(found)


def _areas(measured: Measured, clean: Answers, attacked: Answers, model: str) -> list[Figure]:
    before, after = _logits(clean, model)[:, 0], _logits(attacked, model)[:, 0]
    chosen = {"": np.full(len(after), True)}
    chosen |= {f" by {name}": measured.method == name for name in np.unique(measured.method)}
    return [
        replace(
            auc_figure(
                np.repeat([False, True], [len(before), int(those.sum())]),
                np.concatenate((before, after[those])),
                np.concatenate((measured.source, measured.source[those])),
                measured.of,
                f"clean against a round trip{words}",
            ),
            name=f"AUC, {model}",
        )
        for words, those in chosen.items()
    ]


def _factors(
    loaded: LoadedRoundTripDetector, measured: Measured, attacked: Answers, model: str
) -> list[Figure]:
    factors = np.array(loaded.card.factors)
    said = factors[_logits(attacked, model)[:, 1:].argmax(axis=1)]
    right = said == measured.k
    near = np.abs(said - measured.k) <= 0.5
    return [
        share_figure(f"K right, {model}", right, measured.of, "round trip"),
        share_figure(f"K within 0.5, {model}", near, measured.of, "round trip"),
    ]


def _share(
    name: str, threshold: float, said: Answers, of: str, condition: str, model: str
) -> Figure:
    return share_figure(name, _logits(said, model)[:, 0] >= logit(threshold), of, condition)


def _logits(said: Answers, model: str) -> Array:
    return said.network if model == "network" else said.linear


def _threshold(loaded: LoadedRoundTripDetector, model: str) -> float:
    card = loaded.card
    return card.network_threshold if model == "network" else card.linear_threshold
