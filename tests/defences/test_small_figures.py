from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from demo.defences.small_figures import (
    AFTER,
    FACTOR,
    METHOD,
    attack_crops,
    figures_before_and_after,
    with_figures,
)
from models.cards import CropPolicy, DetectorCard, WeightsFile
from models.loading import LoadedDetector
from models.training import measure
from models.training.faces import SIDE, Faces
from models.zoo import Zoo
from tests.made_models import FIGURE, ORIGIN
from tests.models.training.made_faces import made_faces

CARD = DetectorCard(
    name="small",
    title="Small network",
    architecture="small",
    input_size=SIDE,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
    crop=CropPolicy(1.0, 0.0),
    threshold=0.5,
    weights=WeightsFile("small.safetensors", "0" * 64, 1, "int8"),
    figures=(FIGURE,),
    origin=ORIGIN,
    note="",
)


class Roughness(nn.Module):
    """A detector whose logit is how much neighbouring pixels differ."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        differences = (batch[..., 1:] - batch[..., :-1]).abs().mean(dim=(1, 2, 3))
        return self.scale * differences[:, None]


def chequered(pairs: int) -> Faces:
    """Flat faces of one grey each, lighter by a fine checkerboard in the fakes."""
    faces = made_faces(pairs, seed=1)
    grey = np.random.default_rng(2).integers(60, 180, pairs, dtype=np.uint8)
    faces.pictures[:] = np.tile(grey, 2)[:, None, None, None]
    faces.pictures[pairs:, ::2, ::2] += 40
    faces.pictures[pairs:, 1::2, 1::2] += 40
    return faces


def test_a_trace_that_the_round_trip_takes_away_is_in_the_figures(
    random_zoo: Zoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "RESAMPLES", 20)
    faces = chequered(4)
    faces = replace(faces, pictures=faces.pictures[:, :48, :48])
    attacked = attack_crops(faces.pictures, random_zoo)
    assert attacked.shape == faces.pictures.shape and attacked.dtype == np.uint8
    detector = LoadedDetector(CARD, Roughness().eval())
    before, after = figures_before_and_after(detector, faces, attacked)
    assert (before.condition, before.value) == ("clean", 1.0)
    assert after.condition == AFTER
    assert after.value < 0.9
    assert before.of == after.of


def test_it_is_the_papers_round_trip() -> None:
    assert (METHOD, FACTOR) == ("edsr", 2.0)
    assert AFTER == "after the round trip, EDSR, K = 2"


def test_measured_again_a_figure_takes_the_place_of_the_earlier_one() -> None:
    after = replace(FIGURE, condition=AFTER, value=0.5)
    once = with_figures(CARD, (after,))
    again = with_figures(once, (replace(after, value=0.6),))
    assert [figure.value for figure in once.figures] == [FIGURE.value, 0.5]
    assert [figure.value for figure in again.figures] == [FIGURE.value, 0.6]
