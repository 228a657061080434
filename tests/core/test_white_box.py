"""White-box attacks on networks so small that every property shows at once."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

from demo.core.errors import ImageError, SettingsError
from demo.core.images import Picture
from demo.core.scoring import score_crops
from demo.core.white_box import (
    ATTACKS,
    FGSM,
    L0,
    PGD_L2,
    PGD_LINF,
    attack_at_equal_psnr,
    pixels_changed,
    root_mean_square,
    white_box,
)
from models.cards import WeightsFile
from models.detectors import build_detector
from models.loading import LoadedDetector
from models.precision import in_bfloat16
from tests.made_models import detector_card

CPU = torch.device("cpu")
CARD = detector_card("resnet50", WeightsFile("none.safetensors", "0" * 64, 1, "float32"))
STRENGTHS = {FGSM: 3, PGD_LINF: 3, PGD_L2: 2.0, L0: 100}


@pytest.fixture(scope="module")
def loaded() -> LoadedDetector:
    """A detector of 24 px that calls grey noise neither surely real nor surely fake."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        layers = (nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())
        last = nn.Linear(968, 1)
        network = nn.Sequential(*layers, last).eval().requires_grad_(False)
    card = dataclasses.replace(CARD, input_size=24, threshold=0.3)
    found = LoadedDetector(card, network)
    last.bias.sub_(logit(found, noise(0)) - math.log(0.3 / 0.7))
    return found


def noise(seed: int, height: int = 33, width: int = 20) -> Picture:
    numbers = np.random.default_rng(seed)
    return numbers.integers(0, 256, (height, width, 3), dtype=np.uint8)


def logit(loaded: LoadedDetector, crop: Picture) -> float:
    return score_crops(loaded, [crop], CPU)[0]


@pytest.mark.parametrize("fake", [True, False])
@pytest.mark.parametrize("attack", [FGSM, PGD_LINF, PGD_L2])
def test_an_attack_pushes_against_the_true_label_whatever_the_verdict(
    loaded: LoadedDetector, attack: str, fake: bool
) -> None:
    for seed in range(4):
        crop = noise(seed)
        attacked = white_box(loaded, crop, attack, STRENGTHS[attack], fake)
        assert attacked.shape == crop.shape
        assert attacked.dtype == np.uint8
        change = logit(loaded, attacked) - logit(loaded, crop)
        assert change < -0.02 if fake else change > 0.02


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_a_label_it_pushes_against_the_verdict_at_the_threshold(
    loaded: LoadedDetector, attack: str
) -> None:
    boundary = math.log(0.3 / 0.7)
    verdicts = set()
    for seed in range(1, 6):
        crop = noise(seed)
        called = logit(loaded, crop) >= boundary
        attacked = white_box(loaded, crop, attack, STRENGTHS[attack], steps=4)
        given = white_box(loaded, crop, attack, STRENGTHS[attack], called, steps=4)
        assert np.array_equal(attacked, given)
        verdicts.add(called)
    assert verdicts == {True, False}


@pytest.mark.parametrize("attack", [FGSM, PGD_LINF])
@pytest.mark.parametrize("levels", [1, 2.5, 8])
def test_l_infinity_holds_in_the_8_bit_picture(
    loaded: LoadedDetector, attack: str, levels: float
) -> None:
    crop = noise(1)
    change = white_box(loaded, crop, attack, levels, True).astype(int) - crop
    assert np.abs(change).max() == math.floor(levels)


def test_less_than_a_level_leaves_nothing_in_8_bits(loaded: LoadedDetector) -> None:
    assert np.array_equal(white_box(loaded, noise(1), PGD_LINF, 0.75, True), noise(1))


def test_pgd_does_no_less_than_fgsm(loaded: LoadedDetector) -> None:
    crop = noise(2)
    once, often = (logit(loaded, white_box(loaded, crop, a, 8, True)) for a in (FGSM, PGD_LINF))
    assert often <= once + 1e-3


# L0


def test_l0_turns_the_verdict_with_few_pixels(loaded: LoadedDetector) -> None:
    boundary = math.log(0.3 / 0.7)
    for seed in range(1, 5):
        crop = noise(seed)
        called = logit(loaded, crop) >= boundary
        attacked = white_box(loaded, crop, L0, 660)
        assert (logit(loaded, attacked) >= boundary) != called
        assert 0 < pixels_changed(crop, attacked) < 40


def test_l0_leaves_the_crop_where_more_pixels_are_needed_than_allowed(
    loaded: LoadedDetector,
) -> None:
    sure = LoadedDetector(dataclasses.replace(loaded.card, threshold=1e-9), loaded.network)
    assert np.array_equal(white_box(sure, noise(1), L0, 3), noise(1))


# Equal PSNR


@pytest.mark.parametrize("rmse", [0.05, 0.5, 3.0, 12.0])
@pytest.mark.parametrize("fake", [True, False])
def test_the_psnr_is_the_other_attack_s_after_rounding_and_clipping(
    loaded: LoadedDetector, rmse: float, fake: bool
) -> None:
    # Much of it is black or white, so that a good part of any change is cut off.
    crop = np.clip(noise(3).astype(int) * 2 - 128, 0, 255).astype(np.uint8)
    attacked = attack_at_equal_psnr(loaded, crop, rmse, fake)
    apart_db = 20 * math.log10(root_mean_square(crop, attacked) / rmse)
    assert abs(apart_db) <= 0.1
    change = logit(loaded, attacked) - logit(loaded, crop)
    assert change < 0 if fake else change > 0


def test_nothing_is_changed_where_the_other_attack_changed_nothing(loaded: LoadedDetector) -> None:
    assert np.array_equal(attack_at_equal_psnr(loaded, noise(1), 0, True), noise(1))


def test_the_root_of_the_mean_square_does_not_wrap() -> None:
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert root_mean_square(black, white) == root_mean_square(white, black) == 255


def test_the_small_network_is_attacked_through_its_own_enlargement() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_detector("small").requires_grad_(False)
    card = dataclasses.replace(CARD, architecture="small", input_size=256)
    loaded = LoadedDetector(card, network)
    crop = noise(5, 224, 224)
    attacked = attack_at_equal_psnr(loaded, crop, 2.0, True, steps=3)
    assert logit(loaded, attacked) < logit(loaded, crop)


def test_a_network_in_bfloat16_is_attacked_too(loaded: LoadedDetector) -> None:
    fast = dataclasses.replace(loaded, network=in_bfloat16(loaded.network))
    attacked = white_box(fast, noise(1), PGD_LINF, 4, True)
    assert logit(loaded, attacked) < logit(loaded, noise(1)) - 0.02


# Repeating, sharing, refusing


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_same_input_gives_the_same_bytes_in_and_out_of_inference_mode(
    loaded: LoadedDetector, attack: str
) -> None:
    first = white_box(loaded, noise(1), attack, STRENGTHS[attack], True, 4)
    with torch.inference_mode():
        again = white_box(loaded, noise(1), attack, STRENGTHS[attack], True, 4)
    assert np.array_equal(first, again)
    assert not any(one.requires_grad for one in loaded.network.parameters())


def test_a_network_without_a_gradient_is_refused_with_a_sentence(loaded: LoadedDetector) -> None:
    deaf = nn.Sequential(nn.Flatten(), nn.Linear(1728, 1)).requires_grad_(False)
    deaf[1].weight.zero_()  # type: ignore[operator]
    with pytest.raises(ImageError, match=r"A change of 2 levels was expected, .* gives 0"):
        attack_at_equal_psnr(dataclasses.replace(loaded, network=deaf), noise(1), 2.0, True)


@pytest.mark.parametrize(
    ("attack", "strength", "steps", "sentence"),
    [
        ("pgd", 1, 10, "white-box attack must be one of fgsm, pgd_linf, pgd_l2, l0, but 'pgd'"),
        (PGD_L2, 0, 10, "above 0, but 0 came"),
        (PGD_L2, math.nan, 10, "above 0, but nan came"),
        (FGSM, -1, 10, "above 0, but -1 came"),
        (PGD_LINF, 1, 0, "1 step or more, but 0 came"),
    ],
)
def test_impossible_attacks_are_refused(
    loaded: LoadedDetector, attack: str, strength: float, steps: int, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        white_box(loaded, noise(1), attack, strength, True, steps)
