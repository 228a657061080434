"""What the round-trip detector learns from: half with a round trip, half changed harmlessly."""

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from demo.core.attack import FACTORS
from demo.defences.round_trip_samples import (
    Attacked,
    Samples,
    attack_portraits,
    draw,
    harmless,
    resampled,
    scaled,
    sharpened,
)
from models.zoo import Zoo

Pictures = npt.NDArray[np.uint8]


def noise(*shape: int) -> Pictures:
    return np.random.default_rng(0).integers(60, 200, shape, dtype=np.uint8)


@pytest.fixture
def samples() -> Samples:
    """Crops that tell where they come from: clean ones are dark, attacked ones bright."""
    clean, attacked = np.full((3, 64, 64, 3), 40, np.uint8), np.full((2, 64, 64, 3), 220, np.uint8)
    portrait = Attacked(np.full((70, 80, 3), 40, np.uint8), np.full((70, 80, 3), 220, np.uint8), 3)
    return Samples(clean, attacked, np.array([1.5, 2.0]), (portrait,))


def test_as_many_with_a_round_trip_as_without_each_with_its_own_k(samples: Samples) -> None:
    rng = np.random.default_rng(0)
    drawn = [draw(samples, 48, rng) for _ in range(400)]
    assert {one.crop.shape for one in drawn} == {(48, 48, 3)}
    for one in drawn:
        assert (one.k is None) == (one.crop.mean() < 128)
    counts = Counter(one.k for one in drawn)
    assert counts.keys() == {None, 1.5, 2.0, 3.0}
    assert 160 < counts[None] < 240


def test_the_same_generator_draws_the_same(samples: Samples) -> None:
    one, other = (draw(samples, 32, np.random.default_rng(3)) for _ in range(2))
    assert one.k == other.k
    np.testing.assert_array_equal(one.crop, other.crop)


def test_a_portrait_smaller_than_the_window_is_not_enlarged_to_it() -> None:
    tiny = Attacked(noise(40, 40, 3), noise(40, 40, 3), 2.0)
    crops = np.zeros((1, 64, 64, 3), np.uint8)
    samples = Samples(crops, crops, np.array([4.0]), (tiny,))
    rng = np.random.default_rng(0)
    assert {draw(samples, 64, rng).k for _ in range(40)} == {None, 4.0}


def test_harmless_changes_are_of_every_kind_and_never_below_the_least_side() -> None:
    crop, rng = noise(64, 64, 3), np.random.default_rng(0)
    changed = [harmless(crop, 48, rng) for _ in range(200)]
    sizes = {one.shape[0] for one in changed}
    assert min(sizes) >= 48
    assert max(sizes) <= 84
    assert 40 < sum(np.array_equal(one, crop) for one in changed) < 100
    same_size = [one.std() for one in changed if one.shape == crop.shape]
    assert min(same_size) < crop.std() < max(same_size)


def test_sharpening_raises_and_resampling_lowers_contrast() -> None:
    crop = noise(64, 64, 3)
    assert sharpened(crop, 1.0, 1.0).std() > crop.std() > resampled(crop, 1.2, 2).std()
    assert resampled(crop, 1.2, cv2.INTER_CUBIC).shape == crop.shape
    assert scaled(crop, 0.5).shape == (32, 32, 3)
    assert scaled(crop, 1.25).shape == (80, 80, 3)


def test_portraits_are_shrunk_at_most_and_attacked_once(tmp_path: Path, random_zoo: Zoo) -> None:
    portraits = [noise(60, 80, 3), noise(50, 50, 3)]
    file = tmp_path / "kept" / "portraits.safetensors"
    made = attack_portraits(portraits, 3, 0, file, random_zoo)
    assert len(made) == 6
    for number, one in enumerate(made):
        assert one.clean.shape == one.attacked.shape
        assert min(one.clean.shape[:2]) <= min(portraits[number // 3].shape[:2])
        assert one.k in FACTORS
        assert (one.clean != one.attacked).any()
    written = file.stat().st_mtime_ns
    again = attack_portraits(portraits, 3, 0, file, random_zoo)
    assert file.stat().st_mtime_ns == written
    for one, other in zip(made, again, strict=True):
        np.testing.assert_array_equal(one.attacked, other.attacked)
        np.testing.assert_array_equal(one.clean, other.clean)
        assert one.k == other.k
