"""`python -m demo.defences robust` and `ship-robust`."""

import argparse
import json
from pathlib import Path
from typing import Final

import torch

from demo.defences.blinding import make_blind, see
from demo.defences.robust import Material, Plan, look, train_on
from demo.defences.robust_shipping import Exam, ship_robust
from demo.defences.round_trips import read_round_trips
from models.card_files import CARDS_FOLDER
from models.cards import DETECTOR_NAMES, Origin
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.faces import Faces, read_faces
from models.training.networks import ARCHITECTURES, begin, build_network
from models.training.portraits import read_portraits
from models.training.ship import DFDC_FRAMING, FIXED_CROPS, TERMS, subset
from models.weights import WEIGHTS_FOLDER
from models.zoo import Zoo

CACHE: Final = Path("runs/cache")
TRAIN_PAIRS: Final = 3000
VAL_PAIRS: Final = 200
ROUND_TRIP_SEED: Final = 5
HELD_OUT: Final = 400


def add_robust_arguments(parser: argparse.ArgumentParser) -> None:
    """Which detector is trained on, and how."""
    _add_common(parser)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=4, help="pairs a step, each of four crops")
    parser.add_argument("--side", type=int, default=224, help="side of the windows, px")
    parser.add_argument("--rate", type=float, default=2e-5, help="highest learning rate")
    parser.add_argument("--labels", type=float, default=0.1, help="weight of the labels")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--every", type=int, default=50, help="steps between looks at val")
    parser.add_argument("--blind-pairs", type=int, default=750, help="for the last layer")
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16")


def run_robust(arguments: argparse.Namespace) -> None:
    """Train one detector on; go on where a run was broken off."""
    torch.set_num_threads(arguments.threads)
    zoo = Zoo("cpu")
    plan = Plan(
        steps=arguments.steps,
        pairs=arguments.pairs,
        side=arguments.side,
        rate=arguments.rate,
        labels=arguments.labels,
        seed=arguments.seed,
        every=arguments.every,
        bf16=arguments.bf16,
    )
    train, val = (
        _material(arguments.data, split, pairs, zoo)
        for split, pairs in (("train", TRAIN_PAIRS), ("val", VAL_PAIRS))
    )
    plain = zoo.detector(arguments.detector)
    network = train_on(plain, train, val, arguments.run, plan)
    learnt, chosen = (
        see(network, plain, material, pairs, plan.bf16)
        for material, pairs in ((train, arguments.blind_pairs), (val, VAL_PAIRS))
    )
    plain_auc = look(plain.network, plain, val, plan.bf16).auc
    print("blind:", make_blind(network, plain, learnt, chosen, plain_auc), flush=True)
    state = read_checkpoint(arguments.run / "checkpoint.pt")
    write_checkpoint(arguments.run / "blind.pt", state | {"averaged": network.state_dict()})


def add_ship_robust_arguments(parser: argparse.ArgumentParser) -> None:
    """Which run ships."""
    _add_common(parser)
    parser.add_argument("--hardware", required=True)


def run_ship_robust(arguments: argparse.Namespace) -> None:
    """Store a finished run's network, measure it, write its card."""
    torch.set_num_threads(arguments.threads)
    plain = Zoo("cpu").detector(arguments.detector)
    state = read_checkpoint(arguments.run / "blind.pt")
    assert plain.card.architecture in ARCHITECTURES
    network = build_network(plain.card.architecture, skeleton=True, side=plain.card.input_size)
    begin(network, state["averaged"])
    network = network.eval()
    faces = arguments.data / "dfdc_faces"
    exam = Exam(
        val=subset(read_faces(faces, "val", CACHE), HELD_OUT, seed=0),
        test=subset(read_faces(faces, "test", CACHE), FIXED_CROPS, seed=0),
        portraits=read_portraits(arguments.data / "portraits", DFDC_FRAMING, "test"),
    )
    origin = Origin(
        data=(
            f"{TRAIN_PAIRS:,} pairs of a fake and its real crop, drawn from the train split of the "
            "DFDC face crops (Dolhansky et al. 2020, arXiv 2006.07397). Actors appear in several "
            "videos, so train, val and test share actors."
        ),
        terms=TERMS,
        recipe=recipe(state["plan"]),
        hours=round(state["hours"], 2),
        hardware=arguments.hardware,
        seed=state["plan"]["seed"],
        curve=tuple((float(step), auc) for step, auc in state["curve"]),
        curve_label="step; AUC on 400 clean val crops",
    )
    card = ship_robust(
        network, plain, origin, exam, plain.card.weights.encoding, WEIGHTS_FOLDER, CARDS_FOLDER
    )
    print(json.dumps([figure.__dict__ for figure in card.figures], indent=1))


def recipe(plan: dict[str, float]) -> str:
    """How a run was made, in sentences, from its plan."""
    return (
        f"From the plain weights, {plan['steps']:,} steps of {plan['pairs']} pairs, each seen "
        "clean and after a round trip of random K in 1.5 to 4 by EDSR, bicubic or Lanczos, the "
        "same for a fake and its real crop. The answers, clean and attacked, are drawn towards the "
        "plain detector's to the clean crop (squared difference of logits), and "
        f"{plan['labels']:g} times as strongly to the label. AdamW at {plan['rate']:g}, batch "
        "statistics as they were. Then the last layer was made blind to the mean movement of the "
        "features by each method at mild and at strong K (the layer of least change, in closed "
        "form)."
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with dfdc_faces, portraits"
    )
    parser.add_argument("--detector", choices=DETECTOR_NAMES, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


def _material(data: Path, split: str, pairs: int, zoo: Zoo) -> Material:
    faces: Faces = read_faces(data / "dfdc_faces", split, CACHE)
    return Material(faces, read_round_trips(faces, split, pairs, ROUND_TRIP_SEED, CACHE, zoo))
