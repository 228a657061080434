"""FaceForensics++: frames of its videos, by the official splits (Rössler et al., 1901.08971)."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from demo.core.errors import ImageError, SettingsError
from demo.core.images import Picture
from demo.study.samples import PRISTINE, DataSet, Sample
from demo.study.videos import FrameReader, count_frames

FORGERIES: Final = ("Deepfakes", "Face2Face", "FaceSwap", "FaceShifter", "NeuralTextures")
COMPRESSIONS: Final = ("raw", "c23", "c40")
SPLITS: Final = ("train", "val", "test")

Pairs = tuple[tuple[str, str], ...]


def open_ffpp(
    root: Path,
    splits: Path,
    compression: str,
    split: str,
    forgeries: Sequence[str],
    frames: int,
    seed: int,
) -> DataSet:
    """Draw frames of every video of one split; only the videos' headers are read.

    Which frames of a video are drawn depends on the seed, its name and its length alone, and not on
    the other videos. A video that is missing or broken counts as one sample that cannot be read.

    Args:
        root: the folder with ``original_sequences`` and ``manipulated_sequences``.
        splits: the folder with ``train.json``, ``val.json`` and ``test.json``.
        compression: one of ``COMPRESSIONS``.
        split: one of ``SPLITS``.
        forgeries: some of ``FORGERIES``, each once.
        frames: how many are drawn of each video; all, where it has no more.
        seed: of the draws.

    Returns:
        The pristine videos' frames, then those of each forgery; within a video in order. The
        source of a fake is the video that was manipulated, the target.

    Raises:
        SettingsError: a choice is unknown, the split cannot be read, or there is not one readable
            video that is pristine, or of a forgery.
    """
    _check_choices(compression, split, forgeries, frames)
    pairs = _read_split(splits / f"{split}.json")
    samples: list[Sample] = []
    wanted: dict[str, tuple[int, ...]] = {}
    for forgery in (PRISTINE, *forgeries):
        folder = _folder(forgery, compression)
        readable = False
        for stem in _stems(forgery, pairs):
            name, path = f"{forgery}/{stem}.mp4", f"{folder}/{stem}.mp4"
            source = stem.partition("_")[0]
            try:
                wanted[path] = _drawn(count_frames(root / path), frames, seed, name)
            except ImageError:
                wanted[path] = (0,)
                samples.append(Sample(name, forgery, source, f"{path} 0"))
                continue
            readable = True
            samples += [
                Sample(f"{name} frame {number}", forgery, source, f"{path} {number}")
                for number in wanted[path]
            ]
        if not readable:
            raise SettingsError(
                f"A FaceForensics++ folder with videos of the {split} split in {folder} was "
                "expected, but not one of them can be read there. Name such a folder, or choose "
                "another compression or other forgeries."
            )
    said = f"FaceForensics++ {compression}, {split} split, {', '.join(forgeries)}"
    read = partial(_read, FrameReader(root, wanted))
    return DataSet(f"{said}, {frames} frames a video, seed {seed}", tuple(samples), False, read)


def _check_choices(compression: str, split: str, forgeries: Sequence[str], frames: int) -> None:
    for what, came, known in (
        ("compression", compression, COMPRESSIONS),
        ("split", split, SPLITS),
        *(("forgery", forgery, FORGERIES) for forgery in forgeries),
    ):
        if came not in known:
            raise SettingsError(
                f"The {what} must be one of {', '.join(known)}, but {came!r} came. Choose one of "
                "them."
            )
    if not forgeries or len(set(forgeries)) < len(forgeries):
        raise SettingsError("One or more forgeries were expected, each named once. Correct them.")
    if frames < 1:
        raise SettingsError(
            f"One or more frames a video were expected, but {frames} came. Choose more."
        )


def _read_split(file: Path) -> Pairs:
    try:
        pairs = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pairs = None
    if not (isinstance(pairs, list) and pairs and all(_is_pair(pair) for pair in pairs)):
        raise SettingsError(
            f"The official split was expected as {file.name}, a list of pairs of ids such as "
            '["033", "097"], but it is missing or something else. Fetch the splits that '
            "FaceForensics++ publishes."
        )
    return tuple((target, source) for target, source in pairs)


def _is_pair(pair: object) -> bool:
    return (
        isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(one, str) and one.isalnum() for one in pair)
    )


def _folder(forgery: str, compression: str) -> str:
    place = (
        "original_sequences/youtube" if forgery == PRISTINE else f"manipulated_sequences/{forgery}"
    )
    return f"{place}/{compression}/videos"


def _stems(forgery: str, pairs: Pairs) -> Iterator[str]:
    """The names of the videos: both ids of a pair, or the fakes made from either one."""
    both = (stems for a, b in pairs for stems in ((a, f"{a}_{b}"), (b, f"{b}_{a}")))
    return iter(dict.fromkeys(stems[forgery != PRISTINE] for stems in both))


def _drawn(count: int, frames: int, seed: int, name: str) -> tuple[int, ...]:
    entropy = hashlib.sha256(f"{seed} {name}".encode()).digest()
    drawn = np.random.default_rng(list(entropy)).choice(count, min(frames, count), replace=False)
    return tuple(sorted(drawn.tolist()))


def _read(reader: FrameReader, sample: Sample) -> Picture:
    path, _, number = sample.place.rpartition(" ")
    return reader.read(path, int(number))
