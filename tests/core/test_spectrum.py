"""Spectra: known sinusoids, Parseval, and what a low pass takes."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.errors import ImageError, SettingsError
from demo.core.spectrum import (
    FLOOR,
    compare_spectra,
    luma,
    power_density,
    profile_rows,
    radial_mean,
    ring_frequencies,
    spectrum,
)

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
SHAPES = [(64, 64), (48, 80), (81, 45)]


def noise(shape: tuple[int, int], seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(100, 20, shape)


def wave(shape: tuple[int, int], down: int, across: int, amplitude: float) -> Array:
    """A sinusoid with whole periods along each axis."""
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    turns: Array = down * rows / shape[0] + across * columns / shape[1]
    waves: Array = amplitude * np.cos(2 * np.pi * turns)
    return waves


def distances(shape: tuple[int, int]) -> tuple[Array, Array]:
    """Whole bins from zero frequency along both axes, zero frequency in the middle."""
    rows, columns = (np.arange(length) - length // 2 for length in shape)
    return np.abs(rows)[:, None] + np.zeros(shape), np.abs(columns)[None, :] + np.zeros(shape)


def hann(shape: tuple[int, int]) -> Array:
    rows, columns = (np.sin(np.pi * np.arange(length) / length) ** 2 for length in shape)
    return np.outer(rows, columns)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sinusoid_peaks_at_its_frequency_with_its_power(shape: tuple[int, int]) -> None:
    density = power_density(wave(shape, 7, -11, 10.0))
    peaks = {tuple(place) for place in np.argwhere(density > 0.9 * density.max()).tolist()}
    middle = shape[0] // 2, shape[1] // 2
    assert peaks == {
        (middle[0] + 7, middle[1] - 11),
        (middle[0] - 7, middle[1] + 11),
    }
    assert density.mean() == pytest.approx(10.0**2 / 2, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sinusoid_reaches_its_neighbours_and_no_farther(shape: tuple[int, int]) -> None:
    density = power_density(wave(shape, 0, 9, 10.0))
    down, across = distances(shape)
    near = (down <= 1) & (np.abs(across - 9) <= 1)
    assert density[near].min() > 1
    assert density[~near].max() < 1e-20


@pytest.mark.parametrize("shape", SHAPES)
def test_the_mean_density_is_the_mean_power_under_the_window(shape: tuple[int, int]) -> None:
    signal, window = noise(shape), hann(shape)
    expected = np.square(signal * window).sum() / np.square(window).sum()
    assert power_density(signal).mean() == pytest.approx(expected, rel=1e-12)


def test_white_noise_is_flat_at_its_variance_in_crops_of_any_size() -> None:
    for shape in SHAPES:
        densities = [power_density(noise(shape, seed) - 100) for seed in range(40)]
        profile = radial_mean(np.mean(densities, axis=0))
        assert profile[2:] == pytest.approx(np.full(len(profile) - 2, 400.0), rel=0.25)
        assert profile[2:].mean() == pytest.approx(400.0, rel=0.03)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_low_pass_takes_exactly_what_is_above_its_cut(shape: tuple[int, int]) -> None:
    signal, cut = noise(shape), 12
    down, across = distances(shape)
    above = (down > cut) | (across > cut)
    coefficients = np.fft.fftshift(np.fft.fft2(signal))
    low = np.fft.ifft2(np.fft.ifftshift(np.where(above, 0, coefficients))).real
    before, after = power_density(signal), power_density(low)
    lost = (down > cut + 1) | (across > cut + 1)
    kept = (down <= cut - 1) & (across <= cut - 1)
    assert after[lost].max() < 1e-18
    assert after[kept] == pytest.approx(before[kept], rel=1e-9)
    difference = spectrum(low).level_db - spectrum(signal).level_db
    assert np.abs(difference[kept]).max() < 1e-8
    assert difference[lost].max() < 0
    assert (spectrum(low).level_db[lost] == 10 * math.log10(FLOOR)).all()


@pytest.mark.parametrize(("down", "across"), [(0, 20), (30, 0), (18, 40)])
def test_in_a_crop_that_is_not_square_rings_are_round_in_frequency(down: int, across: int) -> None:
    shape = (60, 100)
    profile = radial_mean(power_density(wave(shape, down, across, 10.0)))
    frequencies = ring_frequencies(shape)
    expected = math.hypot(down / 60, across / 100)
    assert abs(frequencies[profile.argmax()] - expected) <= 0.5 / 60 + 1e-12
    assert len(profile) == len(frequencies) == 31
    assert (frequencies[0], frequencies[-1]) == (0.0, 0.5)


@pytest.mark.parametrize("shape", [(8, 8), (9, 200), (33, 31)])
def test_every_ring_has_something_in_it(shape: tuple[int, int]) -> None:
    profile = radial_mean(np.ones(shape))
    assert profile == pytest.approx(np.ones(len(ring_frequencies(shape))))


def test_identical_crops_differ_by_exactly_nothing(astronaut: Picture) -> None:
    crop = astronaut[0:150, 100:301]
    spectra = compare_spectra(crop, crop.copy(), 2.0)
    assert spectra.difference_db.shape == (150, 201)
    assert not spectra.difference_db.any()
    assert all(row.difference_db == 0 for row in profile_rows(spectra))
    flat = np.full((20, 20, 3), 7, dtype=np.uint8)
    assert not compare_spectra(flat, flat, 4.0).difference_db.any()


def test_a_shrunken_and_enlarged_crop_loses_above_the_marked_frequency(astronaut: Picture) -> None:
    crop = astronaut[0:224, 110:334]
    blocks = crop.reshape(56, 4, 56, 4, 3).mean(axis=(1, 3))
    columns = np.linspace(-0.375, 55.375, 224)
    smooth = np.stack([np.interp(columns, np.arange(56), row) for row in luma_rows(blocks)])
    tall = np.stack([np.interp(columns, np.arange(56), column) for column in smooth.T]).T
    attacked = np.repeat(np.rint(tall)[:, :, None], 3, axis=2).astype(np.uint8)
    spectra = compare_spectra(crop, attacked, 4.0)
    assert spectra.cutoff == 0.125
    rows = profile_rows(spectra)
    below = [row.difference_db for row in rows if row.frequency < 0.25 * spectra.cutoff]
    above = [row.difference_db for row in rows if 1.2 * spectra.cutoff < row.frequency]
    assert min(below) > -1
    assert np.mean(above) < -8
    assert [row.frequency for row in rows] == spectra.frequencies.tolist()
    assert [row.clean_db for row in rows] == spectra.clean.profile_db.tolist()


def luma_rows(blocks: Array) -> Array:
    weighted: Array = blocks @ np.array([0.299, 0.587, 0.114])
    return weighted


def test_luma_is_the_weighted_sum_of_the_colours() -> None:
    picture = np.array([[[255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], dtype=np.uint8)
    assert luma(picture)[0] == pytest.approx([255, 76.245, 149.685, 29.07])


def test_crops_that_cannot_be_compared_are_refused_in_a_sentence() -> None:
    large, other = np.zeros((20, 30, 3), np.uint8), np.zeros((30, 20, 3), np.uint8)
    with pytest.raises(ImageError, match="30×20 and 20×30"):
        compare_spectra(large, other, 2.0)
    with pytest.raises(ImageError, match="at least 8 pixels"):
        compare_spectra(large[:7], large[:7], 2.0)
    for k in (0.5, math.nan, math.inf):
        with pytest.raises(SettingsError, match="K must be a number from 1"):
            compare_spectra(large, large, k)
