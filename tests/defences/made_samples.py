"""Crops of noise before and after a round trip by a control, enough to learn the difference."""

import numpy as np
import numpy.typing as npt

from demo.core.attack import FACTORS, round_trip
from demo.defences.round_trip_samples import Attacked, Samples
from models.zoo import Zoo

Pictures = npt.NDArray[np.uint8]


def noisy_crops(count: int, side: int, seed: int) -> Pictures:
    """Noise over blobs: uint8 RGB, count×side×side×3; side is a multiple of 16."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 180, (count, side // 16, side // 16, 1))
    blobs = np.repeat(np.repeat(coarse, 16, axis=1), 16, axis=2)
    fine = rng.normal(0, 25, (count, side, side, 3))
    return np.clip(blobs + fine, 0, 255).astype(np.uint8)


def made_samples(zoo: Zoo) -> Samples:
    """Clean crops of 224 px, and four others attacked at each K."""
    k = np.repeat(FACTORS, 4)
    crops = noisy_crops(20 + len(k), 224, 0)
    attacked = np.stack(
        [
            round_trip(crop, float(factor), "bicubic", "area", zoo)
            for crop, factor in zip(crops[20:], k, strict=True)
        ]
    )
    portrait = Attacked(crops[0], attacked[0], float(k[0]))
    return Samples(crops[:20], attacked, k, (portrait,))
