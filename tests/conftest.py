"""What several tests need: made-up networks, a public-domain portrait, the shared data."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import skimage
import torch

from models.zoo import Zoo
from tests.made_models import ModelFolders, make_defences, make_models

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def random_models(tmp_path_factory: pytest.TempPathFactory) -> ModelFolders:
    """Files and cards of six networks with made-up weights; not to be written to."""
    return make_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def random_zoo(random_models: ModelFolders) -> Zoo:
    """A zoo on the CPU over the made-up networks."""
    return Zoo("cpu", folder=random_models.weights, cards=random_models.cards)


@pytest.fixture
def own(random_models: ModelFolders, tmp_path: Path) -> ModelFolders:
    """Folders like those of the made-up models, which a test may spoil: new names, same files."""
    folders = ModelFolders(tmp_path / "weights", tmp_path / "cards")
    folders.weights.mkdir()
    for file in random_models.weights.iterdir():
        (folders.weights / file.name).symlink_to(file)
    shutil.copytree(random_models.cards, folders.cards)
    return folders


@pytest.fixture(scope="session")
def defended_models(
    random_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory
) -> ModelFolders:
    """The made-up networks and some defences: ResNet50's robust twin, three small networks."""
    root = tmp_path_factory.mktemp("defended")
    folders = ModelFolders(root / "weights", root / "cards")
    folders.weights.mkdir()
    for file in random_models.weights.iterdir():
        (folders.weights / file.name).hardlink_to(file)
    shutil.copytree(random_models.cards, folders.cards)
    make_defences(folders)
    return folders


@pytest.fixture(scope="session")
def defended_zoo(defended_models: ModelFolders) -> Zoo:
    """A zoo on the CPU over these."""
    return Zoo("cpu", folder=defended_models.weights, cards=defended_models.cards)


@pytest.fixture(scope="session")
def astronaut() -> npt.NDArray[np.uint8]:
    """The astronaut's portrait, one face: uint8 RGB 512×512×3; ships inside scikit-image."""
    picture: npt.NDArray[np.uint8] = skimage.data.astronaut()
    return picture


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets beside the project: its absence is a failure in CI, else a skip."""
    if not SHARED_DATA.is_dir():
        reason = "needs the data sets in ../shared/data beside the project, and found none"
        if os.environ.get("CI"):
            pytest.fail(f"This test {reason}.", pytrace=False)
        pytest.skip(reason)
    return SHARED_DATA


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    """The GPU; a test that asks for it is skipped where there is none."""
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    return torch.device("cuda")
