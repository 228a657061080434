"""A data set that an operator names in one word: ``KIND=FOLDER``."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from demo.core.errors import SettingsError
from demo.study.dfdc import SPLITS, open_dfdc
from demo.study.folder import open_folder
from demo.study.samples import DataSet

KINDS: Final[Mapping[str, Callable[[Path], DataSet]]] = {
    "crops": partial(open_folder, crops=True),
    "folder": partial(open_folder, crops=False),
    **{f"dfdc-{split}": partial(open_dfdc, split=split) for split in SPLITS},
}


def open_named(text: str) -> DataSet:
    """Open a data set.

    Args:
        text: one of ``KINDS``, "=", and the folder. ``crops`` and ``folder`` hold ``real/`` and
            ``fake/``, with face crops and with whole pictures.

    Raises:
        SettingsError: the kind is unknown, or the folder does not hold such data.
    """
    kind, _, folder = text.partition("=")
    if kind not in KINDS or not folder:
        came = f"the kind {kind!r}" if folder else f"{kind!r} without a folder"
        raise SettingsError(
            f"Data are named KIND=FOLDER with one of the kinds {', '.join(KINDS)}, but {came} "
            "came. Correct it."
        )
    return KINDS[kind](Path(folder))
