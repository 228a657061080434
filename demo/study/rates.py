"""Error rates with intervals over source videos, and paired tests of clean against attacked.

Pictures of one video, and a video and the fakes made from it, are alike: counting each as a draw
of its own would make intervals too narrow. So whole sources are drawn (a cluster bootstrap: Field
and Welsh, "Bootstrapping clustered data", JRSS B 2007), and the paired test swaps clean and
attacked for whole sources. Every figure of as many sources is taken from the same draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import permutation_test
from sklearn.metrics import roc_auc_score

from demo.core.errors import SettingsError

RESAMPLES: Final = 2000
SWAPS: Final = 9999
BATCH: Final = 200

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval (percentile bootstrap over sources)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """What an attack does to an error rate, sample by sample.

    Attributes:
        points: attacked less clean rate, a fraction with its interval.
        p_value: two-sided, of the paired permutation test over sources.
        newly_wrong: samples judged rightly before and wrongly after.
        newly_right: samples judged wrongly before and rightly after.
        cohens_g: effect size: the share of the larger of the two among both, less a half; 0 to
            0.5 (Cohen, "Statistical Power Analysis", 1988, chapter 5); 0 where no verdict changed.
    """

    points: Estimate
    p_value: float
    newly_wrong: int
    newly_right: int
    cohens_g: float


@dataclass(frozen=True)
class Judged:
    """What one detector says about the samples of a table.

    Attributes:
        fake: N, the truth.
        logit: N, its answers.
        threshold: log-odds from which an answer is called fake.
        source: N, the number of each sample's source, from 0 without gaps.
    """

    fake: Flags
    logit: Floats
    threshold: float
    source: Indices

    def __post_init__(self) -> None:
        if self.fake.all() or not self.fake.any():
            raise SettingsError(
                "A table needs pristine and fake pictures, but only one of the two came. Add the "
                "other."
            )
        if int(self.source.max()) < 1:
            raise SettingsError(
                "A table needs pictures of two or more source videos, but all came from one. Add "
                "others."
            )


@dataclass(frozen=True)
class Rates:
    """The columns of the paper's Tables 1 and 2, as fractions.

    Attributes:
        fnr: share of fakes called real.
        fpr: share of pristine pictures called fake.
        recall: 1 less FNR.
        precision: share of fakes among what is called fake; NaN where nothing is.
        auc: area under the ROC curve.
        accuracy: 1 less the mean of FNR and FPR, as the paper has it.
    """

    fnr: Estimate
    fpr: Estimate
    recall: Estimate
    precision: Estimate
    auc: Estimate
    accuracy: Estimate


def rates(judged: Judged, seed: int) -> Rates:
    """Every rate of one detector, with its interval; the seed draws the sources."""
    called = judged.logit >= judged.threshold
    fakes, pristine = per_source(judged, judged.fake), per_source(judged, ~judged.fake)
    caught = per_source(judged, judged.fake & called)
    alarms = per_source(judged, ~judged.fake & called)
    return Rates(
        fnr=share(fakes - caught, fakes, seed),
        fpr=share(alarms, pristine, seed),
        recall=share(caught, fakes, seed),
        precision=share(caught, caught + alarms, seed),
        auc=interval(*drawn_auc(judged, seed)),
        accuracy=_estimate(
            (caught, fakes, pristine - alarms, pristine),
            lambda caught, fakes, spared, pristine: (
                (divide(caught, fakes) + divide(spared, pristine)) / 2
            ),
            seed,
        ),
    )


def change(clean: Judged, attacked: Judged, of_fakes: bool, seed: int) -> Change:
    """What an attack does to the FNR (of the fakes) or to the FPR (of the pristine pictures).

    Args:
        clean: what the detector says of the clean samples.
        attacked: what it says of the same samples, in the same order, attacked.
        of_fakes: which of the two rates.
        seed: draws the sources and the swaps.
    """
    counted = clean.fake if of_fakes else ~clean.fake
    before, after = (wrong(one) & counted for one in (clean, attacked))
    of_source = per_source(clean, counted)
    wrong_before, wrong_after = per_source(clean, before), per_source(clean, after)
    newly_wrong, newly_right = int((after & ~before).sum()), int((before & ~after).sum())
    changed = newly_wrong + newly_right
    return Change(
        points=share(wrong_after - wrong_before, of_source, seed),
        p_value=paired_p(wrong_after - wrong_before, seed),
        newly_wrong=newly_wrong,
        newly_right=newly_right,
        cohens_g=max(newly_wrong, newly_right) / changed - 0.5 if changed else 0.0,
    )


def mean(values: Floats, source: npt.NDArray[np.object_], seed: int) -> Estimate:
    """The mean of one number a sample, with its interval over sources; infinite ones left out.

    The interval is NaN where there are fewer than two sources.
    """
    kept = np.isfinite(values)
    _, place = np.unique(source[kept], return_inverse=True)
    total = np.bincount(place, weights=values[kept]).astype(np.float64)
    count = np.bincount(place).astype(np.float64)
    if len(count) < 2:
        return Estimate(float(values.mean()), float("nan"), float("nan"))
    return share(total, count, seed)


def paired_p(difference: Floats, seed: int) -> float:
    """Two-sided p-value of a paired permutation test: the sign of each source may be the other.

    Args:
        difference: what each source adds to one figure, less what it adds to the other. Sources
            that add nothing stay out: whichever sign they have, nothing moves.
        seed: draws the signs, where there are too many to try all.
    """
    moved = difference[difference != 0]
    if len(moved) < 2:  # either sign of a single one is as far from nothing
        return 1.0
    tested = permutation_test(
        (moved, np.zeros_like(moved)),
        lambda after, before, axis: (after - before).sum(axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=SWAPS,
        rng=np.random.default_rng(seed),
    )
    return float(tested.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of a family of tests (Holm, Scandinavian Journal of Statistics 1979).

    The chance of one false finding or more among all of them is then at most the level at which
    they are read, however the tests depend on each other: those of a study share their pictures.
    """
    asked = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(asked, kind="stable")
    stepped = np.maximum.accumulate(asked[order] * np.arange(len(asked), 0, -1))
    adjusted = np.empty_like(asked)
    adjusted[order] = np.minimum(stepped, 1.0)
    found: list[float] = adjusted.tolist()
    return found


def wrong(judged: Judged) -> Flags:
    """Of which samples the verdict is wrong."""
    found: Flags = (judged.logit >= judged.threshold) != judged.fake
    return found


def per_source(judged: Judged, flags: Flags) -> Floats:
    """How many samples of each source are flagged."""
    counts = np.bincount(judged.source, weights=flags, minlength=int(judged.source.max()) + 1)
    return counts.astype(np.float64)


def share(part: Floats, whole: Floats, seed: int) -> Estimate:
    """A share of sums over sources, with its interval."""
    return _estimate((part, whole), divide, seed)


def divide(part: Floats, whole: Floats) -> Floats:
    """A quotient that is NaN, without a warning, where nothing is divided by nothing."""
    with np.errstate(invalid="ignore"):
        ratio: Floats = part / whole
    return ratio


def _estimate(per_source: tuple[Floats, ...], figure: Callable[..., Floats], seed: int) -> Estimate:
    """A figure of sums over sources, and its interval."""
    times = draws(len(per_source[0]), seed)
    value = float(figure(*(np.sum(one) for one in per_source)))
    return interval(value, figure(*(times @ one for one in per_source)))


@lru_cache(maxsize=8)
def draws(sources: int, seed: int) -> Floats:
    """How often each source comes in each bootstrap sample: float64, RESAMPLES×sources."""
    drawn = np.random.default_rng(seed).integers(0, sources, (RESAMPLES, sources))
    places = drawn + sources * np.arange(RESAMPLES)[:, None]
    times = np.bincount(places.ravel(), minlength=places.size).astype(np.float64)
    times = times.reshape(places.shape)
    times.setflags(write=False)
    return times


def drawn_auc(judged: Judged, seed: int) -> tuple[float, Floats]:
    """The AUC, and that of every draw of sources: float64, RESAMPLES."""
    times = draws(int(judged.source.max()) + 1, seed)
    drawn = [_auc_of_draws(judged, some) for some in np.array_split(times, RESAMPLES // BATCH)]
    return float(roc_auc_score(judged.fake, judged.logit)), np.concatenate(drawn)


def _auc_of_draws(judged: Judged, times: Floats) -> Floats:
    """The AUC of every draw of sources at once: the share of pairs that are in the right order.

    A pair of a fake and a pristine picture with equal answers counts half.
    """
    fakes, pristine = judged.logit[judged.fake], judged.logit[~judged.fake]
    order = np.argsort(pristine)
    below, through = (np.searchsorted(pristine[order], fakes, side) for side in ("left", "right"))
    times_fake = times[:, judged.source[judged.fake]]
    times_pristine = times[:, judged.source[~judged.fake][order]]
    up_to = np.pad(np.cumsum(times_pristine, axis=1), ((0, 0), (1, 0)))
    pairs = (times_fake * (up_to[:, below] + up_to[:, through])).sum(axis=1) / 2
    return divide(pairs, times_fake.sum(axis=1) * up_to[:, -1])


def interval(value: float, drawn: Floats) -> Estimate:
    """A figure with the middle 95 % of its draws.

    A draw without any fake, or any pristine picture, has no rate: it is NaN, and left out.
    """
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan,) * 2
    return Estimate(value, float(low), float(high))
