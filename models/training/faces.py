"""The DFDC face crops as training data: read once, drawn as pairs, cut and distorted alike.

A DFDC fake and the real video it was made from were cropped at the same frame and place, so the
difference of the two says where the face was manipulated: a label for every cell of the
network's last feature map, not just one for the crop.
"""

import csv
import os
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from models.training.distortions import distort
from models.training.frequency_patterns import with_pattern
from models.training.self_blending import self_blend

SIDE = 224
Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Faces:
    """All crops of one split.

    Attributes:
        pictures: N×224×224×3, uint8 RGB.
        fake: N, bool.
        original: N, the index of the real crop that a fake was made from; of itself if real.
        source: N, the name of the real video: the unit that intervals are drawn over.
    """

    pictures: Pictures
    fake: npt.NDArray[np.bool_]
    original: npt.NDArray[np.int64]
    source: npt.NDArray[np.str_]


def read_faces(root: Path, split: str, cache: Path) -> Faces:
    """Read one split of the DFDC face crops.

    Args:
        root: The folder with `index.csv` and the shards.
        split: `train`, `val` or `test`.
        cache: A folder for the decoded pixels, made if absent; read instead of the shards later.

    Returns:
        The crops in the order of the index.

    Raises:
        ValueError: When the index names no crop of that split.
    """
    with (root / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    if not rows:
        raise ValueError(f"Expected train, val or test as the split; {split!r} has no crops.")
    position = {row["name"]: index for index, row in enumerate(rows)}
    decoded = cache / f"{split}.npy"
    if not decoded.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Two runs may begin at the same moment: each writes its own, the last one stays.
        partial = cache / f"{split}.{os.getpid()}.partial.npy"
        np.save(partial, _decode(root, sorted({row["shard"] for row in rows}), position))
        partial.rename(decoded)
    return Faces(
        pictures=np.load(decoded, mmap_mode="r"),
        fake=np.array([row["label"] == "fake" for row in rows]),
        original=np.array([position[row["original"]] for row in rows]),
        source=np.array([row["original"] for row in rows]),
    )


def _decode(root: Path, shards: list[str], position: dict[str, int]) -> Pictures:
    pictures = np.zeros((len(position), SIDE, SIDE, 3), np.uint8)
    for shard in shards:
        with tarfile.open(root / shard) as archive:
            for member in archive:
                content = archive.extractfile(member)
                index = position.get(Path(member.name).stem)
                if content is None or index is None:
                    continue
                encoded = np.frombuffer(content.read(), np.uint8)
                pictures[index] = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1]
    return pictures


@dataclass(frozen=True)
class Cutting:
    """How training crops are cut from the faces.

    Attributes:
        side: Side of the network's input while training, px.
        narrowest: Side of the smallest window of the face, px of the 224.
        widest: Side of the largest window, px of the 224.
        strength: Probability of each distortion.
        blended: Share of pairs whose fake is a self-blended one.
        plain_pairs: Number of pairs over which the fakes drawn grow from the plainest third to
            all of them: what is easily seen is learnt first.
        patterns: Share of pairs whose fake is a pristine crop with a frequency pattern.
    """

    side: int
    narrowest: int
    widest: int
    strength: float
    blended: float
    plain_pairs: int
    patterns: float = 0.0


class Pairs(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Pairs of a real crop and a fake of it; the same index always gives the same pair.

    Each item is the crops (2×3×side×side, uint8 RGB: real, then fake) and the map of where the
    second was manipulated (28×28, float32 in [0, 1], in the coordinates of the cut crop).
    """

    CELLS = 28

    def __init__(
        self,
        faces: Faces,
        portraits: Sequence[Pictures],
        cutting: Cutting,
        seed: int,
        start: int,
        count: int,
    ) -> None:
        """Draw `count` pairs, beginning with pair number `start` of the seed's sequence.

        Args:
            faces: The train split.
            portraits: More pristine faces; every second self-blended fake is made of one.
            cutting: How the crops are cut.
            seed: Of the sequence of pairs.
            start: Number of the first pair.
            count: Number of pairs.
        """
        self._faces = faces
        self._portraits = [resize_square(portrait, SIDE) for portrait in portraits]
        self._cutting = cutting
        self._seed = seed
        self._start = start
        self._count = count
        self._fakes = plainest_first(faces)
        self._reals = np.flatnonzero(~faces.fake)

    def __len__(self) -> int:
        """The number of pairs."""
        return self._count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw, cut and distort one pair."""
        if index >= self._count:
            raise IndexError(index)
        rng = np.random.default_rng([self._seed, self._start + index])
        real, fake, changed = self._draw(rng, self._start + index)
        top, left, window = self._window(rng)
        mirrored = rng.random() < 0.5
        chain = int(rng.integers(2**31))
        area = np.s_[top : top + window, left : left + window]
        crops = []
        for picture in (real, fake):
            crop = resize_square(picture[area], self._cutting.side)
            crop = crop[:, ::-1] if mirrored else crop
            crops.append(distort(crop, np.random.default_rng(chain), self._cutting.strength))
        changed = cv2.resize(changed[area], (self.CELLS, self.CELLS), interpolation=cv2.INTER_AREA)
        changed = changed[:, ::-1] if mirrored else changed
        pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
        return pixels, torch.from_numpy(np.ascontiguousarray(changed))

    def _draw(
        self, rng: np.random.Generator, number: int
    ) -> tuple[Pictures, Pictures, npt.NDArray[np.float32]]:
        kind = rng.random()
        if kind < self._cutting.blended:
            real = self._pristine(rng)
            blended, mask = self_blend(real, rng)
            return real, blended, mask
        if kind < self._cutting.blended + self._cutting.patterns:
            real = self._pristine(rng)
            return real, with_pattern(real, rng), np.ones(real.shape[:2], np.float32)
        share = min(1.0, (1 + 2 * number / max(1, self._cutting.plain_pairs)) / 3)
        chosen = self._fakes[rng.integers(max(1, int(share * len(self._fakes))))]
        real = self._faces.pictures[self._faces.original[chosen]]
        fake = self._faces.pictures[chosen]
        return real, fake, manipulated(real, fake)

    def _pristine(self, rng: np.random.Generator) -> Pictures:
        if self._portraits and rng.random() < 0.5:
            return self._portraits[int(rng.integers(len(self._portraits)))]
        return np.asarray(self._faces.pictures[rng.choice(self._reals)], np.uint8)

    def _window(self, rng: np.random.Generator) -> tuple[int, int, int]:
        window = int(rng.integers(self._cutting.narrowest, self._cutting.widest + 1))
        top, left = rng.integers(0, SIDE - window + 1, 2)
        return int(top), int(left), window


def plainest_first(faces: Faces) -> npt.NDArray[np.int64]:
    """Indices of the fakes, those that differ most from their real crop first.

    Measured on every fourth pixel, as the share of the crop that was manipulated.
    """
    fakes = np.flatnonzero(faces.fake)
    coarse = np.s_[::4, ::4]
    shares = [
        manipulated(
            faces.pictures[faces.original[fake]][coarse], faces.pictures[fake][coarse]
        ).mean()
        for fake in fakes
    ]
    return fakes[np.argsort(-np.asarray(shares), kind="stable")]


def manipulated(real: Pictures, fake: Pictures) -> npt.NDArray[np.float32]:
    """Where a fake differs from the real crop that it was made from.

    Args:
        real: H×W×3, uint8 RGB.
        fake: The same frame and place in the manipulated video, H×W×3, uint8 RGB.

    Returns:
        H×W, float32 in [0, 1]: 0 up to a local mean difference of 3 levels (what a second video
        compression leaves), 1 from 12 levels on.
    """
    difference = cv2.absdiff(real, fake).astype(np.float32)
    local = cv2.blur(cv2.transform(difference, np.full((1, 3), 1 / 3, np.float32)), (15, 15))
    return np.asarray(np.clip((local - 3) / 9, 0, 1), np.float32)


def resize_square(crop: Pictures, side: int) -> Pictures:
    """Resize a crop to side×side: area-averaged when it shrinks, cubic when it grows."""
    if crop.shape[0] == side and crop.shape[1] == side:
        return crop
    kernel = cv2.INTER_AREA if crop.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (side, side), interpolation=kernel), np.uint8)
