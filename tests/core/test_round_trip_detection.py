"""A crop alone: what the features see in made pictures, and what the shipped detector says."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.attack import FACTORS, round_trip
from demo.core.faces import cut
from demo.core.images import read_picture
from demo.core.round_trip_detection import (
    WINDOW,
    RoundTripOpinion,
    RoundTripVerdict,
    central_window,
    ring_levels,
    round_trip_verdict,
)
from demo.core.spectrum import luma, spectrum
from demo.examples import ASTRONAUT_FACE, EXAMPLES
from models.zoo import Zoo

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def shipped() -> Zoo:
    return Zoo("cpu")


def waves(side: int, cycles_per_pixel: float) -> Picture:
    """Stripes of one frequency around a middle grey."""
    line = 128 + 60 * np.cos(2 * np.pi * cycles_per_pixel * np.arange(side))
    return np.repeat(np.tile(line, (side, 1))[..., None], 3, axis=2).astype(np.uint8)


def noise(height: int, width: int) -> Picture:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


# Features


@pytest.mark.parametrize("side", [32, 100, 256])
def test_stripes_peak_in_the_ring_of_their_frequency_at_every_size(side: int) -> None:
    assert ring_levels(waves(side, 0.25), 16).argmax() == 7


def test_the_last_ring_is_that_of_half_a_cycle_per_pixel() -> None:
    assert ring_levels(waves(64, 0.5), 16).argmax() == 15


def test_levels_are_those_of_the_spectrum_where_rings_coincide() -> None:
    crop = noise(64, 64)
    signal = luma(crop)
    expected = spectrum(signal - signal.mean()).profile_db[1:]
    np.testing.assert_allclose(ring_levels(crop, 32), expected)


def test_a_flat_crop_has_no_level_whatever_its_brightness() -> None:
    for grey in (0, 90, 255):
        assert ring_levels(np.full((64, 48, 3), grey, np.uint8), 32).max() == -40


@pytest.mark.parametrize("k", [2.0, 4.0])
def test_a_round_trip_lowers_what_lies_above_its_cutoff(k: float, random_zoo: Zoo) -> None:
    crop = noise(128, 128)
    attacked = round_trip(crop, k, "bicubic", "area", random_zoo)
    lost = ring_levels(crop, 32) - ring_levels(attacked, 32)
    frequencies = np.arange(1, 33) / 64
    assert lost[frequencies > 1.6 / (2 * k)].min() > 8
    assert lost[frequencies < 0.4 / (2 * k)].max() < 4


def test_only_the_middle_of_a_large_crop_is_looked_at() -> None:
    crop = noise(700, 1024)
    window = central_window(crop)
    np.testing.assert_array_equal(window, crop[94:606, 256:768])
    assert window.shape[0] == WINDOW
    np.testing.assert_array_equal(central_window(crop[:40, :600]), crop[:40, 44:556])


# Verdicts


def test_a_probability_at_the_threshold_fires() -> None:
    assert RoundTripOpinion(0.7, 0.7, 2.0).fired
    assert not RoundTripOpinion(0.6999, 0.7, 2.0).fired


def test_the_networks_opinion_is_the_one_that_counts() -> None:
    verdict = RoundTripVerdict(RoundTripOpinion(0.1, 0.9, 4.0), RoundTripOpinion(0.8, 0.7, 2.0))
    assert (verdict.probability, verdict.threshold, verdict.fired, verdict.k) == (0.8, 0.7, True, 2)


@pytest.mark.parametrize("size", [(31, 100), (100, 31), (1, 1)])
def test_nothing_is_said_of_a_crop_below_the_least_side(
    size: tuple[int, int], random_zoo: Zoo
) -> None:
    assert round_trip_verdict(noise(*size), random_zoo) is None


@pytest.mark.parametrize("size", [(32, 32), (33, 250), (1024, 1024)])
def test_every_crop_from_the_least_side_on_gets_a_verdict(
    size: tuple[int, int], random_zoo: Zoo
) -> None:
    verdict = round_trip_verdict(noise(*size), random_zoo)
    assert verdict is not None
    for opinion in (verdict.linear, verdict.network):
        assert 0 <= opinion.probability <= 1
        assert opinion.k in FACTORS


def test_threads_that_ask_together_get_the_same_answer(random_zoo: Zoo) -> None:
    crop = noise(90, 120)
    expected = round_trip_verdict(crop, random_zoo)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: round_trip_verdict(crop, random_zoo), range(8)))
    assert answers == [expected] * 8


# What ships


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_shipped_detector_tells_an_examples_face_from_its_round_trip(
    example: object, shipped: Zoo
) -> None:
    picture = read_picture(example.path)  # type: ignore[attr-defined]
    crop = cut(picture, ASTRONAUT_FACE)
    clean = round_trip_verdict(crop, shipped)
    assert clean is not None
    assert not clean.fired
    for k in (2.0, 4.0):
        attacked = round_trip_verdict(round_trip(crop, k, "edsr", "area", shipped), shipped)
        assert attacked is not None
        assert attacked.fired
        assert abs(attacked.k - k) <= 1
