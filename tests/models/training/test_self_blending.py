import numpy as np
import pytest

from models.training.distortions import distort, reencode_jpeg
from models.training.self_blending import self_blend

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_changes_outside_the_mask(seed: int) -> None:
    crop = np.random.default_rng(seed).integers(0, 256, (120, 96, 3), dtype=np.uint8)
    blended, mask = self_blend(crop, np.random.default_rng(seed))
    assert blended.shape == crop.shape and blended.dtype == np.uint8
    assert mask.shape == (120, 96) and mask.min() >= 0 and mask.max() <= 1
    assert (blended[mask == 0] == crop[mask == 0]).all()
    assert (blended != crop).any()
    assert (mask == 0).any() and (mask > 0.4).any()


def test_a_seed_gives_the_same_fake_again() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    once, again, other = (self_blend(crop, np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert (once == again).all()
    assert (once != other).any()


def test_a_pair_meets_the_same_distortions() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for seed in SEEDS:
        pair = [distort(crop, np.random.default_rng(seed), 0.6) for _ in range(2)]
        assert (pair[0] == pair[1]).all()
    assert (distort(crop, np.random.default_rng(0), 0.0) == crop).all()
    assert (distort(crop, np.random.default_rng(0), 1.0) != crop).any()


def test_jpeg_keeps_the_order_of_the_channels() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 250
    encoded = reencode_jpeg(red, 60)
    assert abs(int(encoded[16, 16, 0]) - 250) < 6
    assert encoded[16, 16, 2] < 6
