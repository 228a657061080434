"""The public-domain portraits, cut as a detector wants them: all of them real people's faces."""

import csv
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.cards import CropPolicy
from models.cropping import square_crop

Pictures = npt.NDArray[np.uint8]
SET_ASIDE_SEED = 2407


def read_portraits(root: Path, policy: CropPolicy, part: str) -> list[Pictures]:
    """Cut the faces of one half of the portraits.

    A seed shuffles the portraits once: the first half may go into training, the figures are
    measured on the second.

    Args:
        root: The folder with `index.csv` and the photographs.
        policy: How the crops are cut.
        part: `train` or `test`.

    Returns:
        Square crops, uint8 RGB, of different sizes.

    Raises:
        ValueError: Another part.
    """
    if part not in ("train", "test"):
        raise ValueError(f"Expected the part train or test of the portraits; {part!r} came.")
    with (root / "index.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    order = np.random.default_rng(SET_ASIDE_SEED).permutation(len(rows))
    half = len(rows) // 2
    chosen = order[:half] if part == "train" else order[half:]
    return [_cut(root, rows[index], policy) for index in sorted(chosen)]


def _cut(root: Path, row: dict[str, str], policy: CropPolicy) -> Pictures:
    picture = cv2.imread(str(root / row["file"]), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"The portrait {row['file']} is not a readable picture.")
    box = (float(row["x0"]), float(row["y0"]), float(row["x1"]), float(row["y1"]))
    x0, y0, x1, y1 = square_crop(box, policy, (picture.shape[0], picture.shape[1]))
    return np.ascontiguousarray(picture[y0:y1, x0:x1, ::-1]).astype(np.uint8)
