"""The largest face of every sample, cut out once and kept: what detectors are trained on.

Crops are written part by part, so that a killed run goes on where it was, and put together at the
end. A picture that is refused is listed with its sentence.
"""

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from demo.core.errors import DemoError, NoFaceError, SettingsError
from demo.core.faces import FaceDetector, crop_box, cut
from demo.core.images import Picture, check_picture
from demo.study.run_folder import begin, write_whole
from demo.study.samples import DataSet, Sample, samples_digest
from models.cards import CropPolicy
from models.training.faces import resize_square

PART: Final = 64
OTHER_CROPS: Final = (
    "The folder holds face crops of other data or of another size. Choose another folder, or "
    "delete it to begin anew."
)


@dataclass(frozen=True)
class Refused:
    """A sample without a crop: its name, its forgery, and the sentence that says why."""

    sample: str
    forgery: str
    why: str


@dataclass(frozen=True)
class FaceCrops:
    """The crops of a data set, in its order.

    Attributes:
        pictures: N×S×S×3, uint8 RGB; on disk, read where it is asked for.
        samples: N, where each comes from.
        refused: the samples that have none.
    """

    pictures: npt.NDArray[np.uint8]
    samples: tuple[Sample, ...]
    refused: tuple[Refused, ...]


def extract_faces(
    data: DataSet,
    policy: CropPolicy,
    side: int,
    faces: FaceDetector,
    workers: int,
    folder: Path,
) -> FaceCrops:
    """Cut out the largest face of every sample, or take the crops that the folder holds.

    Progress goes to standard error.

    Args:
        data: whole pictures.
        policy: where a face is cut out, the one on the card of the detectors to be.
        side: of the crops in px; resized as `models.detectors.prepare` does.
        faces: finds them.
        workers: threads that do so.
        folder: of these crops alone; a crop takes 3·side² bytes.

    Raises:
        SettingsError: the folder holds crops of other data, or cut otherwise; or no picture gives
            a crop.
    """
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    asked = {
        "data": data.name,
        "samples": len(data.samples),
        "samples_sha256": samples_digest(data),
        "crop": asdict(policy),
        "side": side,
    }
    begin(folder, asked, OTHER_CROPS)
    pictures, listed = folder / "pictures.npy", folder / "refused.json"
    if not listed.exists():
        files = [_part(folder, first) for first in range(0, len(data.samples), PART)]
        done = PART * sum(file.exists() for file in files)
        with (
            ThreadPoolExecutor(workers) as pool,
            tqdm(total=len(data.samples), initial=done, unit="picture", desc="faces") as bar,
        ):
            for place, file in enumerate(files):
                if not file.exists():
                    samples = data.samples[place * PART :][:PART]
                    _extract(file, samples, data, policy, side, faces, pool)
                    bar.update(len(samples))
        _put_together(files, side, pictures, listed)
    refused = tuple(Refused(**one) for one in json.loads(listed.read_text(encoding="utf-8")))
    without = {one.sample for one in refused}
    samples = tuple(sample for sample in data.samples if sample.name not in without)
    return FaceCrops(np.load(pictures, mmap_mode="r"), samples, refused)


def _extract(
    file: Path,
    samples: tuple[Sample, ...],
    data: DataSet,
    policy: CropPolicy,
    side: int,
    faces: FaceDetector,
    pool: ThreadPoolExecutor,
) -> None:
    def crop(sample: Sample) -> Picture | Refused:
        try:
            return resize_square(_face(check_picture(data.read(sample)), policy, faces), side)
        except DemoError as reason:
            return Refused(sample.name, sample.forgery, str(reason))

    crops: list[Picture] = []
    refused: list[dict[str, str]] = []
    for one in pool.map(crop, samples):
        if isinstance(one, Refused):
            refused.append(asdict(one))
        else:
            crops.append(one)
    pictures = np.stack(crops) if crops else np.zeros((0, side, side, 3), np.uint8)
    partial = file.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.savez(stream, pictures=pictures, refused=json.dumps(refused))
    partial.replace(file)


def _face(picture: Picture, policy: CropPolicy, faces: FaceDetector) -> Picture:
    found = faces.find(picture)
    if not found:
        raise NoFaceError("A face was expected, but none was found in this picture.")
    return cut(picture, crop_box(found[0], policy, picture.shape[:2]))


def _put_together(files: Sequence[Path], side: int, pictures: Path, listed: Path) -> None:
    """One array of all crops; the list of those refused is written last and says that it is."""
    count = 0
    refused: list[dict[str, str]] = []
    for file in files:
        with np.load(file) as part:
            count += len(part["pictures"])
            refused += json.loads(str(part["refused"]))
    if not count:
        raise SettingsError(
            f"Pictures with faces were expected, but none of {len(refused)} can be used. The first "
            f"one's reason: {refused[0]['why']}"
        )
    partial = pictures.with_suffix(".partial")
    whole = np.lib.format.open_memmap(
        partial, mode="w+", dtype=np.uint8, shape=(count, side, side, 3)
    )
    done = 0
    for file in files:
        with np.load(file) as part:
            crops = part["pictures"]
        whole[done : done + len(crops)] = crops
        done += len(crops)
    whole.flush()
    partial.replace(pictures)
    write_whole(listed, json.dumps(refused, indent=2, ensure_ascii=False) + "\n")
    shutil.rmtree(files[0].parent)


def _part(folder: Path, first: int) -> Path:
    return folder / "parts" / f"{first:07d}.npz"
