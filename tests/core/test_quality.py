"""Likeness of two crops, against scikit-image and against arithmetic done by hand."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from demo.core.errors import ImageError
from demo.core.quality import measure


def two_crops(side: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(side)
    clean = numbers.integers(0, 256, (side, side + 3, 3), dtype=np.uint8)
    changed = np.clip(clean + numbers.normal(0, noise, clean.shape), 0, 255).astype(np.uint8)
    return clean, changed


@pytest.mark.parametrize("noise", [2.0, 20.0, 80.0])
@pytest.mark.parametrize("side", [7, 20, 61])
def test_ssim_and_psnr_are_scikit_images(side: int, noise: float) -> None:
    clean, attacked = two_crops(side, noise)
    quality = measure(clean, attacked)
    exact = clean.astype(np.float64), attacked.astype(np.float64)
    expected = structural_similarity(*exact, channel_axis=2, data_range=255)
    assert quality.ssim == pytest.approx(expected, abs=1e-12)
    expected = peak_signal_noise_ratio(*exact, data_range=255)
    assert quality.psnr_db == pytest.approx(expected, abs=1e-9)


def test_identical_crops_have_no_noise_at_all() -> None:
    clean, _ = two_crops(30, 1.0)
    quality = measure(clean, clean.copy())
    assert quality.ssim == 1.0
    assert math.isinf(quality.psnr_db)
    assert (quality.mean_difference, quality.max_difference) == (0.0, 0)


def test_a_difference_of_all_levels_does_not_wrap_around() -> None:
    black, white = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)
    for quality in (measure(black, white), measure(white, black)):
        assert quality.psnr_db == 0.0
        assert (quality.mean_difference, quality.max_difference) == (255.0, 255)


def test_differences_are_in_levels_and_count_every_channel() -> None:
    clean = np.full((10, 10, 3), 100, np.uint8)
    attacked = clean.copy()
    attacked[0, 0] = (90, 100, 130)
    quality = measure(clean, attacked)
    assert quality.mean_difference == pytest.approx(40 / 300)
    assert quality.max_difference == 30
    assert quality.psnr_db == pytest.approx(10 * math.log10(255**2 / (1000 / 300)))


@pytest.mark.parametrize("side", [3, 4, 5, 6])
def test_a_crop_smaller_than_the_window_is_measured_with_a_smaller_one(side: int) -> None:
    clean, attacked = two_crops(side, 20.0)
    window = {3: 3, 4: 3, 5: 5, 6: 5}[side]
    expected = structural_similarity(
        clean, attacked, win_size=window, channel_axis=2, data_range=255
    )
    assert measure(clean, attacked).ssim == pytest.approx(expected, abs=1e-12)


def test_crops_of_different_sizes_are_refused() -> None:
    with pytest.raises(ImageError, match=r"one size.*10×20.*20×10"):
        measure(np.zeros((20, 10, 3), np.uint8), np.zeros((10, 20, 3), np.uint8))


def test_a_crop_too_small_to_measure_is_refused() -> None:
    with pytest.raises(ImageError, match="at least 3 pixels"):
        measure(np.zeros((2, 9, 3), np.uint8), np.zeros((2, 9, 3), np.uint8))
