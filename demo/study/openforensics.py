"""OpenForensics: pictures of several faces, each real or forged (Le et al. 2021, 2107.14480).

The annotations are COCO's: ``images`` (id, file_name, width, height), ``annotations`` (image_id,
category_id, bbox [x, y, width, height] in px) and ``categories`` (id, name). A category's name says
what it is, Real or Fake, and not its number.
"""

import json
import math
from collections.abc import Mapping
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any, Final

from demo.core.errors import ImageError, SettingsError
from demo.core.faces import Box
from demo.core.images import Picture, read_picture
from demo.study.samples import PRISTINE, DataSet, Sample

FORGERY: Final = "OpenForensics"
KINDS: Final = {"real": PRISTINE, "fake": FORGERY}

# Of pictures by file name, in px: width and height as the annotations have it.
Sizes = Mapping[str, tuple[int, int]]


def open_openforensics(root: Path, annotations: Path) -> DataSet:
    """List the faces that a file of annotations names, each a sample; its picture is its source.

    Boxes grow to whole pixels. What sticks out of the picture is clipped when a face is measured;
    a face that is too small, or whose box or picture cannot be used, is refused then.

    Args:
        root: the folder that the file names start from. Where the pictures were unpacked without
            the names' first folder, ``Images``, they are found all the same.
        annotations: such as ``Test-Dev_poly.json``.

    Raises:
        SettingsError: it is no such file, or it names no face.
    """
    try:
        content = annotations.read_bytes()
        said = json.loads(content)
        kinds = {one["id"]: KINDS[one["name"].lower()] for one in said["categories"]}
        names = {one["id"]: str(one["file_name"]) for one in said["images"]}
        sizes = {
            one["file_name"]: (int(one["width"]), int(one["height"])) for one in said["images"]
        }
        faces: dict[str, list[Sample]] = {name: [] for name in names.values()}
        unusable: dict[str, str] = {}
        for one in said["annotations"]:
            picture = names[one["image_id"]]
            name = f"{picture}#{len(faces[picture]) + 1}"
            box = _box(one.get("bbox"))
            if box is None or one.get("iscrowd"):
                unusable[name] = "no box of two corners" if box is None else "a box around a crowd"
            forgery = kinds[one["category_id"]]
            faces[picture].append(Sample(name, forgery, source=picture, place=picture, box=box))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SettingsError(
            "A file of OpenForensics annotations was expected, with images, annotations and the "
            "categories Real and Fake. Name such a file."
        ) from None
    samples = tuple(face for own in faces.values() for face in own)
    if not samples:
        raise SettingsError("The annotations were expected to name faces, but name none.")
    # The boxes are part of what is measured, so the data's name tells one file from another.
    name = f"OpenForensics, {annotations.stem}, sha256 {sha256(content).hexdigest()[:12]}"
    return DataSet(name, samples, False, partial(_read, root, sizes, unusable))


def _box(bbox: Any) -> Box | None:
    """COCO's box as corners in whole pixels; None where it is no box."""
    if not isinstance(bbox, list) or len(bbox) != 4:
        return None
    if not all(isinstance(side, int | float) and math.isfinite(side) for side in bbox):
        return None
    x, y, width, height = bbox
    if min(width, height) <= 0:
        return None
    return math.floor(x), math.floor(y), math.ceil(x + width), math.ceil(y + height)


def _read(root: Path, sizes: Sizes, unusable: Mapping[str, str], sample: Sample) -> Picture:
    if sample.name in unusable:
        raise ImageError(
            f"A box around one face was expected, but the annotations have {unusable[sample.name]}."
        )
    picture = _picture(_file(root, PurePosixPath(sample.place)))
    height, width = picture.shape[:2]
    if (width, height) != sizes[sample.place]:
        said = "×".join(map(str, sizes[sample.place]))
        raise ImageError(
            f"A picture of {said} pixels was expected, as the annotations have it, but it has "
            f"{width}×{height}: the box would lie elsewhere."
        )
    return picture


def _file(root: Path, name: PurePosixPath) -> Path:
    if name.is_absolute() or ".." in name.parts:
        raise ImageError(
            "A picture below the root was expected, but the annotations name another place."
        )
    unpacked = root / name
    if name.parts[:1] == ("Images",) and not unpacked.exists():
        return root.joinpath(*name.parts[1:])
    return unpacked


# Faces of one picture come one after the other.
@lru_cache(maxsize=1)
def _picture(file: Path) -> Picture:
    picture = read_picture(file)
    picture.setflags(write=False)
    return picture
