from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.detectors import build_detector
from models.errors import WeightsError
from models.training import paper_recipe
from models.training.checkpoints import write_checkpoint
from models.training.paper_recipe import RANDOM_START, Crops, Recipe, Trained, train_by_epochs

RECIPE = Recipe("resnet50", RANDOM_START, epochs=3, batch=4, rate=0.05, decay=1e-7, seed=5)


def made_crops(count: int, seed: int) -> Crops:
    """Noise, brighter in the middle of the fakes; every second picture is not used."""
    pictures = np.random.default_rng(seed).integers(0, 200, (2 * count, 32, 32, 3), dtype=np.uint8)
    chosen = np.arange(0, 2 * count, 2)
    fake = np.arange(count) % 2 == 1
    pictures[chosen[fake], 8:24, 8:24] += 55
    return Crops(pictures, chosen, fake, np.arange(count).astype(str))


TRAIN, VAL = made_crops(8, seed=1), made_crops(6, seed=2)


def train(file: Path, recipe: Recipe = RECIPE) -> Trained:
    torch.manual_seed(recipe.seed)
    network = build_detector(recipe.architecture)
    return train_by_epochs(network, recipe, TRAIN, VAL, torch.device("cpu"), 0, file)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(tmp_path_factory.mktemp("unbroken") / "net.checkpoint")


class KilledError(Exception):
    pass


def test_a_training_that_was_broken_off_ends_as_an_unbroken_one(
    unbroken: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_die(file: Path, state: dict[str, object]) -> None:
        write_checkpoint(file, state)
        if state["done"] == 1:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(paper_recipe, "write_checkpoint", write_and_die)
        with pytest.raises(KilledError):
            train(tmp_path / "net.checkpoint")
    resumed = train(tmp_path / "net.checkpoint")
    assert (resumed.epoch, resumed.curve) == (unbroken.epoch, unbroken.curve)
    assert len(resumed.curve) == 3
    for key, tensor in unbroken.weights.items():
        assert torch.equal(tensor, resumed.weights[key]), key


def test_the_weights_are_those_of_the_best_epoch_on_val(unbroken: Trained) -> None:
    aucs = dict(unbroken.curve)
    assert aucs[unbroken.epoch] == max(aucs.values())
    network = build_detector("resnet50")
    network.load_state_dict(unbroken.weights)
    auc, _ = paper_recipe.judge(network, "resnet50", VAL)
    assert auc == pytest.approx(aucs[unbroken.epoch], abs=1e-4)


def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "net.checkpoint"
    short = replace(RECIPE, epochs=1)
    train(file, short)
    with pytest.raises(WeightsError, match="another recipe"):
        train(file, replace(short, rate=0.02))


def test_a_training_that_goes_astray_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="lower --rate"):
        train(tmp_path / "net.checkpoint", replace(RECIPE, rate=1e30))
