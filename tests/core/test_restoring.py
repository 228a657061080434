"""A super-resolution network of the operator's restores like EDSR, by the one factor it has."""

import dataclasses
import json

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from demo.core.analysis import analyse, attack_picture
from demo.core.attack import FACTORS, enlarge_picture, pad_to_multiple, round_trip
from demo.core.errors import SettingsError
from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.core.record import mark, record_json
from demo.core.restoring import METHODS, methods, restorable, restore
from demo.core.settings import Settings
from demo.core.sweep import sweep
from models.foreign_super_resolution import ForeignSuperResolution, ForeignSuperResolutionCard
from models.zoo import Zoo
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
CARD = ForeignSuperResolutionCard("sharp", "Sharp", "Made", 2, "5" * 64, 10, False)


def repeating(scale: int) -> ForeignSuperResolution:
    """A network that repeats every pixel, which is easy to follow by hand."""

    def network(batch: torch.Tensor) -> torch.Tensor:
        return batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3)

    name = "sharp" if scale == 2 else f"sharp{scale}"
    return ForeignSuperResolution(dataclasses.replace(CARD, name=name, scale=scale), network)


@pytest.fixture(scope="module")
def zoo(random_models: ModelFolders) -> Zoo:
    return Zoo(
        "cpu",
        folder=random_models.weights,
        cards=random_models.cards,
        restorers=[repeating(2), repeating(4)],
    )


@pytest.fixture
def crop() -> Picture:
    return np.random.default_rng(3).integers(0, 256, (42, 55, 3), dtype=np.uint8)


def test_it_joins_the_methods(zoo: Zoo, random_zoo: Zoo) -> None:
    assert methods(zoo) == (*METHODS, "sharp", "sharp4")
    assert methods(random_zoo) == METHODS


def test_it_restores_what_was_shrunk_by_its_own_factor(zoo: Zoo, crop: Picture) -> None:
    padded = pad_to_multiple(crop, 2)
    small = cv2.resize(padded, (28, 21), interpolation=cv2.INTER_AREA)
    expected = small.repeat(2, 0).repeat(2, 1)[:42, :55]
    np.testing.assert_array_equal(round_trip(crop, 2.0, "sharp", "area", zoo), expected)
    np.testing.assert_allclose(
        restore(small, 2, "sharp", zoo), small.repeat(2, 0).repeat(2, 1) / 255
    )


@pytest.mark.parametrize("k", FACTORS)
def test_a_larger_factor_than_k_is_averaged_to_size(k: float, zoo: Zoo) -> None:
    even = np.full((42, 55, 3), (10, 120, 230), dtype=np.uint8)
    np.testing.assert_array_equal(round_trip(even, k, "sharp4", "area", zoo), even)


def test_a_smaller_factor_than_k_is_refused_before_any_work(
    zoo: Zoo, crop: Picture, astronaut: Picture
) -> None:
    sentence = "sharp enlarges 2 times, so K must be 2 or less, but 2.5 came"
    with pytest.raises(SettingsError, match=sentence):
        round_trip(crop, 2.5, "sharp", "area", zoo)
    steps: list[str] = []
    with pytest.raises(SettingsError, match=sentence):
        attack_picture(
            astronaut,
            Settings(k=2.5, method="sharp"),
            Toolbox(zoo, FaceDetector()),
            lambda stage, fraction: steps.append(stage),
        )
    assert steps == []


def test_it_enlarges_a_picture_by_its_own_factor_only(zoo: Zoo, crop: Picture) -> None:
    expected = crop.repeat(4, 0).repeat(4, 1)
    np.testing.assert_array_equal(enlarge_picture(crop, 4, "sharp4", zoo), expected)
    with pytest.raises(SettingsError, match="The scale must be 4, but 2 came"):
        enlarge_picture(crop, 2, "sharp4", zoo)


def test_record_and_mark_name_it_and_its_hash(zoo: Zoo, astronaut: Picture) -> None:
    settings = Settings(method="sharp", box=(180, 80, 270, 170))
    analysis = analyse(astronaut, settings, Toolbox(zoo, FaceDetector()))
    assert analysis.models[0].name == "sharp"
    assert json.loads(record_json(analysis))["models"][0] == {"name": "sharp", "sha256": "5" * 64}
    assert (mark(analysis)["Model"], mark(analysis)["Model SHA-256"]) == ("sharp", "5" * 64)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_sweep_asks_it_at_every_k_that_it_can_undo(zoo: Zoo, astronaut: Picture) -> None:
    settings = Settings(box=(180, 80, 270, 170))
    made = sweep(astronaut, settings, Toolbox(zoo, FaceDetector()))
    swept = {name: [p.k for p in made.points if p.method == name] for name in methods(zoo)}
    assert swept["sharp"] == [1.0, 1.5, 2.0]
    assert swept["sharp4"] == swept["edsr"] == [1.0, *FACTORS]
    assert restorable(FACTORS, "sharp", zoo) == (1.5, 2.0)
    alone = analyse(
        astronaut, dataclasses.replace(settings, method="sharp"), Toolbox(zoo, FaceDetector())
    )
    (point,) = (p for p in made.points if (p.method, p.k) == ("sharp", 2.0))
    assert point.scores == alone.results[0].scores
