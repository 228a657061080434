"""``python -m demo study run|report``: a study on a data set, and what came of it."""

import argparse
import sys

from tqdm import tqdm

from demo.commands import MakeToolbox, toolbox_for
from demo.core.errors import SettingsError
from demo.study.dfdc import open_dfdc
from demo.study.folder import open_folder
from demo.study.report import write_report
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet, draw


def study_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Run a study in a folder, or go on with it, and write its report; or write the report anew.

    Returns:
        False: nothing that was asked for was refused; refused pictures stand in the report.

    Raises:
        DemoError: the data, the settings or the weights are refused.
    """
    if options.step == "run":
        data = open_data(options)
        if options.limit is not None:
            data = draw(data, options.limit, options.seed)
        plan = Plan(tuple(options.methods), tuple(options.k), options.kernel, options.seed)
        with tqdm(total=len(data.samples), unit="picture", file=sys.stderr) as bar:
            toolbox = toolbox_for(options, make)
            run_study(data, plan, toolbox, options.out, lambda done, _: bar.update(done - bar.n))
    folder = options.out if options.step == "run" else options.run
    write_report(folder)
    print(f"Written: report.html in {folder.name}")
    return False


def open_data(options: argparse.Namespace) -> DataSet:
    """Open the data set that is named.

    Raises:
        SettingsError: it is unknown, or not there.
    """
    if options.data == "dfdc":
        return open_dfdc(options.root, options.split)
    if options.data == "folder":
        return open_folder(options.root, options.crops)
    raise SettingsError(
        f"The data must be dfdc or folder, but {options.data!r} came. Choose one of them."
    )
