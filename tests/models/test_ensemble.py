from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.special import expit

from models.cards import CropPolicy, DetectorCard, Origin, WeightsFile
from models.detectors import fake_logits, prepare
from models.ensemble import ensemble_logits, ensemble_threshold
from models.loading import LoadedDetector
from models.small_network import SMALL_ARCHITECTURES, build_small

Crop = npt.NDArray[np.uint8]
CARD = DetectorCard(
    name="small",
    title="Small network",
    architecture="small",
    input_size=64,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    crop=CropPolicy(1.0, 0.0),
    threshold=0.5,
    weights=WeightsFile("small.safetensors", "0" * 64, 1, "int8"),
    figures=(),
    origin=Origin("made", "none", "none", 0.0, "none", 0, (), ""),
    note="",
)


@pytest.fixture
def members() -> list[LoadedDetector]:
    torch.manual_seed(1)
    sides = (64, 96, 128)
    return [
        LoadedDetector(replace(CARD, input_size=side), build_small(architecture))
        for side, architecture in zip(sides, SMALL_ARCHITECTURES, strict=True)
    ]


@pytest.fixture
def crops() -> list[Crop]:
    rng = np.random.default_rng(2)
    return [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (80, 224)]


def test_an_ensemble_answers_with_the_mean_of_its_members(
    members: list[LoadedDetector], crops: list[Crop]
) -> None:
    with torch.inference_mode():
        asked = [fake_logits(one.network, prepare(crops, one.card)) for one in members]
    expected = (asked[0] + asked[1] + asked[2]) / 3
    assert torch.allclose(ensemble_logits(members, crops), expected, atol=1e-6)
    assert not torch.allclose(asked[0], asked[1])


def test_its_threshold_is_the_mean_in_log_odds(members: list[LoadedDetector]) -> None:
    odds = (0.0, 1.0, 3.5)
    judging = [
        replace(one, card=replace(one.card, threshold=float(expit(logit))))
        for one, logit in zip(members, odds, strict=True)
    ]
    assert ensemble_threshold(judging) == pytest.approx(float(expit(1.5)))


def test_an_ensemble_of_none_is_refused(crops: list[Crop]) -> None:
    with pytest.raises(ValueError, match="one or more detectors"):
        ensemble_logits([], crops)
