"""Whether an attack does more in one study than in another: paired by picture, or independent."""

import numpy as np
from scipy.stats import permutation_test

from demo.study.rates import (
    SWAPS,
    Estimate,
    Floats,
    Judged,
    draws,
    interval,
    paired_p,
    per_source,
    wrong,
)

# What a detector says about the clean samples of a study, and about the attacked ones.
CleanAttacked = tuple[Judged, Judged]


def paired_difference(
    first: CleanAttacked, second: CleanAttacked, of_fakes: bool, seed: int
) -> tuple[Estimate, float]:
    """The change of an error rate in a second study less that in a first, on the same samples.

    Args:
        first: samples in one order.
        second: the same samples in the same order.
        of_fakes: the change of the FNR, or else of the FPR.
        seed: draws sources and swaps.

    Returns:
        The difference with its interval, and its two-sided p-value (``rates.paired_p``).
    """
    (ours, whole), (theirs, _) = (_changes(one, of_fakes) for one in (second, first))
    more = ours - theirs
    times = draws(len(whole), seed)
    found = interval(float(more.sum() / whole.sum()), _ratio(times @ more, times @ whole))
    return found, paired_p(more, seed)


def independent_difference(
    first: CleanAttacked, second: CleanAttacked, of_fakes: bool, seed: int
) -> tuple[Estimate, float]:
    """The same of studies without a common sample: sources are drawn, and dealt anew, in each.

    Returns:
        The difference with its interval, and the two-sided p-value of the permutation test that
        deals sources to the two studies.
    """
    (theirs, their_whole), (ours, our_whole) = (_changes(one, of_fakes) for one in (first, second))
    value = float(ours.sum() / our_whole.sum() - theirs.sum() / their_whole.sum())
    drawn = [
        _ratio(times @ part, times @ whole)
        for part, whole, times in (
            (ours, our_whole, draws(len(ours), seed)),
            (theirs, their_whole, draws(len(theirs), seed + 1)),
        )
    ]
    part, whole = np.concatenate([ours, theirs]), np.concatenate([our_whole, their_whole])
    counted = np.flatnonzero(whole)
    tested = permutation_test(
        (counted[counted < len(ours)], counted[counted >= len(ours)]),
        lambda mine, other, axis: (
            part[mine].sum(axis) / whole[mine].sum(axis)
            - part[other].sum(axis) / whole[other].sum(axis)
        ),
        permutation_type="independent",
        vectorized=True,
        n_resamples=SWAPS,
        batch=1000,
        rng=np.random.default_rng(seed),
    )
    return interval(value, drawn[0] - drawn[1]), float(tested.pvalue)


def _changes(both: CleanAttacked, of_fakes: bool) -> tuple[Floats, Floats]:
    """Of every source: verdicts that are wrong attacked less those wrong clean, and samples."""
    clean, attacked = both
    counted = clean.fake if of_fakes else ~clean.fake
    after, before = (per_source(clean, wrong(one) & counted) for one in (attacked, clean))
    return after - before, per_source(clean, counted)


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        found: Floats = part / whole
    return found
