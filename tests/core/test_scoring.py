"""A detector's logits and verdicts, in batches and one by one."""

import math

import numpy as np
import pytest
import torch

from demo.core.errors import WeightsError
from demo.core.scoring import BATCH, DetectorScore, compare, probability, score_crops
from models.cards import DETECTOR_NAMES
from models.detectors import fake_logits, prepare
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.made_models import ModelFolders


def some_crops(count: int) -> list[np.ndarray]:
    numbers = np.random.default_rng(1)
    return [
        np.kron(
            numbers.integers(0, 256, (5, 6, 3), dtype=np.uint8),
            np.ones((10 + index, 12, 1), dtype=np.uint8),
        )
        for index in range(count)
    ]


def a_score(clean: float, attacked: float, threshold: float = 0.5) -> DetectorScore:
    return DetectorScore("resnet50", "ResNet50", clean, attacked, 0.0, 0.0, threshold)


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_the_logits_are_the_networks_in_the_order_of_the_crops(name: str, random_zoo: Zoo) -> None:
    loaded = random_zoo.detector(name)
    crops = some_crops(3)
    logits = score_crops(loaded, crops, random_zoo.device)
    with torch.inference_mode():
        alone = [float(fake_logits(loaded.network, prepare([crop], loaded.card))) for crop in crops]
    assert logits == pytest.approx(alone, abs=1e-4)
    assert len({round(logit, 3) for logit in logits}) == 3


def test_more_crops_than_a_batch_holds_are_all_asked(random_zoo: Zoo) -> None:
    crops = some_crops(3)
    many = [crops[index % 3] for index in range(BATCH + 2)]
    few = score_crops(random_zoo.detector("resnet50"), crops, random_zoo.device)
    logits = score_crops(random_zoo.detector("resnet50"), many, random_zoo.device)
    assert logits == pytest.approx([few[index % 3] for index in range(BATCH + 2)], abs=1e-4)


def test_no_crops_no_logits(random_zoo: Zoo) -> None:
    assert score_crops(random_zoo.detector("resnet50"), [], random_zoo.device) == []


def test_a_detector_that_answers_nonsense_is_refused_by_name(random_zoo: Zoo) -> None:
    class Nonsense(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(math.nan))

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return batch.mean((1, 2, 3), keepdim=False)[:, None] * self.weight

    broken = LoadedDetector(random_zoo.detector("xception").card, Nonsense())
    with pytest.raises(WeightsError, match=r"XceptionNet.*finite"):
        score_crops(broken, some_crops(1), random_zoo.device)


@pytest.mark.parametrize(
    ("logit", "expected"), [(0.0, 0.5), (math.log(3), 0.75), (-math.log(3), 0.25)]
)
def test_a_logit_is_the_log_odds_of_fake(logit: float, expected: float) -> None:
    assert probability(logit) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("logit", "expected"), [(1e4, 1.0), (-1e4, 0.0)])
def test_an_extreme_logit_does_not_overflow(logit: float, expected: float) -> None:
    assert probability(logit) == expected


def test_a_score_carries_the_cards_name_title_and_threshold(random_zoo: Zoo) -> None:
    loaded = random_zoo.detector("swin_small")
    score = compare(loaded, -1.0, 2.0)
    assert (score.detector, score.title) == ("swin_small", "Swin-Small")
    assert (score.clean_logit, score.attacked_logit) == (-1.0, 2.0)
    assert (score.clean, score.attacked) == (probability(-1.0), probability(2.0))
    assert score.threshold == loaded.card.threshold


@pytest.mark.parametrize(
    ("clean", "attacked", "flipped"),
    [(0.2, 0.4, False), (0.7, 0.9, False), (0.4, 0.6, True), (0.6, 0.4, True)],
)
def test_a_verdict_flips_when_the_probability_crosses_the_threshold(
    clean: float, attacked: float, flipped: bool
) -> None:
    score = a_score(clean, attacked)
    assert score.flipped is flipped
    assert (score.clean_fake, score.attacked_fake) == (clean > 0.5, attacked > 0.5)


def test_the_threshold_is_the_cards_and_counts_as_fake() -> None:
    score = a_score(0.3, 0.29, threshold=0.3)
    assert score.clean_fake
    assert not score.attacked_fake
    assert score.flipped


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_the_gpu_agrees_with_the_cpu_within_a_thousandth(
    name: str, gpu: torch.device, random_models: ModelFolders, random_zoo: Zoo
) -> None:
    there = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    crops = some_crops(4)
    theirs = score_crops(there.detector(name), crops, there.device)
    ours = score_crops(random_zoo.detector(name), crops, random_zoo.device)
    for one, other in zip(theirs, ours, strict=True):
        assert probability(one) == pytest.approx(probability(other), abs=1e-3)
