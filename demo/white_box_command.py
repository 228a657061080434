"""``python -m demo study white-box``: attacks by gradients, and the round trip beside them."""

import argparse
import sys

from tqdm import tqdm

from demo.commands import MakeToolbox, toolbox_for
from demo.core.errors import SettingsError
from demo.study.parts import one_thread
from demo.study.samples import draw
from demo.study.white_box import run_white_box
from demo.study.white_box_measuring import WhiteBoxPlan
from demo.study.white_box_report import write_white_box_report
from demo.study_data import open_data
from models.cards import DEFENCE_NAMES
from models.loading import LoadedDetector
from models.zoo import Zoo


def white_box_command(options: argparse.Namespace, make: MakeToolbox) -> None:
    """Run a study of white-box attacks in a folder, or go on with it, and write its report.

    Raises:
        DemoError: the data, the settings or the weights are refused.
    """
    data = open_data(options)
    if options.limit is not None:
        data = draw(data, options.limit, options.seed)
    plan = WhiteBoxPlan(
        k=options.k,
        steps=options.steps,
        levels=tuple(options.levels),
        rms=tuple(options.rms),
        pixels=tuple(options.pixels),
        curve_crops=options.curves,
        seed=options.seed,
    )
    with one_thread():
        zoo = toolbox_for(options, make).zoo
        detectors = _networks(zoo, options.networks or zoo.detector_names)
        with tqdm(total=len(data.samples), unit="crop", smoothing=0, file=sys.stderr) as bar:

            def on_sample(done: int, total: int) -> None:
                bar.update(done - bar.n)

            run_white_box(data, plan, detectors, zoo, options.out, on_sample)
    write_white_box_report(options.out)
    print(f"Written: report.html in {options.out.name}")


def _networks(zoo: Zoo, names: list[str] | tuple[str, ...]) -> tuple[LoadedDetector, ...]:
    """Detectors by name, among them those that are asked about their robustness only."""
    known = (*zoo.detector_names, *DEFENCE_NAMES)
    for name in names:
        if name not in known:
            raise SettingsError(
                f"The network {name!r} is unknown: expected {', '.join(known)}. Choose one of them."
            )
    return tuple(
        zoo.defence(name) if name in DEFENCE_NAMES else zoo.detector(name) for name in names
    )
