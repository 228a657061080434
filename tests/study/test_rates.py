"""Rates against scikit-learn, and intervals that are as wide as the sources make them."""

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import confusion_matrix, precision_score, recall_score, roc_auc_score

from demo.core.errors import SettingsError
from demo.study.rates import Judged, _auc_of_draws, change, holm, rates


def judged(samples: int = 300, sources: int = 60, shift: float = 1.0, seed: int = 1) -> Judged:
    rng = np.random.default_rng(seed)
    fake = rng.random(samples) < 0.6
    logit = np.round(rng.normal(size=samples) + shift * fake, 1).astype(np.float64)
    source = np.arange(samples) % sources
    return Judged(fake, logit, 0.4, source)


def test_every_rate_is_scikit_learns() -> None:
    one = judged()
    called = one.logit >= one.threshold
    found = rates(one, seed=0)
    (spared, alarms), (missed, caught) = confusion_matrix(one.fake, called)
    assert found.fnr.value == pytest.approx(missed / (missed + caught))
    assert found.fpr.value == pytest.approx(alarms / (alarms + spared))
    assert found.recall.value == pytest.approx(recall_score(one.fake, called))
    assert found.precision.value == pytest.approx(precision_score(one.fake, called))
    assert found.auc.value == pytest.approx(roc_auc_score(one.fake, one.logit))
    assert found.accuracy.value == pytest.approx(1 - (found.fnr.value + found.fpr.value) / 2)
    for rate in (found.fnr, found.fpr, found.recall, found.precision, found.auc, found.accuracy):
        assert rate.low < rate.value < rate.high


def test_the_auc_of_a_draw_is_that_of_its_samples_repeated() -> None:
    one = judged(samples=80, sources=13)
    drawn = np.random.default_rng(3).integers(0, 13, (5, 13))
    times = np.stack([np.bincount(draw, minlength=13) for draw in drawn]).astype(np.float64)
    for draw, auc in zip(drawn, _auc_of_draws(one, times), strict=True):
        repeated = np.concatenate([np.flatnonzero(one.source == source) for source in draw])
        assert auc == pytest.approx(roc_auc_score(one.fake[repeated], one.logit[repeated]))


def test_copies_of_a_source_make_no_interval_narrower() -> None:
    one = judged(samples=120, sources=120)
    copied = Judged(
        np.tile(one.fake, 9), np.tile(one.logit, 9), one.threshold, np.tile(one.source, 9)
    )
    alone, with_copies = rates(one, seed=0), rates(copied, seed=0)
    for name in ("fnr", "fpr", "precision", "auc", "accuracy"):
        first, second = getattr(alone, name), getattr(with_copies, name)
        assert (first.value, first.low, first.high) == pytest.approx(
            (second.value, second.low, second.high)
        )


def test_95_per_cent_of_the_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        fake = np.arange(400) % 2 == 0
        logit = np.where(rng.random(400) < 0.3, -1.0, 1.0)
        found = rates(Judged(fake, logit, 0.0, np.arange(400)), seed).fnr
        held += found.low <= 0.3 <= found.high
    assert 88 <= held <= 100


def test_the_change_counts_verdicts_both_ways() -> None:
    fake = np.array([True] * 40 + [False] * 10)
    before = np.where(fake, 1.0, -1.0)
    after = before.copy()
    before[0] = -1.0
    after[5:20] = -1.0
    source = np.arange(50)
    clean, attacked = (Judged(fake, logit, 0.0, source) for logit in (before, after))
    found = change(clean, attacked, of_fakes=True, seed=0)
    assert (found.newly_wrong, found.newly_right) == (15, 1)
    assert found.points.value == pytest.approx(14 / 40)
    assert found.points.low > 0.15
    assert found.p_value < 0.005
    assert found.cohens_g == pytest.approx(15 / 16 - 0.5)
    none = change(clean, attacked, of_fakes=False, seed=0)
    assert (none.points.value, none.p_value, none.cohens_g) == (0.0, 1.0, 0.0)


def test_verdicts_that_change_within_a_source_are_one_finding() -> None:
    fake = np.array([True, True, False, False] * 10)
    before = np.where(fake, 1.0, -1.0)
    after = np.where(fake, -1.0, -1.0)
    clean, attacked = (Judged(fake, one, 0.0, np.arange(40) % 2) for one in (before, after))
    assert change(clean, attacked, of_fakes=True, seed=0).p_value > 0.3


@pytest.mark.parametrize("fake", [True, False])
def test_one_class_alone_is_refused(fake: bool) -> None:
    with pytest.raises(SettingsError, match="only one of the two came"):
        Judged(np.full(4, fake), np.zeros(4), 0.0, np.arange(4))


def test_one_source_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="all came from one"):
        Judged(np.array([True, False]), np.zeros(2), 0.0, np.zeros(2, int))


def test_an_interval_is_that_of_scipys_bootstrap_over_sources() -> None:
    one = judged(samples=300, sources=60)
    fakes, missed = (
        np.bincount(one.source, weights=flags)
        for flags in (one.fake, one.fake & (one.logit < one.threshold))
    )
    theirs = bootstrap(
        (missed, fakes),
        lambda missed, fakes, axis: missed.sum(axis) / fakes.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(8),
    ).confidence_interval
    found = rates(one, seed=0).fnr
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


@pytest.mark.filterwarnings("error")
def test_a_draw_without_a_fake_is_left_out_without_a_warning() -> None:
    fake = np.array([True, False, False, False])
    found = rates(Judged(fake, np.array([1.0, -1.0, 2.0, -2.0]), 0.0, np.arange(4)), seed=0)
    assert (found.fnr.low, found.fnr.high) == (0.0, 0.0)
    assert found.auc.low < found.auc.high == 1.0


def test_holm_multiplies_the_smallest_most_and_keeps_the_order() -> None:
    assert holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
