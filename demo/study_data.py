"""The data set that the options of ``python -m demo study run`` name."""

import argparse
from typing import Final

from demo.core.errors import SettingsError
from demo.study.dfdc import open_dfdc
from demo.study.ffpp import FORGERIES, open_ffpp
from demo.study.folder import open_folder
from demo.study.openforensics import open_openforensics
from demo.study.samples import DataSet

# The options that not every kind of data takes.
OPTIONS_OF: Final = {
    "dfdc": ("split",),
    "ffpp": ("split", "splits", "compression", "forgeries", "frames"),
    "folder": ("crops",),
    "openforensics": ("annotations",),
}


def open_data(options: argparse.Namespace) -> DataSet:
    """Open the data set that is named.

    Raises:
        SettingsError: it is unknown or not there, or an option belongs to other data.
    """
    if options.data not in OPTIONS_OF:
        raise SettingsError(
            f"The data must be one of {', '.join(OPTIONS_OF)}, but {options.data!r} came. Choose "
            "one of them."
        )
    _check_options(options)
    split = options.split or "test"
    if options.data == "dfdc":
        return open_dfdc(options.root, split)
    if options.data == "folder":
        return open_folder(options.root, options.crops)
    if options.data == "openforensics":
        if options.annotations is None:
            raise SettingsError(
                "OpenForensics names its faces in a file of annotations. Add --annotations FILE."
            )
        return open_openforensics(options.root, options.annotations)
    if options.splits is None:
        raise SettingsError(
            "The folder with the official splits of FaceForensics++ was expected, but none was "
            "named. Add --splits FOLDER."
        )
    return open_ffpp(
        options.root,
        options.splits,
        options.compression or "c23",
        split,
        options.forgeries or FORGERIES,
        10 if options.frames is None else options.frames,
        options.seed,
    )


def _check_options(options: argparse.Namespace) -> None:
    """Refuse an option that the data do not take, rather than leave it out silently."""
    for option in sorted({option for own in OPTIONS_OF.values() for option in own}):
        takers = [data for data, own in OPTIONS_OF.items() if option in own]
        if getattr(options, option) not in (None, False) and options.data not in takers:
            raise SettingsError(
                f"--{option} is an option of --data {' or '.join(takers)}, but --data "
                f"{options.data} came. Leave it out."
            )
