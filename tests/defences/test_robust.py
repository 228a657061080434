"""A detector trained on with the round trip: moved less by it, and the plain one left alone."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from demo.defences.robust import Material, Plan, train_on
from demo.defences.robust_command import recipe
from demo.defences.robust_shipping import Exam, ship_robust
from demo.defences.round_trips import read_round_trips
from models.card_files import read_detector_card
from models.loading import LoadedDetector
from models.training.checkpoints import write_checkpoint
from models.zoo import Zoo
from tests.made_models import ORIGIN
from tests.models.training.made_faces import made_faces

PLAN = Plan(steps=6, pairs=2, side=64, rate=1e-4, labels=0.1, seed=1, every=3, bf16=False)


@pytest.fixture(scope="module")
def plain(random_zoo: Zoo) -> LoadedDetector:
    return random_zoo.detector("resnet50")


@pytest.fixture(scope="module")
def material(random_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Material:
    faces = made_faces(8, seed=1)
    cache = tmp_path_factory.mktemp("cache")
    return Material(faces, read_round_trips(faces, "train", 8, 2, cache, random_zoo))


@pytest.fixture(scope="module")
def run(
    plain: LoadedDetector, material: Material, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train_on(plain, material, material, folder, PLAN)
    return folder


def test_attacked_answers_come_nearer_to_the_plain_ones_of_the_clean_crop(
    plain: LoadedDetector, material: Material, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no weight on labels the loss is just how far they are from them."""
    plan = replace(PLAN, pairs=8, steps=16, rate=3e-4, labels=0.0, every=1)
    train_on(plain, material, material, tmp_path, plan)
    losses = [float(one) for one in re.findall(r"loss ([0-9.]+)", capsys.readouterr().out)]
    assert len(losses) == plan.steps
    assert np.mean(losses[-4:]) < 0.6 * np.mean(losses[:4])


def test_the_plain_detector_stays_as_it_is(
    plain: LoadedDetector, random_zoo: Zoo, material: Material, tmp_path: Path
) -> None:
    before = {key: tensor.clone() for key, tensor in plain.network.state_dict().items()}
    train_on(plain, material, material, tmp_path, replace(PLAN, steps=2))
    after = plain.network.state_dict()
    assert all(torch.equal(tensor, after[key]) for key, tensor in before.items())


def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(
    plain: LoadedDetector, material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, steps=4, every=2)
    whole = train_on(plain, material, material, tmp_path / "whole", plan)

    def write_and_end(file: Path, state: dict[str, Any]) -> None:
        write_checkpoint(file, state)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("demo.defences.robust.write_checkpoint", write_and_end)
        with pytest.raises(KeyboardInterrupt):
            train_on(plain, material, material, tmp_path / "broken", plan)
    resumed = train_on(plain, material, material, tmp_path / "broken", plan)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_ships_keeps_the_plain_threshold_and_reads_back(
    plain: LoadedDetector, material: Material, run: Path, tmp_path: Path
) -> None:
    robust = train_on(plain, material, material, run, PLAN)
    faces = material.faces
    card = ship_robust(
        robust,
        plain,
        ORIGIN,
        Exam(val=faces, test=faces, portraits=list(faces.pictures[:2])),
        "int8",
        tmp_path,
        tmp_path,
    )
    assert card == read_detector_card(tmp_path / "resnet50_robust.json")
    assert card.threshold == plain.card.threshold
    zoo = Zoo("cpu", folder=tmp_path, cards=tmp_path)
    logit = zoo.defence("resnet50_robust").network(torch.zeros(1, 3, 224, 224))
    assert np.isfinite(logit.item())


def test_the_recipe_is_told_from_the_plan() -> None:
    told = recipe({"steps": 300, "pairs": 4, "rate": 2e-5, "labels": 0.1})
    assert "300 steps of 4 pairs" in told
    assert "AdamW at 2e-05" in told
