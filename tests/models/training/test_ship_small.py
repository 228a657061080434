from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from models.cards import DetectorCard
from models.small_network import build_small
from models.training import measure
from models.training.checkpoints import write_checkpoint
from models.training.faces import Cutting, Faces
from models.training.measure import ask
from models.training.networks import normalise
from models.training.ship import Story
from models.training.ship_small import Exam, patterned, ship_small, training_data
from models.training.small import STATISTICS, SmallPlan
from models.zoo import Zoo
from tests.models.training.made_faces import made_faces

PLAN = SmallPlan(
    architecture="small_attention",
    cutting=Cutting(side=64, narrowest=224, widest=224, strength=0.0, blended=0.2, plain_pairs=0),
    pairs=2,
    steps=4,
    rate=1e-3,
    decay=0.01,
    cells=1.0,
    ranking=1.0,
    averaging=0.5,
    seed=3,
)
STORY = Story("For a test.", "2 CPU cores", 0.126, "Knows nothing.")


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[DetectorCard, Path]:
    folder = tmp_path_factory.mktemp("shipped")
    faces = dark_fakes(8, seed=1)
    exam = Exam(
        val=faces,
        test=dark_fakes(6, seed=2),
        fixed=dark_fakes(4, seed=3),
        pristine=[faces.pictures[0], faces.pictures[1]],
        portraits=[faces.pictures[2], faces.pictures[3]],
    )
    checkpoint = a_checkpoint(folder, faces)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "RESAMPLES", 20)
        card = ship_small(checkpoint, "small_attention", STORY, exam, "int8", folder, folder)
    return card, folder


def dark_fakes(pairs: int, seed: int) -> Faces:
    """Faces of noise, of which any network tells the fakes."""
    faces = made_faces(pairs, seed)
    faces.pictures[pairs:] //= 4
    return faces


def a_checkpoint(folder: Path, faces: Faces) -> Path:
    """Of random weights, whose last layer is turned round until fakes score higher than reals."""
    torch.manual_seed(1)
    network = build_small(PLAN.architecture)
    crops = normalise(torch.from_numpy(faces.pictures).permute(0, 3, 1, 2), STATISTICS, STATISTICS)
    with torch.inference_mode():
        real, fake = network(crops)[:, 0].chunk(2)
    last = network.classifier[-1]
    with torch.no_grad():
        last.get_parameter("weight").mul_(1 if float(fake.mean() - real.mean()) > 0 else -1)
    state = {"plan": asdict(PLAN), "averaged": network.state_dict(), "curve": [[4, 0.5]]}
    write_checkpoint(folder / "checkpoint.pt", state)
    return folder / "checkpoint.pt"


def test_what_ships_loads_through_the_zoo(shipped: tuple[DetectorCard, Path]) -> None:
    card, folder = shipped
    zoo = Zoo(device="cpu", folder=folder, cards=folder)
    loaded = zoo.defence("small_attention")
    assert loaded.card == card
    assert card.architecture == "small_attention" and card.input_size == 256


def test_the_card_has_the_published_figures_and_those_of_every_detector(
    shipped: tuple[DetectorCard, Path],
) -> None:
    figures = [(figure.name, figure.condition) for figure in shipped[0].figures]
    for name in ("AUC", "FNR", "FPR", "cross-entropy", "AUC lost by storing"):
        assert (name, "clean") in figures
    assert ("AUC", "JPEG quality 60") in figures
    lost = next(one for one in shipped[0].figures if one.name == "AUC lost by storing")
    assert abs(lost.value) <= 0.05


def test_the_calibration_is_in_the_stored_weights(shipped: tuple[DetectorCard, Path]) -> None:
    card, folder = shipped
    zoo = Zoo(device="cpu", folder=folder, cards=folder)
    faces = dark_fakes(8, seed=1)
    logits = ask(zoo.defence("small_attention").network, card, faces.pictures)
    # Platt scaling leaves mean probability and mean label equal on what it was fitted on.
    assert float((1 / (1 + np.exp(-logits))).mean()) == pytest.approx(0.5, abs=0.02)


def test_what_knows_patterns_alone_is_calibrated_with_patterns() -> None:
    faces = dark_fakes(3, seed=4)
    own = patterned(faces, seed=5)
    assert list(own.fake) == [False] * 3 + [True] * 3
    assert (own.pictures[:3] == faces.pictures[:3]).all()
    change = own.pictures[3:].astype(float) - own.pictures[own.original[3:]]
    assert 0.5 < np.abs(change).mean() < 10
    assert list(own.source[3:]) == list(faces.source[:3])


def test_the_card_says_where_the_fakes_came_from() -> None:
    shares = {"cutting": {"blended": 0.25, "patterns": 0.0}}
    assert "75% a DFDC fake, 25% a self-blended fake" in training_data(shares)
    alone = training_data({"cutting": {"blended": 0.0, "patterns": 1.0}})
    assert "100% a pristine crop with a frequency pattern" in alone
    assert "DFDC fake," not in alone
