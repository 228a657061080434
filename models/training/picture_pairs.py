"""Pairs of a picture and its shrunken copy: what a super-resolution network learns from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

Picture: TypeAlias = npt.NDArray[np.uint8]

_CANDIDATES = 2


@dataclass(frozen=True)
class Pair:
    """A picture and its copy shrunk by a whole factor, both uint8 H×W×3 RGB."""

    low: Picture
    high: Picture


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs to learn from, by source, and pairs held out to choose by."""

    photographs: tuple[Pair, ...]
    small: tuple[Pair, ...]
    held_out: tuple[Pair, ...]


def read_rgb(file: Path) -> Picture:
    """A picture file as uint8 H×W×3 RGB."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def shrink_bicubic(high: Picture, scale: int) -> Pair:
    """Crop to multiples of ``scale`` and shrink with the antialiased bicubic kernel (a = -0.5)."""
    height, width = (side // scale * scale for side in high.shape[:2])
    cropped = high[:height, :width]
    low = Image.fromarray(cropped).resize(
        (width // scale, height // scale), Image.Resampling.BICUBIC
    )
    return Pair(np.asarray(low), cropped)


def read_training_pairs(
    root: Path, scale: int, seed: int, patch: int, held_out: int = 8, window: int = 96
) -> TrainingPairs:
    """Read and shrink every training picture.

    Args:
        root: folder that holds ``super_resolution/train`` with ``bsds500`` and ``t91``.
        scale: factor of the shrink.
        seed: draws the held-out pictures.
        patch: side of a training patch in px of the shrunken picture; smaller pictures are left
            out.
        held_out: how many pictures of each source are held out.
        window: largest side, in px of the shrunken picture, kept of a held-out picture.

    Raises:
        FileNotFoundError: a source holds no more pictures than are held out.
    """
    generator = np.random.default_rng(seed)
    kept: list[tuple[Pair, ...]] = []
    aside: list[Pair] = []
    for source in ("bsds500", "t91"):
        folder = root / "super_resolution" / "train" / source
        files = sorted(f for f in folder.glob("*") if f.suffix in {".jpg", ".png"})
        if len(files) <= held_out:
            raise FileNotFoundError(f"expected more than {held_out} pictures of {source}")
        chosen = set(generator.choice(len(files), held_out, replace=False).tolist())
        pairs = [shrink_bicubic(read_rgb(file), scale) for file in files]
        aside += [_window(pairs[i], scale, window) for i in sorted(chosen)]
        rest = (pair for i, pair in enumerate(pairs) if i not in chosen)
        kept.append(tuple(pair for pair in rest if min(pair.low.shape[:2]) >= patch))
    return TrainingPairs(kept[0], kept[1], tuple(aside))


def draw_batch(
    pairs: TrainingPairs, scale: int, count: int, patch: int, seed: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    """Patches drawn from the seed alone, turned and mirrored at random.

    A quarter comes from the small pictures. Of two candidates the one with more detail is taken.

    Returns:
        float32 N×3×p×p and N×3×sp×sp in [0, 1].
    """
    generator = np.random.default_rng(seed)
    lows: list[Picture] = []
    highs: list[Picture] = []
    for _ in range(count):
        candidates = [_patch(pairs, scale, patch, generator) for _ in range(_CANDIDATES)]
        best = max(candidates, key=_detail)
        turns, mirrored = int(generator.integers(4)), bool(generator.integers(2))
        for picture, into in ((best.low, lows), (best.high, highs)):
            turned = np.rot90(picture, turns)
            into.append(turned[:, ::-1] if mirrored else turned)
    return to_batch(np.stack(lows)), to_batch(np.stack(highs))


def to_batch(pictures: Picture) -> Tensor:
    """Pictures uint8 N×H×W×3 as float32 N×3×H×W in [0, 1], channels last in memory."""
    return torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 255


def _patch(pairs: TrainingPairs, scale: int, patch: int, generator: np.random.Generator) -> Pair:
    source = pairs.small if generator.random() < 0.25 else pairs.photographs
    pair = source[int(generator.integers(len(source)))]
    y, x = (int(generator.integers(side - patch + 1)) for side in pair.low.shape[:2])
    return _cut(pair, scale, y, x, patch, patch)


def _cut(pair: Pair, scale: int, y: int, x: int, height: int, width: int) -> Pair:
    return Pair(
        pair.low[y : y + height, x : x + width],
        pair.high[y * scale : (y + height) * scale, x * scale : (x + width) * scale],
    )


def _window(pair: Pair, scale: int, side: int) -> Pair:
    height, width = (min(length, side) for length in pair.low.shape[:2])
    y, x = (pair.low.shape[0] - height) // 2, (pair.low.shape[1] - width) // 2
    return _cut(pair, scale, y, x, height, width)


def _detail(pair: Pair) -> float:
    green = pair.low[..., 1].astype(np.float32)
    return float(np.abs(np.diff(green, axis=0)).mean() + np.abs(np.diff(green, axis=1)).mean())
