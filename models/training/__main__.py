"""`python -m models.training`: train the networks, and ship what was trained with its card."""

import argparse
from pathlib import Path

import torch

from models.training import ship as shipping
from models.training.detectors import Machine, Material, Plan, train
from models.training.faces import Cutting, read_faces
from models.training.networks import ARCHITECTURES, input_statistics
from models.training.portraits import read_portraits
from models.training.readout import refit_checkpoint
from models.training.ship_edsr import add_ship_edsr_arguments, run_ship_edsr
from models.training.small_commands import (
    add_ship_small_arguments,
    add_small_arguments,
    run_ship_small,
    run_small,
)
from models.training.super_resolution import add_edsr_arguments, run_edsr

CACHE = Path("runs/cache")


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m models.training", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    edsr = commands.add_parser("edsr", help="train EDSR at one scale")
    add_edsr_arguments(edsr)
    ship_edsr = commands.add_parser("ship-edsr", help="store EDSR, measure, write the card")
    add_ship_edsr_arguments(ship_edsr)
    detector = commands.add_parser("detector", help="train one stage of a detector")
    _add_detector_arguments(detector)
    readout = commands.add_parser("readout", help="fit the last layer anew, on whole crops")
    _add_readout_arguments(readout)
    ship = commands.add_parser("ship", help="calibrate, store, measure and write the card")
    _add_ship_arguments(ship)
    small = commands.add_parser("small", help="train one stage of the small network")
    add_small_arguments(small)
    ship_small = commands.add_parser("ship-small", help="ship a small network with its card")
    add_ship_small_arguments(ship_small)
    arguments = parser.parse_args()
    run = {
        "edsr": run_edsr,
        "ship-edsr": run_ship_edsr,
        "detector": _train_detector,
        "readout": _readout,
        "ship": _ship,
        "small": run_small,
        "ship-small": run_ship_small,
    }
    run[arguments.command](arguments)


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with dfdc_faces, portraits"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


def _add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data_arguments(parser)
    parser.add_argument("--architecture", choices=ARCHITECTURES, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of this stage's checkpoint")
    parser.add_argument(
        "--start", type=Path, help="checkpoint of the stage before, or shipped weights"
    )
    parser.add_argument("--skeleton", action="store_true", help="leave the optional blocks out")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--pairs", type=int, default=16, help="pairs a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay")
    parser.add_argument("--cells", type=float, default=1.0, help="weight of the cells' loss")
    parser.add_argument("--ranking", type=float, default=1.0, help="weight of fake against real")
    parser.add_argument("--stages", type=float, default=0.5, help="weight of earlier stages")
    parser.add_argument("--teacher", type=Path, help="weights of a network to learn from")
    parser.add_argument("--teacher-architecture", choices=ARCHITECTURES)
    parser.add_argument("--teaching", type=float, default=1.0, help="weight of the teacher")
    parser.add_argument("--averaging", type=float, default=0.995, help="decay of the average")
    parser.add_argument("--side", type=int, default=112, help="side of the cut crops, px")
    parser.add_argument("--narrowest", type=int, default=112, help="smallest window, px of 224")
    parser.add_argument("--widest", type=int, default=200, help="largest window, px of 224")
    parser.add_argument("--strength", type=float, default=0.2, help="probability of a distortion")
    parser.add_argument("--blended", type=float, default=0.1, help="share of self-blended fakes")
    parser.add_argument("--plain-pairs", type=int, default=0, help="pairs until all fakes are in")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--workers", type=int, default=0, help="processes that cut crops")
    parser.add_argument("--every", type=int, default=250, help="steps between checkpoints")
    parser.add_argument("--bf16", action="store_true", help="multiply in bfloat16")


def _train_detector(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    mean, std = input_statistics(arguments.architecture)
    plan = Plan(
        architecture=arguments.architecture,
        mean=mean,
        std=std,
        skeleton=arguments.skeleton,
        cutting=Cutting(
            side=arguments.side,
            narrowest=arguments.narrowest,
            widest=arguments.widest,
            strength=arguments.strength,
            blended=arguments.blended,
            plain_pairs=arguments.plain_pairs,
        ),
        pairs=arguments.pairs,
        steps=arguments.steps,
        rate=arguments.rate,
        decay=arguments.decay,
        cells=arguments.cells,
        ranking=arguments.ranking,
        stages=arguments.stages,
        averaging=arguments.averaging,
        teacher=arguments.teacher_architecture,
        teaching=arguments.teaching,
        seed=arguments.seed,
    )
    faces = arguments.data / "dfdc_faces"
    material = Material(
        faces=read_faces(faces, "train", CACHE),
        portraits=read_portraits(arguments.data / "portraits", shipping.DFDC_FRAMING, "train"),
        val=shipping.subset(read_faces(faces, "val", CACHE), count=400, seed=0),
    )
    device = torch.device(arguments.device)
    machine = Machine(device, arguments.workers, arguments.every, arguments.bf16)
    train(plan, material, arguments.run, machine, arguments.start, arguments.teacher)


def _add_readout_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True, help="folder of the new checkpoint")
    parser.add_argument("--pairs", type=int, default=4000, help="pairs of the train split")
    parser.add_argument("--bf16", action="store_true", help="compute features in bfloat16")


def _readout(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    faces = arguments.data / "dfdc_faces"
    auc = refit_checkpoint(
        arguments.checkpoint,
        arguments.run,
        read_faces(faces, "train", CACHE),
        arguments.pairs,
        shipping.subset(read_faces(faces, "val", CACHE), count=400, seed=0),
        arguments.bf16,
    )
    print(f"AUC on val: {auc:.4f}")


def _add_ship_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--recipe", required=True, help="how it was trained, in a few sentences")
    parser.add_argument("--hardware", required=True)
    parser.add_argument("--hours", type=float, required=True, help="of all stages together")
    parser.add_argument("--note", default="")
    parser.add_argument("--encoding", choices=("int8", "float16", "float32"), default="int8")
    parser.add_argument("--crops", type=int, help="measure on so many crops of val and of test")


def _ship(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(arguments.threads)
    faces = arguments.data / "dfdc_faces"
    card = shipping.ship(
        arguments.checkpoint,
        shipping.Story(arguments.recipe, arguments.hardware, arguments.hours, arguments.note),
        read_faces(faces, "val", CACHE),
        read_faces(faces, "test", CACHE),
        read_portraits(arguments.data / "portraits", shipping.DFDC_FRAMING, "train"),
        read_portraits(arguments.data / "portraits", shipping.DFDC_FRAMING, "test"),
        arguments.crops,
        arguments.encoding,
    )
    for figure in card.figures:
        low, high = figure.low, figure.high
        interval = "" if low is None or high is None else f" ({low} to {high})"
        print(f"{figure.name}, {figure.condition}: {figure.value}{interval} {figure.unit}")


if __name__ == "__main__":
    main()
