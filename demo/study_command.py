"""``python -m demo study run|report``: a study on a data set, and what came of it."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from demo.commands import MakeToolbox, toolbox_for
from demo.core.errors import SettingsError
from demo.study.comparing import write_comparison
from demo.study.dfdc import open_dfdc
from demo.study.folder import open_folder
from demo.study.gallery import check_number, write_gallery
from demo.study.openforensics import open_openforensics
from demo.study.report import write_report
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet, draw


def study_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Run a study in a folder, or go on with it, and write its report; or report finished ones.

    Returns:
        False: nothing that was asked for was refused; refused pictures stand in the report.

    Raises:
        DemoError: the data, the settings or the weights are refused.
    """
    if options.step == "run":
        _run(options, make)
    elif len(options.run) == 1 and options.out is None:
        _report(options.run[0])
    else:
        _compare(options.run, options.out)
    return False


def _run(options: argparse.Namespace, make: MakeToolbox) -> None:
    data = open_data(options)
    if options.limit is not None:
        data = draw(data, options.limit, options.seed)
    check_number(options.gallery)
    plan = Plan(tuple(options.methods), tuple(options.k), options.kernel, options.seed)
    with tqdm(total=len(data.samples), unit="picture", file=sys.stderr) as bar:
        toolbox = toolbox_for(options, make)
        run_study(data, plan, toolbox, options.out, lambda done, _: bar.update(done - bar.n))
    write_gallery(options.out, data, plan.round_trips(data.crops), toolbox, options.gallery)
    _report(options.out)


def _report(folder: Path) -> None:
    write_report(folder)
    print(f"Written: report.html in {folder.name}")


def _compare(folders: list[Path], out: Path | None) -> None:
    if out is None or len(folders) < 2:
        raise SettingsError(
            "To compare studies, two or more folders and --out FOLDER were expected. Give both."
        )
    write_comparison(folders, out)
    print(f"Written: comparison.html in {out.name}")


def open_data(options: argparse.Namespace) -> DataSet:
    """Open the data set that is named.

    Raises:
        SettingsError: it is unknown, or not there.
    """
    if options.data == "dfdc":
        return open_dfdc(options.root, options.split)
    if options.data == "folder":
        return open_folder(options.root, options.crops)
    if options.data == "openforensics":
        if options.annotations is None:
            raise SettingsError(
                "OpenForensics names its faces in a file of annotations. Add --annotations FILE."
            )
        return open_openforensics(options.root, options.annotations)
    raise SettingsError(
        f"The data must be dfdc, folder or openforensics, but {options.data!r} came. "
        "Choose one of them."
    )
