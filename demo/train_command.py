"""``python -m demo train detectors``: train detectors on one's own copy of a data set."""

import argparse

from demo.commands import MakeToolbox
from demo.core.errors import SettingsError
from demo.core.faces import FaceDetector
from demo.study.ffpp import open_ffpp
from demo.study.paper_training import SPLITS, Machine, TrainingPlan, train_detectors
from models.card_files import read_detector_card
from models.hub import Hub
from models.zoo import resolve_device

# A start of 200 MB over a slow line.
HUB_SECONDS = 900.0


def train_command(options: argparse.Namespace, _make: MakeToolbox) -> bool:
    """Train the detectors that are asked for and print their figures; needs no toolbox.

    Returns:
        False: nothing that was asked for was refused; refused pictures are listed in the folder.

    Raises:
        DemoError: the data, the settings or the start are refused.
    """
    if options.data != "ffpp":
        raise SettingsError(
            f"The data must be ffpp, but {options.data!r} came. Training needs its official splits."
        )
    plan = TrainingPlan(
        detectors=tuple(options.architectures),
        forgeries=tuple(options.forgeries),
        together=options.together,
        side=options.input_size,
        epochs=options.epochs,
        batch=options.batch,
        rate=options.rate,
        seed=options.seed,
        from_scratch=options.from_scratch,
        starts=dict(options.start),
    )
    machine = Machine(resolve_device(options.device), options.workers)
    splits = {
        split: open_ffpp(
            options.root,
            options.splits,
            options.compression,
            split,
            plan.forgeries,
            options.frames,
            plan.seed,
        )
        for split in SPLITS
    }
    hub = Hub(total_seconds=HUB_SECONDS)
    for file in train_detectors(splits, plan, FaceDetector(), machine, hub, options.out):
        card = read_detector_card(file)
        print(f"{file.parent.name}/{file.name}: {card.title}, threshold {card.threshold:g}")
        for figure in card.figures:
            interval = f"{figure.low:g} to {figure.high:g}"
            print(f"  {figure.name} {figure.value:g}{figure.unit} ({interval}): {figure.of}")
    return False
