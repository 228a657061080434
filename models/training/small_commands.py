"""The commands `small` and `ship-small` of `python -m models.training`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch

from models.card_files import CARDS_FOLDER
from models.small_network import SMALL_ARCHITECTURES
from models.training.detectors import Machine
from models.training.faces import Cutting, Faces, read_faces
from models.training.originals import joined, of_originals, split_originals
from models.training.portraits import read_portraits
from models.training.ship import DFDC_FRAMING, FIXED_CROPS, Story, subset
from models.training.ship_small import TITLES, Exam, ship_small
from models.training.small import SmallPlan, train_small
from models.weights import WEIGHTS_FOLDER

CACHE = Path("runs/cache")
SPLIT_SEED = 0


@dataclass(frozen=True)
class Parts:
    """The crops of 60, 20 and 20 % of the originals, and the project's own held-out splits.

    Attributes:
        train: Learnt from.
        val: Chosen with.
        test: Measured with, once.
        few_val: Some crops of the project's val split, looked at along the way.
        fixed: The crops of the project's test split that never change.
    """

    train: Faces
    val: Faces
    test: Faces
    few_val: Faces
    fixed: Faces


def read_parts(root: Path, cache: Path) -> Parts:
    """Read the DFDC face crops and divide them.

    Args:
        root: The folder with `index.csv` and the shards.
        cache: A folder for the decoded pixels.
    """
    train, val, test = (read_faces(root, split, cache) for split in ("train", "val", "test"))
    originals = split_originals(
        set(train.source), set(val.source), set(test.source), seed=SPLIT_SEED
    )
    return Parts(
        train=of_originals(train, originals.train),
        val=joined(val, of_originals(train, originals.val)),
        test=joined(test, of_originals(train, originals.test)),
        few_val=subset(val, FIXED_CROPS, seed=0),
        fixed=subset(test, FIXED_CROPS, seed=0),
    )


def add_small_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `small`."""
    _add_data_arguments(parser)
    parser.add_argument("--architecture", choices=SMALL_ARCHITECTURES, default="small")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="checkpoint or shipped weights to begin with")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--pairs", type=int, default=24, help="pairs a step")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay")
    parser.add_argument("--cells", type=float, default=1.0, help="weight of the cells' loss")
    parser.add_argument("--ranking", type=float, default=1.0, help="weight of fake against real")
    parser.add_argument("--averaging", type=float, default=0.99, help="decay of the average")
    parser.add_argument("--side", type=int, default=256, help="side of the cut crops, px")
    parser.add_argument("--window", type=int, default=224, help="window of the face, px of 224")
    parser.add_argument("--strength", type=float, default=0.1, help="probability of a distortion")
    parser.add_argument("--blended", type=float, default=0.0, help="share of self-blended fakes")
    parser.add_argument("--patterns", type=float, default=0.0, help="share with a pattern")
    parser.add_argument("--plain-pairs", type=int, default=0, help="pairs until all fakes are in")
    parser.add_argument("--eps", type=float, default=0.0, help="of attacks in training, levels")
    parser.add_argument("--attack-steps", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16")


def run_small(arguments: argparse.Namespace) -> None:
    """Train one stage of a small network."""
    torch.set_num_threads(arguments.threads)
    parts = read_parts(arguments.data / "dfdc_faces", CACHE)
    plan = SmallPlan(
        architecture=arguments.architecture,
        cutting=Cutting(
            side=arguments.side,
            narrowest=arguments.window,
            widest=arguments.window,
            strength=arguments.strength,
            blended=arguments.blended,
            plain_pairs=arguments.plain_pairs,
            patterns=arguments.patterns,
        ),
        pairs=arguments.pairs,
        steps=arguments.steps,
        rate=arguments.rate,
        decay=arguments.decay,
        cells=arguments.cells,
        ranking=arguments.ranking,
        averaging=arguments.averaging,
        seed=arguments.seed,
        eps=arguments.eps,
        attack_steps=arguments.attack_steps,
    )
    machine = Machine(torch.device("cpu"), workers=0, every=arguments.every, bf16=arguments.bf16)
    train_small(plan, parts.train, parts.few_val, arguments.run, machine, arguments.start)


def add_ship_small_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `ship-small`."""
    _add_data_arguments(parser)
    parser.add_argument("--name", choices=tuple(TITLES), required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--recipe", required=True, help="how it was trained, in a few sentences")
    parser.add_argument("--hardware", required=True)
    parser.add_argument("--hours", type=float, required=True, help="of all stages together")
    parser.add_argument("--note", default="")
    parser.add_argument("--val-crops", type=int, default=1500, help="choose with so many of val")
    parser.add_argument("--encoding", choices=("int8", "float16", "float32"), default="int8")


def run_ship_small(arguments: argparse.Namespace) -> None:
    """Ship one small network and print its figures."""
    torch.set_num_threads(arguments.threads)
    parts = read_parts(arguments.data / "dfdc_faces", CACHE)
    exam = Exam(
        val=subset(parts.val, arguments.val_crops, seed=0),
        test=parts.test,
        fixed=parts.fixed,
        pristine=read_portraits(arguments.data / "portraits", DFDC_FRAMING, "train"),
        portraits=read_portraits(arguments.data / "portraits", DFDC_FRAMING, "test"),
    )
    card = ship_small(
        arguments.checkpoint,
        arguments.name,
        Story(arguments.recipe, arguments.hardware, arguments.hours, arguments.note),
        exam,
        arguments.encoding,
        WEIGHTS_FOLDER,
        CARDS_FOLDER,
    )
    for figure in card.figures:
        low, high = figure.low, figure.high
        interval = "" if low is None or high is None else f" ({low} to {high})"
        print(f"{figure.name}, {figure.of}, {figure.condition}: {figure.value}{interval}")


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with dfdc_faces, portraits"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
