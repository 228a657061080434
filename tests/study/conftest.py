"""A small data set of made-up faces, and models that answer about them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.study.folder import open_folder
from demo.study.samples import DataSet
from models.card_files import read_detector_card, write_card
from models.cards import WeightsFile
from models.ensemble import SMALL_ENSEMBLE
from models.policy import build_policy_of
from models.policy_card import PolicyName
from models.weights import save_weights
from models.zoo import Zoo
from tests.made_models import ModelFolders, make_defences, policy_card
from tests.study.made_detectors import make_detectors
from tests.study.made_ffpp import make_ffpp


@pytest.fixture(scope="session")
def study_toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten crops of each class, one broken, with a name that is no ASCII."""
    root = tmp_path_factory.mktemp("faces") / "Gesichter, größer"
    rng = np.random.default_rng(5)
    for kind in ("real", "fake"):
        (root / kind).mkdir(parents=True)
        for number in range(10):
            crop = rng.integers(0, 256, (40 + number, 48, 3), dtype=np.uint8)
            Image.fromarray(crop).save(root / kind / f"{kind} {number}.png")
    (root / "fake" / "fake 3.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="session")
def crops_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 small crops: four whole parts."""
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(7)
    for number in range(64):
        folder = root / ("real" if number % 2 else "fake")
        folder.mkdir(exist_ok=True)
        crop = rng.integers(0, 256, (48, 44, 3), dtype=np.uint8)
        Image.fromarray(crop).save(folder / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def small_set(faces_folder: Path) -> DataSet:
    return open_folder(faces_folder, crops=True)


@pytest.fixture(scope="session")
def small_detectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three quick detectors, cards and weights; not to be written to."""
    return make_detectors(tmp_path_factory.mktemp("detectors") / "small")


@pytest.fixture(scope="session")
def quick_defences(
    small_detectors: Path, random_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The quick detectors, EDSR ×2, and the defences of ``made_models``; not to be written to."""
    folder = tmp_path_factory.mktemp("defended") / "small"
    shutil.copytree(small_detectors, folder)
    shutil.copy(random_models.cards / "edsr_x2.json", folder)
    shutil.copy(random_models.weights / "edsr_x2.safetensors", folder)
    make_defences(ModelFolders(folder, folder), SMALL_ENSEMBLE)
    card = read_detector_card(folder / "resnet50.json")
    name: PolicyName = "policy_actions_resnet50"
    none = WeightsFile("none.safetensors", "0" * 64, 1, "float32")
    state = build_policy_of(policy_card(name, none, size=64)).state_dict()
    weights = save_weights(state, folder / f"{name}.safetensors", "float32")
    write_card(policy_card(name, weights, size=64), folder / f"{name}.json")
    robust = replace(card, name="resnet50_robust", input_size=48, threshold=0.3)
    write_card(robust, folder / "resnet50_robust.json")
    return folder


@pytest.fixture(scope="session")
def ffpp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """FaceForensics++ in small, with broken and missing videos; not to be written to."""
    return make_ffpp(tmp_path_factory.mktemp("videos") / "FF++, größer")
