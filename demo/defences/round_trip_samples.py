"""Crops with and without a round trip, as the round-trip detector is trained on them.

With: face crops after a round trip, some of them stored as JPEG afterwards. Without: the same kind
of crops left alone, scaled to another size, resampled slightly, sharpened, or stored as JPEG: what
happens to photographs that nobody attacked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from demo.core.attack import FACTORS, KERNELS, round_trip
from demo.core.restoring import METHODS
from models.training.distortions import reencode_jpeg
from models.zoo import Zoo

Pictures = npt.NDArray[np.uint8]

INTERPOLATIONS: Final = (
    cv2.INTER_AREA,
    cv2.INTER_LINEAR,
    cv2.INTER_CUBIC,
    cv2.INTER_LANCZOS4,
)
PORTRAIT_DRAWS: Final = 4
PORTRAIT_SHARE: Final = 0.3
STORED_SHARE: Final = 0.35
LEAST_PORTRAIT: Final = 48


@dataclass(frozen=True)
class Attacked:
    """One crop before and after a round trip, uint8 RGB H×W×3, and its K."""

    clean: Pictures
    attacked: Pictures
    k: float


@dataclass(frozen=True)
class Samples:
    """What crops are drawn from.

    Attributes:
        clean: face crops of one size, N×S×S×3, uint8 RGB.
        attacked: M×S×S×3, uint8 RGB, after a round trip.
        k: M, its K.
        portraits: cut from photographs, of many sizes, before and after.
    """

    clean: Pictures
    attacked: Pictures
    k: npt.NDArray[np.float64]
    portraits: Sequence[Attacked]


@dataclass(frozen=True)
class Sample:
    """One crop, uint8 RGB, and the K of its round trip; None where there was none."""

    crop: Pictures
    k: float | None


def attack_portraits(
    portraits: Sequence[Pictures], draws: int, seed: int, file: Path, zoo: Zoo
) -> list[Attacked]:
    """Scale portraits to sizes that faces have in photographs, and send them through round trips.

    Args:
        portraits: pristine crops, uint8 RGB, of different sizes.
        draws: how often each is drawn, with another size, K, method and kernel.
        seed: of every draw.
        file: where the attacked crops are kept, safetensors, made if absent.
        zoo: restores.

    Returns:
        ``draws`` a portrait, in order; no side is enlarged.
    """
    rng = np.random.default_rng(seed)
    clean, settings = [], []
    for portrait in portraits:
        for _ in range(draws):
            own = min(portrait.shape[:2])
            side = rng.uniform(LEAST_PORTRAIT, 1.2 * own)
            clean.append(portrait if side >= own else scaled(portrait, side / own))
            k, method, kernel = rng.choice(FACTORS), rng.choice(METHODS), rng.choice(KERNELS)
            settings.append((float(k), str(method), str(kernel)))
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        trips = [
            round_trip(crop, k, method, kernel, zoo)
            for crop, (k, method, kernel) in zip(tqdm(clean), settings, strict=True)
        ]
        save_file({str(number): trip for number, trip in enumerate(trips)}, file)
    kept = load_file(file)
    return [
        Attacked(crop, kept[str(number)], k)
        for number, (crop, (k, _, _)) in enumerate(zip(clean, settings, strict=True))
    ]


def draw(samples: Samples, side: int, rng: np.random.Generator) -> Sample:
    """Draw one crop, as often with a round trip as without.

    Args:
        samples: what it is drawn from.
        side: wanted, px; at most that of the face crops. Nothing is enlarged to reach it.
        rng: of every draw.

    Returns:
        A square window of that side, turned and mirrored at random.
    """
    k: float | None = None
    portrait = samples.portraits[int(rng.integers(len(samples.portraits)))]
    from_portrait = rng.random() < PORTRAIT_SHARE and min(portrait.clean.shape[:2]) >= side
    if rng.random() < 0.5:
        if from_portrait:
            crop, k = portrait.attacked, portrait.k
        else:
            number = int(rng.integers(len(samples.k)))
            crop, k = np.asarray(samples.attacked[number]), float(samples.k[number])
        if rng.random() < STORED_SHARE:
            crop = reencode_jpeg(crop, int(rng.integers(90, 101)))
    else:
        crop = (
            portrait.clean
            if from_portrait
            else np.asarray(samples.clean[int(rng.integers(len(samples.clean)))])
        )
        crop = harmless(crop, side, rng)
    return Sample(_window(crop, side, rng), k)


def harmless(crop: Pictures, least: int, rng: np.random.Generator) -> Pictures:
    """Do to a crop what happens to photographs that nobody attacked, or nothing.

    Args:
        crop: uint8 RGB, H×W×3.
        least: the sides stay as long as that, px.
        rng: decides what and how much.

    Returns:
        uint8 RGB; of another size where it was scaled.
    """
    kind = rng.random()
    kernel = INTERPOLATIONS[int(rng.integers(len(INTERPOLATIONS)))]
    if kind < 0.35:
        return crop
    if kind < 0.55:
        return _scaled(crop, float(rng.uniform(max(0.5, least / min(crop.shape[:2])), 1.3)), kernel)
    if kind < 0.65:
        return resampled(crop, float(rng.uniform(1.05, 1.25)), kernel)
    if kind < 0.8:
        return sharpened(crop, float(rng.uniform(0.7, 2.0)), float(rng.uniform(0.3, 1.5)))
    return reencode_jpeg(crop, int(rng.integers(60, 96)))


def resampled(crop: Pictures, factor: float, kernel: int) -> Pictures:
    """Shrink a crop by a factor and enlarge it to the size it had, by one of OpenCV's kernels."""
    height, width = crop.shape[:2]
    small = _scaled(crop, 1 / factor, kernel)
    return np.asarray(cv2.resize(small, (width, height), interpolation=kernel), np.uint8)


def sharpened(crop: Pictures, sigma: float, amount: float) -> Pictures:
    """Sharpen by an unsharp mask: add ``amount`` times what a Gaussian of ``sigma`` px removes."""
    return np.asarray(
        cv2.addWeighted(crop, 1 + amount, cv2.GaussianBlur(crop, (0, 0), sigma), -amount, 0),
        np.uint8,
    )


def scaled(crop: Pictures, factor: float) -> Pictures:
    """Scale a crop as pictures are: averaged over area when it shrinks, cubic when it grows."""
    return _scaled(crop, factor, cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _scaled(crop: Pictures, factor: float, kernel: int) -> Pictures:
    height, width = crop.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(crop, size, interpolation=kernel), np.uint8)


def _window(crop: Pictures, side: int, rng: np.random.Generator) -> Pictures:
    height, width = crop.shape[:2]
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    window = crop[top : top + side, left : left + side]
    turned = np.rot90(window, int(rng.integers(4)))
    return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned)
