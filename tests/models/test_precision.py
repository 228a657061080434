"""Networks in bfloat16 answer nearly what they answer in float32, and the exact ones stay exact."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.attack import round_trip
from demo.core.faces import FaceDetector
from demo.core.restoring import restore
from demo.core.scoring import score_crops
from models.cards import DETECTOR_NAMES
from models.errors import WeightsError
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


@pytest.mark.parametrize("k", [2.0, 3.0, 4.0])
def test_a_restored_face_differs_by_three_grey_levels_at_most_and_hardly_by_more_than_two(
    k: float, astronaut: npt.NDArray[np.uint8]
) -> None:
    shipped = Zoo("cpu")
    crop = astronaut[78:171, 178:271]
    exact = round_trip(crop, k, "edsr", "area", shipped).astype(int)
    fast = round_trip(crop, k, "edsr", "area", shipped.in_bfloat16())
    apart = np.abs(fast - exact)
    assert 0 < apart.max() <= 3
    assert (apart > 2).mean() < 0.002


def test_a_zoo_is_asked_for_by_the_name_of_its_precision(random_zoo: Zoo) -> None:
    fast = random_zoo.in_precision("bfloat16")
    assert (fast.precision, random_zoo.precision) == ("bfloat16", "float32")
    assert fast.exact is random_zoo
    assert random_zoo.in_precision("float32") is random_zoo
    assert fast.in_precision("float32") is random_zoo
    with pytest.raises(WeightsError, match="'half' is unknown: expected float32 or bfloat16"):
        random_zoo.in_precision("half")


def test_an_analysis_says_that_it_is_not_exact(
    random_zoo: Zoo, astronaut: npt.NDArray[np.uint8]
) -> None:
    settings = Settings(box=(170, 70, 270, 170))
    fast = Toolbox(random_zoo.in_bfloat16(), FaceDetector())
    assert analyse(astronaut, settings, fast).device.endswith(", bfloat16")
    assert "bfloat16" not in analyse(astronaut, settings, replace(fast, zoo=random_zoo)).device
