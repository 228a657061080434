"""A GPU's memory that is full: smaller pieces, then the CPU; and the next request begins anew."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from demo.core.analysis import analyse, device_name
from demo.core.carrying_out import MEMORY_FULL
from demo.core.faces import FaceDetector
from demo.core.out_of_memory import LEAST_TILE_SIDE
from demo.core.picture_attack import Toolbox
from demo.core.restoring import restore
from demo.core.scoring import score_pass
from demo.core.settings import Settings
from demo.core.sweep import sweep
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.made_memory import FULL, memory_for
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
CPU = torch.device("cpu")
SETTINGS = Settings(box=(180, 80, 270, 170))


class Brightness(nn.Module):
    """N×3×4×4 to N×1: ten times the mean, which halving a batch cannot change."""

    def __init__(self) -> None:
        super().__init__()
        self.times = nn.Parameter(torch.tensor(10.0))

    def forward(self, batch: Tensor) -> Tensor:
        return batch.mean((1, 2, 3))[:, None] * self.times


@pytest.fixture
def detector(random_zoo: Zoo) -> LoadedDetector:
    return LoadedDetector(random_zoo.detector("resnet50").card, Brightness())


@pytest.fixture
def batch() -> Tensor:
    return torch.rand(16, 3, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def toolbox(random_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    """One detector, EDSR and the round-trip detector: enough, and no slower."""
    cards = tmp_path_factory.mktemp("cards")
    for name in ("edsr_x2", "edsr_x3", "edsr_x4", "resnet50", "round_trip"):
        shutil.copy(random_models.cards / f"{name}.json", cards)
    return Toolbox(Zoo("cpu", folder=random_models.weights, cards=cards), FaceDetector())


@pytest.mark.parametrize(("most", "taken"), [(16, 16), (15, 8), (8, 8), (5, 4), (1, 1)])
def test_a_pass_that_is_too_large_is_halved_until_it_fits(
    most: int, taken: int, detector: LoadedDetector, batch: Tensor
) -> None:
    with memory_for(most * 48, detector.network) as shapes:
        logits = score_pass(detector, batch, CPU)
    assert [shape[0] for shape in shapes] == [taken] * (16 // taken)
    assert logits == score_pass(detector, batch, CPU)


def test_odd_passes_lose_no_crop(detector: LoadedDetector, batch: Tensor) -> None:
    with memory_for(2 * 48, detector.network):
        logits = score_pass(detector, batch[:13], CPU)
    assert logits == score_pass(detector, batch, CPU)[:13]


def test_what_does_not_fit_alone_is_refused_and_the_next_pass_is_whole_again(
    detector: LoadedDetector, batch: Tensor
) -> None:
    with memory_for(47, detector.network), pytest.raises(torch.OutOfMemoryError):
        score_pass(detector, batch, CPU)
    with memory_for(16 * 48, detector.network) as shapes:
        score_pass(detector, batch, CPU)
    assert len(shapes) == 1


def test_a_library_that_finds_no_memory_counts_too(detector: LoadedDetector, batch: Tensor) -> None:
    status = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`")
    with memory_for(8 * 48, detector.network, status) as shapes:
        score_pass(detector, batch, CPU)
    assert [shape[0] for shape in shapes] == [8, 8]


def test_any_other_error_is_what_it_is(detector: LoadedDetector, batch: Tensor) -> None:
    broken = RuntimeError("CUDA error: an illegal memory access was encountered")
    with memory_for(8 * 48, detector.network, broken), pytest.raises(RuntimeError, match="illegal"):
        score_pass(detector, batch, CPU)


def test_threads_that_share_a_full_memory_get_their_own_answers(
    detector: LoadedDetector, batch: Tensor
) -> None:
    batches = [batch.roll(places, 0) for places in range(12)]
    alone = [score_pass(detector, one, CPU) for one in batches]
    with memory_for(3 * 48, detector.network), ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda one: score_pass(detector, one, CPU), batches))
    assert together == alone


def test_edsr_takes_smaller_tiles_and_gives_the_same_picture(random_zoo: Zoo) -> None:
    small = np.random.default_rng(0).integers(0, 256, (250, 240, 3), dtype=np.uint8)
    whole = restore(small, 2, "edsr", random_zoo)
    network = random_zoo.super_resolution(2).network
    with memory_for(3 * 168 * 168, network) as shapes:
        tiled = restore(small, 2, "edsr", random_zoo)
    assert len(shapes) == 4
    assert np.abs(tiled - whole).max() < 0.5 / 255


def test_edsr_gives_up_at_the_smallest_tiles(random_zoo: Zoo) -> None:
    network = random_zoo.super_resolution(2).network
    small = np.zeros((LEAST_TILE_SIDE, LEAST_TILE_SIDE, 3), np.uint8)
    with memory_for(1, network), pytest.raises(torch.OutOfMemoryError, match=FULL):
        restore(small, 2, "edsr", random_zoo)


@pytest.mark.parametrize("full", ["edsr", "resnet50", "round_trip"])
def test_an_analysis_goes_to_the_cpu_and_says_so(
    full: str, astronaut: Picture, toolbox: Toolbox
) -> None:
    zoo = toolbox.zoo
    network = {
        "edsr": zoo.super_resolution(2).network,
        "resnet50": zoo.detector("resnet50").network,
        "round_trip": zoo.round_trip_detector().network,
    }[full]
    before = analyse(astronaut, SETTINGS, toolbox)
    with memory_for(0, network):
        made = analyse(astronaut, SETTINGS, toolbox)
    assert made.problems == (MEMORY_FULL, *before.problems)
    assert made.device == device_name(CPU)
    assert made.results[0].scores == before.results[0].scores
    np.testing.assert_array_equal(made.attacked, before.attacked)
    assert analyse(astronaut, SETTINGS, toolbox).problems == before.problems


def test_a_sweep_goes_to_the_cpu_and_says_so(astronaut: Picture, toolbox: Toolbox) -> None:
    settings = replace(SETTINGS, box=(200, 100, 240, 140))
    with memory_for(0, toolbox.zoo.detector("resnet50").network):
        made = sweep(astronaut, settings, toolbox)
    assert made.problems[0] == MEMORY_FULL
    assert made.device == "cpu"
    assert all(point.scores for point in made.points)


@pytest.mark.gpu
def test_a_real_gpu_whose_memory_is_full(
    gpu: torch.device, astronaut: Picture, random_models: ModelFolders
) -> None:
    zoo = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    toolbox = Toolbox(zoo, FaceDetector())
    torch.cuda.empty_cache()
    try:
        torch.cuda.set_per_process_memory_fraction(1e-6)
        made = analyse(astronaut, SETTINGS, toolbox)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert MEMORY_FULL in made.problems
    assert made.device == device_name(CPU)
    again = analyse(astronaut, SETTINGS, toolbox)
    assert MEMORY_FULL not in again.problems
    assert again.device.startswith("cuda")
