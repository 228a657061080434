from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.cards import SmallArchitecture
from models.small_network import build_small
from models.training import small
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.detectors import Machine
from models.training.faces import Cutting, Faces
from models.training.networks import normalise
from models.training.small import OPEN, STATISTICS, SmallPlan, _attacked, train_small
from tests.models.training.made_faces import made_faces

CUTTING = Cutting(
    side=64, narrowest=224, widest=224, strength=0.0, blended=0.0, plain_pairs=0, patterns=0.0
)
PLAN = SmallPlan(
    architecture="small",
    cutting=CUTTING,
    pairs=2,
    steps=6,
    rate=1e-3,
    decay=0.01,
    cells=1.0,
    ranking=1.0,
    averaging=0.5,
    seed=3,
)
MACHINE = Machine(torch.device("cpu"), workers=0, every=2, bf16=False)


@pytest.fixture(scope="module")
def val() -> Faces:
    return made_faces(4, seed=2)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("eps", [0.0, 2.0])
def test_a_run_that_was_broken_off_ends_as_an_unbroken_one(
    eps: float, val: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, faces = replace(PLAN, eps=eps), made_faces(4, seed=1)
    unbroken = read_checkpoint(train_small(plan, faces, val, tmp_path / "one", MACHINE, None))
    written = write_checkpoint

    def write_and_die(file: Path, state: dict[str, object]) -> None:
        written(file, state)
        if state["done"] == 4:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(small, "write_checkpoint", write_and_die)
        with pytest.raises(KilledError):
            train_small(plan, faces, val, tmp_path / "two", MACHINE, None)
    resumed = read_checkpoint(train_small(plan, faces, val, tmp_path / "two", MACHINE, None))
    assert resumed["done"] == unbroken["done"] == 6
    assert resumed["curve"] == unbroken["curve"]
    for part in ("averaged", "learner"):
        for key, tensor in unbroken[part].items():
            assert torch.equal(tensor, resumed[part][key]), key


def planted(pairs: int, seed: int) -> Faces:
    """Smooth faces; the fakes carry a fine checkerboard in their middle."""
    faces = made_faces(pairs, seed)
    pictures = faces.pictures // 8 + 100
    pictures[pairs:] = pictures[:pairs]
    pictures[pairs:, 60:160:2, 60:160:2] += 40
    return replace(faces, pictures=pictures)


def test_it_learns_a_planted_trace(tmp_path: Path) -> None:
    plan = replace(PLAN, pairs=4, steps=24, rate=3e-3, averaging=0.7)
    plan = replace(plan, cutting=replace(CUTTING, side=96))
    machine = replace(MACHINE, every=24)
    file = train_small(plan, planted(16, seed=4), planted(16, seed=5), tmp_path, machine, None)
    assert read_checkpoint(file)["curve"][-1][1] > 0.95


def test_a_stage_begins_with_the_weights_of_the_one_before(val: Faces, tmp_path: Path) -> None:
    faces = made_faces(4, seed=1)
    first = train_small(PLAN, faces, val, tmp_path / "first", MACHINE, None)
    still = replace(PLAN, steps=2, rate=1e-12, decay=0.0)
    second = train_small(still, faces, val, tmp_path / "second", MACHINE, first)
    earlier, later = (read_checkpoint(file)["averaged"] for file in (first, second))
    kernel = "stages.3.convolution.weight"
    assert torch.allclose(earlier[kernel], later[kernel], atol=1e-6)


@pytest.mark.parametrize("architecture", ["small_residual", "small_attention"])
def test_what_the_plain_network_lacks_begins_without_a_say(
    architecture: SmallArchitecture, val: Faces, tmp_path: Path
) -> None:
    faces = made_faces(4, seed=1)
    first = train_small(PLAN, faces, val, tmp_path / "first", MACHINE, None)
    still = replace(PLAN, architecture=architecture, steps=2, rate=1e-12, decay=0.0)
    second = train_small(still, faces, val, tmp_path / "second", MACHINE, first)
    plain, more = build_small("small"), build_small(architecture)
    plain.load_state_dict(read_checkpoint(first)["averaged"])
    # Statistics of batches go on moving even where weights do not.
    more.load_state_dict(read_checkpoint(second)["averaged"] | read_checkpoint(first)["averaged"])
    crop = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = (one.stages(crop) for one in (plain, more))
        after = more.attention(after)
    share = 1.0 if architecture == "small_residual" else float(torch.tensor(OPEN).sigmoid())
    assert torch.allclose(after, share * before, atol=1e-4)


def test_attacked_crops_stay_within_the_distance_and_score_worse() -> None:
    network = build_small("small")
    crops = torch.from_numpy(made_faces(2, seed=6).pictures[:, :64, :64].copy())
    crops = crops.permute(0, 3, 1, 2)
    plan = replace(PLAN, eps=4.0)
    attacked = _attacked(network, crops, plan)
    assert attacked.dtype == torch.float32
    assert float((attacked - crops).abs().max()) <= 4.0 + 1e-3
    with torch.inference_mode():
        before, after = (
            network(normalise(pixels, STATISTICS, STATISTICS))[:, 0] for pixels in (crops, attacked)
        )
    assert bool((after[:2] > before[:2]).all()) and bool((after[2:] < before[2:]).all())
