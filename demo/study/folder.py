"""A folder of one's own pictures: ``real/`` and ``fake/`` inside it."""

from functools import partial
from pathlib import Path
from typing import Final

from demo.core.errors import SettingsError
from demo.core.images import Picture, read_picture
from demo.study.samples import PRISTINE, DataSet, Sample

ENDINGS: Final = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FORGERY: Final = "fake"


def open_folder(root: Path, crops: bool) -> DataSet:
    """List the pictures in ``real/`` and ``fake/``, and in the folders inside them.

    Every picture counts as a source of its own, since a folder says nothing of videos.

    Args:
        root: the folder that holds the two.
        crops: whether the pictures are face crops already.

    Raises:
        SettingsError: one of the two folders is missing or holds no picture.
    """
    samples: list[Sample] = []
    for folder, forgery in (("real", PRISTINE), ("fake", FORGERY)):
        files = sorted(
            path.relative_to(root).as_posix()
            for path in (root / folder).rglob("*")
            if path.suffix.lower() in ENDINGS and path.is_file()
        )
        if not files:
            raise SettingsError(
                "A folder with pictures in real/ and in fake/ was expected, but there is none in "
                f"{folder}/. Put JPEG, PNG, WebP or BMP files there."
            )
        samples += [Sample(name, forgery, source=name, place=name) for name in files]
    return DataSet("a folder of pictures", tuple(samples), crops, partial(_read, root))


def _read(root: Path, sample: Sample) -> Picture:
    return read_picture(root / sample.place)
