"""Networks in bfloat16 answer nearly what they answer in float32, and the exact ones stay exact."""

import numpy as np
import pytest
import torch

from demo.core.restoring import restore
from demo.core.scoring import score_crops
from models.cards import DETECTOR_NAMES
from models.precision import in_bfloat16, type_of
from models.zoo import Zoo
from tests.made_models import ModelFolders

RNG = np.random.default_rng(4)
CROPS = [
    np.kron(RNG.integers(0, 256, (7, 7, 3), dtype=np.uint8), np.ones((32, 32, 1), np.uint8))
    for _ in range(9)
]


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_detector_answers_nearly_the_same(name: str, random_zoo: Zoo) -> None:
    exact = random_zoo.detector(name)
    before = score_crops(exact, CROPS, random_zoo.device)
    fast = random_zoo.in_bfloat16().detector(name)
    assert type_of(fast.network) == torch.bfloat16
    moved = np.abs(np.subtract(score_crops(fast, CROPS, random_zoo.device), before))
    assert 0 < moved.max() < 0.1 * np.ptp(before)
    assert score_crops(exact, CROPS, random_zoo.device) == before


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr_enlarges_nearly_the_same(scale: int, random_zoo: Zoo) -> None:
    small = CROPS[0][::4, ::4]
    exact = restore(small, scale, "edsr", random_zoo)
    fast = restore(small, scale, "edsr", random_zoo.in_bfloat16())
    assert 0 < np.abs(fast - exact).max() < 0.02
    assert (restore(small, scale, "edsr", random_zoo) == exact).all()


@pytest.mark.gpu
def test_on_a_gpu_too(gpu: torch.device, random_models: ModelFolders) -> None:
    exact = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    fast = exact.in_bfloat16()
    for name in DETECTOR_NAMES:
        before = score_crops(exact.detector(name), CROPS, gpu)
        moved = np.abs(np.subtract(score_crops(fast.detector(name), CROPS, gpu), before))
        assert 0 < moved.max() < 0.1 * np.ptp(before)
    small = CROPS[0][::4, ::4]
    apart = restore(small, 2, "edsr", fast) - restore(small, 2, "edsr", exact)
    assert 0 < np.abs(apart).max() < 0.02


def test_batch_normalisation_is_folded_before_anything_is_rounded() -> None:
    torch.manual_seed(0)
    normalised = torch.nn.BatchNorm2d(4)
    torch.nn.init.constant_(normalised.get_buffer("running_mean"), 100)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, bias=False), normalised).eval()
    batch = torch.rand(2, 3, 5, 5)
    with torch.inference_mode():
        exact = network(batch)
        folded = in_bfloat16(network)(batch.to(torch.bfloat16)).float()
    assert not any(isinstance(one, torch.nn.BatchNorm2d) for one in in_bfloat16(network).modules())
    assert (folded - exact).abs().max() < 0.01 * exact.abs().max()
