"""The DFDC face crops: an index and shards of JPEG files (Dolhansky et al. 2020, 2006.07397)."""

import csv
import tarfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from demo.core.errors import ImageError, SettingsError
from demo.core.images import Picture, read_picture
from demo.study.samples import PRISTINE, DataSet, Sample

SPLITS: Final = ("train", "val", "test")
FORGERY: Final = "DFDC"


def open_dfdc(root: Path, split: str) -> DataSet:
    """Read the index of one split.

    Args:
        root: the folder with ``index.csv`` and the shards.
        split: one of ``SPLITS``.

    Returns:
        The crops in the order of the index.

    Raises:
        SettingsError: there is no index, or the split is unknown or empty.
    """
    try:
        with (root / "index.csv").open(newline="", encoding="utf-8") as file:
            samples = tuple(_sample(row) for row in csv.DictReader(file) if row["split"] == split)
    except (OSError, KeyError, TypeError, ValueError):
        raise SettingsError(
            "A folder with the DFDC face crops was expected, with an index.csv that has the "
            "columns name, label, original, split, native_width, native_height and shard. Name "
            "such a folder."
        ) from None
    if not samples:
        raise SettingsError(
            f"The split must be one of {', '.join(SPLITS)} and hold crops, but {split!r} came. "
            "Choose another one."
        )
    members = {
        shard: _members(root / shard) for shard in sorted({sample.place for sample in samples})
    }
    return DataSet(f"DFDC face crops, {split} split", samples, True, partial(_read, root, members))


def _sample(row: Mapping[str, str]) -> Sample:
    return Sample(
        name=row["name"],
        forgery=PRISTINE if row["label"] == "real" else FORGERY,
        source=row["original"],
        place=row["shard"],
        native_side=(int(row["native_width"]) * int(row["native_height"])) ** 0.5,
    )


def _members(shard: Path) -> dict[str, tuple[int, int]]:
    """Where each crop's JPEG begins in a shard, and its length, so that one is read at a stride."""
    try:
        with tarfile.open(shard) as archive:
            return {Path(member.name).stem: (member.offset_data, member.size) for member in archive}
    except (OSError, tarfile.TarError):
        return {}


def _read(
    root: Path, members: Mapping[str, Mapping[str, tuple[int, int]]], sample: Sample
) -> Picture:
    found = members[sample.place].get(sample.name)
    if found is None:
        raise ImageError(
            "The crop was expected in the shard that the index names, but is not there. Fetch the "
            "data again."
        )
    offset, length = found
    with (root / sample.place).open("rb") as shard:
        shard.seek(offset)
        return read_picture(shard.read(length))
