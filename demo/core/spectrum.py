"""What went: the spectra of a clean and an attacked crop, and what the round trip took from them.

A crop does not repeat at its borders, so a plain transform shows a bright cross that belongs to the
borders and drowns the faint high frequencies. The luma is therefore weighted by a periodic Hann
window (Harris 1978, doi 10.1109/PROC.1978.10837), which spreads a frequency over its two neighbours
along each axis and no farther. Densities are scaled as Welch 1967 (doi 10.1109/TAU.1967.1161901)
does, so that crops of different sizes can be compared: white noise of variance v has the density v.
The radial profile is the azimuthal mean that is used on generated faces (Durall et al. 2020,
arXiv 2003.01826).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from demo.core.errors import ImageError, SettingsError
from demo.core.images import Picture

Array = npt.NDArray[np.float64]

MIN_SIDE: Final = 8
FLOOR: Final = 1e-4
LUMA_WEIGHTS: Final = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Spectrum:
    """Log-magnitude spectrum of a crop.

    Attributes:
        level_db: float64 H×W, the crop's size; 10·log10 of the power density in squared 8-bit
            levels per (cycle/px)², not below -40 dB. Zero frequency is at row H // 2, column
            W // 2; row r stands for (r - H // 2) / H and column c for (c - W // 2) / W cycles/px.
        profile_db: float64 n, level of the mean density in each ring of ``frequencies``.
    """

    level_db: Array
    profile_db: Array


@dataclass(frozen=True)
class Spectra:
    """Spectra of a crop before and after the round trip.

    Attributes:
        clean: before.
        attacked: after.
        difference_db: float64 H×W, attacked less clean; exactly 0 where the crops are the same.
        frequencies: float64 n, centres of the rings in cycles/px, from 0 to at most 0.5.
        cutoff: 1/(2K) in cycles/px: what lies above it is not in the shrunken crop.
    """

    clean: Spectrum
    attacked: Spectrum
    difference_db: Array
    frequencies: Array
    cutoff: float


@dataclass(frozen=True)
class ProfileRow:
    """One ring of the radial profiles, for charts: cycles/px and levels in dB."""

    frequency: float
    clean_db: float
    attacked_db: float
    difference_db: float


def compare_spectra(clean: Picture, attacked: Picture, k: float) -> Spectra:
    """Take the spectra of a clean crop and of its round trip.

    Args:
        clean: uint8 RGB, H×W×3, at least 8 px a side; need not be square.
        attacked: uint8 RGB, the same shape.
        k: scale factor of the round trip, 1 or more.

    Raises:
        ImageError: the sizes differ, or a side is under 8 px.
        SettingsError: K is not a finite number from 1.
    """
    if clean.shape != attacked.shape or min(clean.shape[:2]) < MIN_SIDE:
        raise ImageError(
            f"Two crops of one size, at least {MIN_SIDE} pixels a side, were expected, but they "
            f"have {_size(clean)} and {_size(attacked)} pixels. Take a larger crop and compare it "
            "with its own round trip."
        )
    if not (math.isfinite(k) and k >= 1):
        raise SettingsError(f"K must be a number from 1, but {k!r} came. Choose one of the steps.")
    before, after = spectrum(luma(clean)), spectrum(luma(attacked))
    return Spectra(
        clean=before,
        attacked=after,
        difference_db=after.level_db - before.level_db,
        frequencies=ring_frequencies(clean.shape[:2]),
        cutoff=1 / (2 * k),
    )


def profile_rows(spectra: Spectra) -> tuple[ProfileRow, ...]:
    """Return the radial profiles of both crops and their difference, from frequency 0 up."""
    columns = (spectra.frequencies, spectra.clean.profile_db, spectra.attacked.profile_db)
    return tuple(
        ProfileRow(frequency, before, after, after - before)
        for frequency, before, after in zip(*(column.tolist() for column in columns), strict=True)
    )


def spectrum(signal: Array) -> Spectrum:
    """Return the log-magnitude spectrum and the radial profile of float64 H×W."""
    density = power_density(signal)
    return Spectrum(level_db=_decibels(density), profile_db=_decibels(radial_mean(density)))


def luma(picture: Picture) -> Array:
    """Return 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601) of uint8 RGB, float64 in [0, 255]."""
    weighted: Array = picture.astype(np.float64) @ np.array(LUMA_WEIGHTS)
    return weighted


def power_density(signal: Array) -> Array:
    """Return the two-sided power density under a Hann window.

    Args:
        signal: float64 H×W.

    Returns:
        float64 H×W, zero frequency at (H // 2, W // 2), in squared units of the signal per
        (cycle/px)². Its mean is the window's weighted mean of the squared signal (Parseval).
    """
    weights = np.outer(_hann(signal.shape[0]), _hann(signal.shape[1]))
    transform = np.fft.fftshift(np.fft.fft2(signal * weights))
    density: Array = np.square(np.abs(transform)) / np.square(weights).sum()
    return density


def ring_frequencies(shape: tuple[int, ...]) -> Array:
    """Return the centres of the rings of an H×W crop: i / min(H, W) cycles/px, up to 0.5."""
    side = min(shape)
    return np.arange(side // 2 + 1) / side


def radial_mean(density: Array) -> Array:
    """Average over rings of the width 1 / min(H, W) cycles/px around zero frequency.

    Args:
        density: float64 H×W, zero frequency at (H // 2, W // 2).

    Returns:
        float64, one value for each of ``ring_frequencies``. Distances are in cycles/px along both
        axes, so that rings are round in frequency where a crop is not square. What lies in the
        corners, beyond the last ring, is left out.
    """
    height, width = density.shape
    rows, columns = (np.fft.fftshift(np.fft.fftfreq(length)) for length in (height, width))
    distance = np.hypot(rows[:, None], columns[None, :])
    ring = np.floor(distance * min(height, width) + 0.5).astype(np.intp)
    count = min(height, width) // 2 + 1
    inside = ring < count
    sums = np.bincount(ring[inside], weights=density[inside], minlength=count)
    means: Array = sums / np.bincount(ring[inside], minlength=count)
    return means


def _hann(length: int) -> Array:
    window: Array = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    return window


def _decibels(density: Array) -> Array:
    level: Array = 10 * np.log10(np.maximum(density, FLOOR))
    return level


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}×{picture.shape[0]}"
