import numpy as np
import pytest

from models.training.measure import auc_figure, balanced_threshold, share_figure


def test_the_auc_and_its_interval() -> None:
    rng = np.random.default_rng(1)
    fake = np.repeat([False, True], 200)
    logits = rng.normal(0, 1, 400) + fake
    source = np.array([f"v{index % 200}" for index in range(400)])
    figure = auc_figure(fake, logits, source, "made", "clean")
    wins = (logits[fake][:, None] > logits[~fake][None]).mean()
    assert figure.value == pytest.approx(wins, abs=1e-4)
    assert figure.low is not None and figure.high is not None
    # Hanley and McNeil's standard error for this size is 0.023.
    assert 0.06 < figure.high - figure.low < 0.12
    assert figure.low < figure.value < figure.high


def test_the_interval_is_drawn_over_videos_not_crops() -> None:
    rng = np.random.default_rng(2)
    videos = np.repeat(np.arange(20), 20)
    fake = np.tile(np.repeat([False, True], 10), 20)
    logits = rng.normal(0, 2, 20)[videos] * fake + fake + rng.normal(0, 0.1, 400)
    few = auc_figure(fake, logits, videos.astype(str), "made", "clean")
    many = auc_figure(fake, logits, np.arange(400).astype(str), "made", "clean")
    assert few.low is not None and few.high is not None
    assert many.low is not None and many.high is not None
    assert few.high - few.low > 1.5 * (many.high - many.low)


def test_a_share_has_wilsons_interval() -> None:
    figure = share_figure("FNR", np.arange(100) < 10, "made", "clean")
    assert (figure.value, figure.unit) == (10.0, "%")
    assert figure.low == pytest.approx(5.52, abs=0.01)
    assert figure.high == pytest.approx(17.44, abs=0.01)


def test_the_balanced_threshold_errs_least() -> None:
    rng = np.random.default_rng(3)
    fake = rng.random(90) < 0.2
    logits = np.round(rng.normal(0, 1, 90) + 1.2 * fake, 1).astype(np.float64)

    def error(threshold: float) -> float:
        called = logits >= threshold
        return float((~called)[fake].mean() + called[~fake].mean())

    found = balanced_threshold(fake, logits)
    assert error(found) == pytest.approx(min(error(one) for one in np.arange(-5, 5, 0.05)))


def test_the_balanced_threshold_of_two_classes_apart_lies_half_way() -> None:
    assert balanced_threshold(np.array([False, False, True]), np.array([1.0, 2.0, 4.0])) == 3.0
