from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.training import detectors
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.detectors import Machine, Material, Plan, train
from models.training.faces import Cutting
from tests.models.training.made_faces import made_faces

PLAN = Plan(
    architecture="resnet50",
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    skeleton=True,
    cutting=Cutting(side=64, narrowest=150, widest=200, strength=0.3, blended=0.3, plain_pairs=0),
    pairs=2,
    steps=6,
    rate=1e-3,
    decay=0.01,
    cells=1.0,
    ranking=1.0,
    stages=0.5,
    averaging=0.5,
    teacher=None,
    teaching=1.0,
    seed=3,
)
MACHINE = Machine(torch.device("cpu"), workers=0, every=2, bf16=False)


@pytest.fixture(scope="module")
def material() -> Material:
    return Material(made_faces(4, seed=1), [], made_faces(2, seed=2))


class KilledError(Exception):
    pass


def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unbroken = read_checkpoint(train(PLAN, material, tmp_path / "one", MACHINE, None))
    written = write_checkpoint

    def write_and_die(file: Path, state: dict[str, object]) -> None:
        written(file, state)
        if state["done"] == 4:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(detectors, "write_checkpoint", write_and_die)
        with pytest.raises(KilledError):
            train(PLAN, material, tmp_path / "two", MACHINE, None)
    resumed = read_checkpoint(train(PLAN, material, tmp_path / "two", MACHINE, None))
    assert resumed["done"] == unbroken["done"] == 6
    assert resumed["curve"] == unbroken["curve"]
    for part in ("network", "averaged"):
        assert all(
            bool((tensor == resumed[part][key]).all()) for key, tensor in unbroken[part].items()
        )


def test_a_later_stage_begins_with_the_earlier_one(material: Material, tmp_path: Path) -> None:
    first = train(replace(PLAN, steps=2), material, tmp_path / "first", MACHINE, None)
    whole = replace(PLAN, skeleton=False, steps=1, rate=1e-9)
    second = train(whole, material, tmp_path / "second", MACHINE, first)
    before, after = (read_checkpoint(file)["averaged"] for file in (first, second))
    assert torch.allclose(before["fc.weight"], after["fc.weight"], atol=1e-6)
    assert "layer1.1.conv1.weight" in after
    assert "layer1.1.conv1.weight" not in before
