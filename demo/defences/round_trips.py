"""Face crops before and after a round trip: what every defence is trained and chosen with.

A fake and the real crop that it was made from take the same round trip, so that having been through
one says nothing about the label.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from demo.core.attack import FACTORS, round_trip
from demo.core.restoring import METHODS
from models.training.faces import SIDE, Faces
from models.zoo import Zoo

KERNEL: Final = "area"
Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class RoundTrips:
    """Pairs of a real crop and a fake of it, clean and after one round trip.

    Attributes:
        fake: N, the index of the fake in its split.
        real: N, the index of the real crop that it was made from.
        method: N, who restored.
        k: N, the scale factor.
        attacked: N×2×224×224×3, uint8 RGB: the real crop, then the fake, after the round trip.
    """

    fake: npt.NDArray[np.int64]
    real: npt.NDArray[np.int64]
    method: npt.NDArray[np.str_]
    k: npt.NDArray[np.float64]
    attacked: Pictures


def read_round_trips(
    faces: Faces, split: str, pairs: int, seed: int, cache: Path, zoo: Zoo
) -> RoundTrips:
    """Draw pairs of a split, and a K and a method for each; attack them once, and read them after.

    Args:
        faces: The split.
        split: Its name, for the cache.
        pairs: How many; drawn without repetition while there are fakes.
        seed: Of every draw.
        cache: A folder for the attacked crops, made if absent.
        zoo: Restores.

    Returns:
        The pairs in the order in which they were drawn.
    """
    rng = np.random.default_rng(seed)
    fakes = np.flatnonzero(faces.fake)
    fake = rng.permutation(np.resize(fakes, max(pairs, len(fakes))))[:pairs]
    method = rng.choice(METHODS, pairs)
    k = rng.choice(FACTORS, pairs)
    real = faces.original[fake]
    file = cache / f"round_trips_{split}_{pairs}_{seed}.npy"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f"{file.stem}.{os.getpid()}.partial.npy"
        attacked = np.lib.format.open_memmap(
            partial, mode="w+", dtype=np.uint8, shape=(pairs, 2, SIDE, SIDE, 3)
        )
        for place in tqdm(range(pairs), desc=f"round trips of {split}"):
            for side, index in enumerate((real[place], fake[place])):
                crop = np.asarray(faces.pictures[index])
                attacked[place, side] = round_trip(
                    crop, float(k[place]), str(method[place]), KERNEL, zoo
                )
        attacked.flush()
        partial.rename(file)
    return RoundTrips(fake, real, method, k, np.load(file, mmap_mode="r"))
