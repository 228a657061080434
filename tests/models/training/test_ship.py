import numpy as np
import pytest
from scipy.special import logit

from models.training.ship import MOST_CALLED_FAKE, operating_threshold


def test_few_pristine_portraits_reach_the_threshold() -> None:
    logits = np.random.default_rng(1).normal(0.5, 1.0, 130)
    threshold = operating_threshold(logits)
    assert 0.5 < threshold < 1
    called = float((logits >= logit(threshold)).mean())
    assert called <= MOST_CALLED_FAKE
    lower = float((logits >= logit(threshold - 0.002)).mean())
    assert lower == pytest.approx(called, abs=0.02)


def test_a_detector_that_calls_few_of_them_fake_keeps_one_half() -> None:
    assert operating_threshold(np.full(130, -2.0)) == 0.5
