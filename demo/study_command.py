"""``python -m demo study run|report``: a study on a data set, and what came of it."""

import argparse
import sys
from typing import Final

from tqdm import tqdm

from demo.commands import MakeToolbox, toolbox_for
from demo.core.errors import SettingsError
from demo.study.dfdc import open_dfdc
from demo.study.ffpp import FORGERIES, open_ffpp
from demo.study.folder import open_folder
from demo.study.report import write_report
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet, draw

# The options that not every kind of data takes.
OPTIONS_OF: Final = {
    "dfdc": ("split",),
    "ffpp": ("split", "splits", "compression", "forgeries", "frames"),
    "folder": ("crops",),
}


def study_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Run a study in a folder, or go on with it, and write its report; or write the report anew.

    Returns:
        False: nothing that was asked for was refused; refused pictures stand in the report.

    Raises:
        DemoError: the data, the settings or the weights are refused.
    """
    if options.step == "run":
        if options.detectors and options.detector:
            raise SettingsError(
                "Either --detectors for each forgery or --detector for all was expected, but both "
                "came. Leave one of them out."
            )
        data = open_data(options)
        if options.limit is not None:
            data = draw(data, options.limit, options.seed)
        plan = Plan(tuple(options.methods), tuple(options.k), options.kernel, options.seed)
        with tqdm(total=len(data.samples), unit="picture", file=sys.stderr) as bar:
            toolbox = toolbox_for(options, make)
            run_study(
                data,
                plan,
                toolbox,
                options.out,
                lambda done, _: bar.update(done - bar.n),
                options.detectors,
            )
    folder = options.out if options.step == "run" else options.run
    write_report(folder)
    print(f"Written: report.html in {folder.name}")
    return False


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
