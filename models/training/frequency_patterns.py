"""Pristine crops with a pattern in their spectrum: fakes for a detector that never saw a deepfake.

Source: Coccomini et al., "Deepfake Detection without Deepfakes: Generalization via Synthetic
Frequency Patterns Injection", arXiv 2403.13479. Generators leave structured marks in the frequency
domain; a detector is shown marks of many shapes instead of the fakes of a few generators.

What follows the paper and its published code: generic shapes, grids and halos (its auras) of random
variants; that a shape is mirrored; that it is added to the magnitude of every channel, while the
crop keeps its own phase; and that nothing but pristine crops is needed. What is ours: which shapes
(lines at equal distances, a few points, a ring), that each is drawn on the frequencies themselves
and not as a picture that is transformed first, the geometric variants (turned, scaled and moved as
a whole), mirroring at the centre alone, which is what a real picture asks for, weighing a shape by
the crop's own spectrum at the same distance from the centre, and counting its strength in grey
levels of the picture, from hardly visible to plain. The published code mixes magnitudes with a
weight of 0.05 and stretches the result to the whole range of levels, which a detector could tell by
its contrast.
"""

import typing
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import fft

Kind = Literal["grid", "peaks", "halo"]
KINDS: tuple[Kind, ...] = typing.get_args(Kind)
AMPLITUDES = (1.0, 6.0)
# Around the centre lies what a face looks like: nothing is drawn there. Cycles per pixel.
CLEAR = 0.06
Crop = npt.NDArray[np.uint8]
Spectrum = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Geometry:
    """A geometric variant of a shape on the plane of frequencies.

    Attributes:
        turn: Counter-clockwise, radians.
        scale: How many times as large.
        offset: How far its centre is moved (across, down), cycles per pixel.
    """

    turn: float
    scale: float
    offset: tuple[float, float]


@dataclass(frozen=True)
class Pattern:
    """What is drawn on the plane of frequencies before it is mirrored.

    Attributes:
        kind: Lines at equal distances in both directions, a few points, or a ring.
        places: Of the points, (across, down) in cycles per pixel; of the others the spacing of the
            lines or the radius of the ring, as a single (radius, 0).
        width: Standard deviation of the profile of lines, points and rings, cycles per pixel.
        geometry: How it is turned, scaled and moved.
    """

    kind: Kind
    places: tuple[tuple[float, float], ...]
    width: float
    geometry: Geometry


def with_pattern(crop: Crop, rng: np.random.Generator) -> Crop:
    """Inject a drawn pattern at a drawn strength.

    Args:
        crop: A pristine face, S×S×3, uint8 RGB.
        rng: The source of every random choice.

    Returns:
        S×S×3, uint8 RGB.
    """
    pattern = draw_pattern(rng)
    low, high = AMPLITUDES
    amplitude = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return inject(crop, magnitude(pattern, crop.shape[0]), amplitude)


def draw_pattern(rng: np.random.Generator) -> Pattern:
    """A pattern of a random family and variant."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    geometry = Geometry(
        turn=float(rng.uniform(0, np.pi)) if rng.random() < 0.5 else 0.0,
        scale=float(rng.uniform(0.8, 1.25)),
        offset=(float(rng.uniform(-0.03, 0.03)), float(rng.uniform(-0.03, 0.03))),
    )
    if kind == "grid":
        return Pattern(kind, ((float(rng.uniform(0.08, 0.3)), 0.0),), 0.003, geometry)
    if kind == "peaks":
        angle = rng.uniform(0, 2 * np.pi, int(rng.integers(1, 7)))
        far = rng.uniform(0.12, 0.45, angle.size)
        places = np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1).tolist()
        return Pattern(kind, tuple((x, y) for x, y in places), 0.006, geometry)
    radius = float(rng.uniform(0.15, 0.42))
    return Pattern(kind, ((radius, 0.0),), float(rng.uniform(0.01, 0.06)), geometry)


def magnitude(pattern: Pattern, side: int) -> Spectrum:
    """Draw a pattern on the frequencies of a square picture.

    Args:
        pattern: What to draw.
        side: Of the picture, px.

    Returns:
        side×side float32 in [0, 1], in the order of `numpy.fft.fft2`: equal at every frequency and
        its opposite, 0 within `CLEAR` of the centre.
    """
    across, down, radius = _frequencies(side)
    drawn = np.maximum(_draw(pattern, across, down), _draw(pattern, -across, -down))
    # The one row and column that lie at their own opposite's place only for even sides.
    drawn = np.maximum(drawn, np.roll(drawn[::-1, ::-1], 1, axis=(0, 1)))
    return np.where(radius < CLEAR, np.float32(0), drawn)


def inject(crop: Crop, pattern: Spectrum, amplitude: float) -> Crop:
    """Add a pattern to the magnitude of a crop's spectrum.

    Args:
        crop: S×S×3, uint8 RGB.
        pattern: S×S from `magnitude`.
        amplitude: Root mean square of the change before it is rounded, grey levels.

    Returns:
        S×S×3, uint8 RGB; the crop itself where the pattern is empty.
    """
    # Of a real picture, one half of the plane says all.
    spectrum = fft.rfft2(crop.astype(np.float32), axes=(0, 1))
    strength = np.abs(spectrum)
    half = pattern[:, : spectrum.shape[1]]
    weight = half * _mean_at_distance(strength.mean(axis=2), crop.shape[0])
    change = fft.irfft2(
        spectrum * (weight[..., None] / np.maximum(strength, np.float32(1e-6))),
        s=crop.shape[:2],
        axes=(0, 1),
    )
    spread = float(np.sqrt(np.square(change).mean()))
    if spread == 0:
        return crop
    changed = crop + np.float32(amplitude / spread) * change
    return np.asarray(np.clip(np.rint(changed), 0, 255), np.uint8)


def _draw(pattern: Pattern, across: Spectrum, down: Spectrum) -> Spectrum:
    turn, scale = pattern.geometry.turn, pattern.geometry.scale
    x, y = across - pattern.geometry.offset[0], down - pattern.geometry.offset[1]
    x, y = (
        (np.cos(turn) * x + np.sin(turn) * y) / scale,
        (np.cos(turn) * y - np.sin(turn) * x) / scale,
    )
    if pattern.kind == "grid":
        spacing = pattern.places[0][0]
        away = np.minimum(_to_nearest(x, spacing), _to_nearest(y, spacing))
    elif pattern.kind == "peaks":
        away = np.min([np.hypot(x - u, y - v) for u, v in pattern.places], axis=0)
    else:
        away = np.abs(np.hypot(x, y) - pattern.places[0][0])
    return np.asarray(np.exp(-np.square(away / pattern.width) / 2), np.float32)


def _to_nearest(place: Spectrum, spacing: float) -> Spectrum:
    return np.asarray(np.abs(place - spacing * np.rint(place / spacing)), np.float32)


@cache
def _frequencies(side: int) -> tuple[Spectrum, Spectrum, Spectrum]:
    """Across, down and distance from the centre of every frequency, cycles per pixel."""
    axis = np.fft.fftfreq(side).astype(np.float32)
    down, across = np.meshgrid(axis, axis, indexing="ij")
    return across, down, np.hypot(across, down)


@cache
def _rings(side: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distance of every frequency of half the plane, in periods per picture; how many have it."""
    rings = np.rint(_frequencies(side)[2][:, : side // 2 + 1] * side).astype(np.int64)
    return rings, np.bincount(rings.ravel())


def _mean_at_distance(strength: Spectrum, side: int) -> Spectrum:
    """The mean magnitude at the same distance from the centre, to half a step of frequency."""
    rings, count = _rings(side)
    return np.asarray((np.bincount(rings.ravel(), strength.ravel()) / count)[rings], np.float32)
