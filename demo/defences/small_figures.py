"""`small-figures`: what is left of the small networks' AUC after the round trip, for their cards.

The crops are those of the project's test split that never change, so that figures of any two
networks are of the same crops; fakes and real crops take the same round trip.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from demo.core.attack import round_trip
from demo.defences.round_trips import KERNEL, Pictures
from models.card_files import CARDS_FOLDER, write_card
from models.cards import DetectorCard, Figure
from models.loading import LoadedDetector
from models.training.faces import Faces, read_faces
from models.training.measure import ask, auc_figure
from models.training.ship import FIXED_CROPS, subset
from models.training.ship_small import TITLES
from models.zoo import Zoo

CACHE = Path("runs/cache")
CROPS: Final = 200
FACTOR: Final = 2.0
METHOD: Final = "edsr"
AFTER: Final = f"after the round trip, EDSR, K = {FACTOR:g}"


def add_small_figures_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `small-figures`."""
    parser.add_argument("--data", type=Path, required=True, help="folder with dfdc_faces")
    parser.add_argument("--names", nargs="+", choices=tuple(TITLES), default=tuple(TITLES))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


def run_small_figures(arguments: argparse.Namespace) -> None:
    """Measure each network before and after, and put the figures on its card."""
    torch.set_num_threads(arguments.threads)
    zoo = Zoo("cpu")
    fixed = subset(read_faces(arguments.data / "dfdc_faces", "test", CACHE), FIXED_CROPS, seed=0)
    crops = subset(fixed, CROPS, seed=0)
    attacked = attack_crops(crops.pictures, zoo)
    for name in arguments.names:
        detector = zoo.defence(name)
        figures = figures_before_and_after(detector, crops, attacked)
        write_card(with_figures(detector.card, figures), CARDS_FOLDER / f"{name}.json")
        for figure in figures:
            print(f"{name}, {figure.condition}: {figure.value} ({figure.low} to {figure.high})")


def attack_crops(crops: Pictures, zoo: Zoo) -> Pictures:
    """N×H×W×3 uint8 crops after the round trip at K = 2, restored by EDSR."""
    return np.stack([round_trip(np.asarray(crop), FACTOR, METHOD, KERNEL, zoo) for crop in crops])


def figures_before_and_after(
    detector: LoadedDetector, crops: Faces, attacked: Pictures
) -> tuple[Figure, Figure]:
    """AUC of one detector on the same crops, clean and attacked.

    Args:
        detector: Who is asked.
        crops: N crops with their labels.
        attacked: The same after the round trip, N×H×W×3 uint8.

    Returns:
        Two figures with intervals over source videos.
    """
    of = f"DFDC test split, {len(crops.fake)} of the {FIXED_CROPS} crops"
    before, after = (
        ask(detector.network, detector.card, pictures) for pictures in (crops.pictures, attacked)
    )
    return (
        auc_figure(crops.fake, before, crops.source, of, "clean"),
        auc_figure(crops.fake, after, crops.source, of, AFTER),
    )


def with_figures(card: DetectorCard, figures: tuple[Figure, ...]) -> DetectorCard:
    """The card with these figures at the end, in place of earlier ones of the same kind."""
    kinds = {(figure.name, figure.of, figure.condition) for figure in figures}
    kept = tuple(one for one in card.figures if (one.name, one.of, one.condition) not in kinds)
    return replace(card, figures=kept + figures)
