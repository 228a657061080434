"""``python -m demo study run|white-box|report``: a study on a data set, and what came of it."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import torch
from tqdm import tqdm

from demo.commands import MakeToolbox, precise_toolbox_for
from demo.core.errors import SettingsError
from demo.core.picture_attack import Toolbox
from demo.study.comparing import write_comparison
from demo.study.costs import write_costs
from demo.study.gallery import check_number, write_gallery
from demo.study.parts import MeasureParts, one_thread
from demo.study.report import write_report
from demo.study.run import OnPart, Plan, run_study
from demo.study.samples import draw
from demo.study.workers import measure_in_processes
from demo.study_data import open_data
from demo.white_box_command import white_box_command
from models.zoo import resolve_device


def study_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Run a study in a folder, or go on with it, and write its report; or report finished ones.

    Returns:
        False: nothing that was asked for was refused; refused pictures stand in the report.

    Raises:
        DemoError: the data, the settings or the weights are refused.
    """
    if options.step == "run":
        _run(options, make)
    elif options.step == "white-box":
        white_box_command(options, make)
    elif len(options.run) == 1 and options.out is None:
        _report(options.run[0])
    else:
        _compare(options.run, options.out)
    return False


def _run(options: argparse.Namespace, make: MakeToolbox) -> None:
    if options.detectors and options.detector:
        raise SettingsError(
            "Either --detectors for each forgery or --detector for all was expected, but both "
            "came. Leave one of them out."
        )
    data = open_data(options)
    if options.limit is not None:
        data = draw(data, options.limit, options.seed)
    check_number(options.gallery)
    plan = Plan(
        tuple(options.methods),
        tuple(options.k),
        options.kernel,
        options.seed,
        options.defences,
        options.white_box,
    )
    make_one = partial(precise_toolbox_for, options, make)
    elsewhere = _elsewhere(options, make_one)
    with one_thread():
        toolbox = make_one()
        with _progress() as on_part:
            run_study(data, plan, toolbox, options.out, on_part, options.detectors, elsewhere)
        if plan.defences:
            write_costs(options.out, data, toolbox)
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


def _elsewhere(options: argparse.Namespace, make_one: Callable[[], Toolbox]) -> MeasureParts | None:
    """Who measures parts; None for this very process, which one worker needs no other for."""
    workers = options.workers
    if workers is not None and workers < 1:
        raise SettingsError(
            f"The number of workers must be 1 or more, but {workers} came. Choose a larger one."
        )
    say = partial(tqdm.write, file=sys.stderr)
    if options.ray is not None:
        try:
            # Only here, since Ray is an extra that few have.
            from demo.study.ray_cluster import measure_on_ray
        except ModuleNotFoundError:
            raise SettingsError(
                "A study on a cluster needs Ray, but it is not installed. Install it with "
                "pip install -r requirements-ray.txt."
            ) from None
        return partial(measure_on_ray, options.ray, make_one, workers, say)
    if workers is None:
        on_gpu = resolve_device(options.device).type == "cuda"
        workers = 1 if on_gpu else torch.get_num_threads()
    if workers == 1:
        return None
    return partial(measure_in_processes, make_one, workers, say)


@contextmanager
def _progress() -> Iterator[OnPart]:
    """A bar with rate and time left, over what this run does and not what an earlier one did."""
    with ExitStack() as stack:
        bars: list[tqdm] = []

        def on_part(done: int, total: int) -> None:
            if not bars:
                bar = tqdm(initial=done, total=total, unit="picture", smoothing=0, file=sys.stderr)
                bars.append(stack.enter_context(bar))
            bars[0].update(done - bars[0].n)

        yield on_part
