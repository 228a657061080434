"""`python -m demo.defences policy`, from a handful of made-up crops to a policy that is asked."""

from pathlib import Path

import numpy as np
import pytest

from demo.core.policies import choose
from demo.defences.__main__ import main
from demo.defences.policy_training import PLANS
from models.crop_actions import CROP_ACTIONS
from models.policy_card import POLICY_NAMES, read_policy_card
from models.zoo import Zoo
from tests.defences.made_dfdc import make_dfdc
from tests.defences.made_samples import noisy_crops
from tests.made_models import ModelFolders

EPISODES = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dfdc(tmp_path_factory.mktemp("data"), pairs=3)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kept between the runs of this file, as round trips and answers are between real ones."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture
def folders(random_models: ModelFolders, tmp_path: Path) -> ModelFolders:
    """ResNet50 and EDSR with made-up weights; no policy yet."""
    own = ModelFolders(tmp_path / "weights", tmp_path / "cards")
    for new, old in ((own.weights, random_models.weights), (own.cards, random_models.cards)):
        new.mkdir()
        for file in old.iterdir():
            if file.stem.startswith(("resnet50", "edsr")):
                (new / file.name).hardlink_to(file)
    return own


def train(
    name: str,
    data: Path,
    work: Path,
    folders: ModelFolders,
    monkeypatch: pytest.MonkeyPatch,
    episodes: int = EPISODES,
) -> None:
    words = ["demo.defences", "policy", "--name", name, "--data", str(data), "--work", str(work)]
    words += ["--weights", str(folders.weights), "--cards", str(folders.cards)]
    words += ["--pairs", "2", "--train-trips", "2", "--val-pairs", "1"]
    words += ["--episodes", str(episodes), "--hardware", "made up", "--threads", "1"]
    monkeypatch.setattr("sys.argv", words)
    main()


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_it_trains_a_policy_and_ships_a_file_and_a_card_that_load(
    name: str, data: Path, work: Path, folders: ModelFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(name, data, work, folders, monkeypatch)
    (plan,) = (one for one in PLANS if one.name == name)
    card = read_policy_card(folders.cards / f"{name}.json")
    assert (card.detector, card.actions) == ("resnet50", plan.actions)
    # Two pairs: four crops clean, and as many attacked.
    met = "8 crops, clean and after a round trip" if plan.attacked else "4 crops, clean,"
    assert f"train split by source video: {met}" in card.origin.data
    assert card.origin.recipe.startswith(f"Q-learning in {EPISODES} episodes")
    assert (card.origin.hardware, card.origin.seed) == ("made up", plan.seed)
    ((done, accuracy),) = card.origin.curve
    assert done == EPISODES and 0 <= accuracy <= 1
    loaded = Zoo("cpu", folder=folders.weights, cards=folders.cards).policy(card.name)
    assert loaded.card == card
    chosen = choose(loaded, list(noisy_crops(4, 224, 1)))
    assert len(chosen) == 4 and set(chosen) <= set(card.actions)


def test_the_same_seed_ships_the_same_bytes_and_more_episodes_others(
    data: Path, work: Path, folders: ModelFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "policy_actions_resnet50"
    file = folders.weights / f"{name}.safetensors"
    train(name, data, work, folders, monkeypatch)
    first = file.read_bytes()
    train(name, data, work, folders, monkeypatch)
    assert file.read_bytes() == first
    train(name, data, work, folders, monkeypatch, EPISODES + 1)
    assert file.read_bytes() != first


def test_it_learns_from_train_watches_val_and_never_opens_test(
    data: Path, work: Path, folders: ModelFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    train("policy_actions_resnet50", data, work, folders, monkeypatch)
    kept = {file.name for file in (work / "cache").iterdir()}
    assert kept == {"train.npy", "val.npy", "round_trips_train_2_5.npy", "round_trips_val_1_5.npy"}
    answers = {file.name.split("_", 3)[3]: np.load(file) for file in (work / "policy").iterdir()}
    assert set(answers) == {"bfloat16_train_2_pairs_5.npy", "float32_val_1_pairs_5.npy"}
    assert answers["bfloat16_train_2_pairs_5.npy"].shape == (8, len(CROP_ACTIONS))
    assert all(np.isfinite(logits).all() for logits in answers.values())
