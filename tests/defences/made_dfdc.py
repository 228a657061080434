"""A folder like that of the DFDC face crops, with a few made-up pairs in each split."""

import csv
import io
import tarfile
from pathlib import Path

from PIL import Image

from tests.defences.made_samples import noisy_crops

SIDE = 224


def make_dfdc(root: Path, pairs: int) -> Path:
    """Write `dfdc_faces` below a folder: real crops and a fake of each, all of noise over blobs.

    Returns:
        The folder that recipes take as `--data`.
    """
    folder = root / "dfdc_faces"
    folder.mkdir()
    rows = [
        {"name": f"{split}_{kind}_{pair}", "label": kind, "original": f"{split}_real_{pair}"}
        | {"split": split, "shard": "one.tar"}
        for split in ("train", "val", "test")
        for pair in range(pairs)
        for kind in ("real", "fake")
    ]
    with (folder / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with tarfile.open(folder / "one.tar", "w") as archive:
        for row, crop in zip(rows, noisy_crops(len(rows), SIDE, 0), strict=True):
            content = io.BytesIO()
            Image.fromarray(crop).save(content, "JPEG")
            entry = tarfile.TarInfo(f"{row['name']}.jpg")
            entry.size = content.tell()
            content.seek(0)
            archive.addfile(entry, content)
    return root
