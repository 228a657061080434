"""The options of ``python -m demo study`` and ``train``."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo.cli_options import (
    Parser,
    add_common,
    add_precision,
    named_file,
    number,
)


def add_study(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add ``study``: run one, or write its report."""
    study = commands.add_parser(
        "study", help="a whole data set: error rates with intervals", allow_abbrev=False
    )
    steps = study.add_subparsers(dest="step", required=True, metavar="run|white-box|report")
    run = steps.add_parser(
        "run",
        help="measure a data set, or go on with it, and write the report",
        description=(
            "Send every picture of a data set through the round trips and ask every detector. A "
            "run that was broken off goes on when it is given the same folder again."
        ),
        allow_abbrev=False,
    )
    _add_data(run)
    run.add_argument("--k", type=number, nargs="+", default=[2.0], metavar="K", help="every K (2)")
    run.add_argument(
        "--methods", nargs="+", default=["edsr", "bicubic", "lanczos"], metavar="METHOD"
    )
    run.add_argument("--kernel", default="area", metavar="area|bicubic")
    run.add_argument(
        "--detectors",
        type=named_file,
        nargs="+",
        default=[],
        metavar="FORGERY=CARD.json",
        help=(
            "ask these instead of those that ship, each only about the forgery that it was trained "
            "on and pristine pictures; its weights lie beside its card"
        ),
    )
    run.add_argument(
        "--defences",
        action="store_true",
        help="ask every defence that ships too, and all about JPEGs of quality 60",
    )
    run.add_argument(
        "--white-box",
        type=int,
        default=0,
        metavar="N",
        help=(
            "with --defences: attack this many of the pictures by PGD too, each network by its own "
            "gradients, at the PSNR of the round trip by EDSR at K = 2 (0)"
        ),
    )
    run.add_argument("--limit", type=int, metavar="N", help="draw this many pictures with the seed")
    run.add_argument("--seed", type=int, default=0, help="of every draw (0)")
    run.add_argument(
        "--gallery",
        type=int,
        default=4,
        metavar="N",
        help=(
            "fakes a detector and method that were caught before and missed after, kept as "
            "pictures in the report (4); they show real people: 0 where it is published"
        ),
    )
    run.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the study")
    run.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes of one thread each (one a core); the results do not depend on it",
    )
    add_precision(run)
    run.add_argument(
        "--ray",
        metavar="ADDRESS",
        help=(
            "measure on this Ray cluster, such as auto or HOST:6379; its nodes see the project, "
            "the data and the weights under the same paths (requirements-ray.txt)"
        ),
    )
    add_common(run)
    _add_white_box(steps)
    report = steps.add_parser(
        "report",
        help="write a finished study's report anew, or compare several",
        description=(
            "Write a finished study's report anew from its scores; of several, compare them and "
            "write comparison.html, .md, .csv and .tex."
        ),
        allow_abbrev=False,
    )
    report.add_argument("run", type=Path, nargs="+", metavar="RUN", help="folder of a study")
    report.add_argument(
        "--out", type=Path, metavar="FOLDER", help="of the comparison of several studies"
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    """What `demo.study_data.open_data` reads."""
    parser.add_argument(
        "--data", required=True, metavar="dfdc|ffpp|folder|openforensics", help="what kind of data"
    )
    parser.add_argument("--root", type=Path, required=True, metavar="FOLDER", help="where it lies")
    parser.add_argument("--split", help="of dfdc and ffpp: train, val or test (test)")
    parser.add_argument(
        "--splits", type=Path, metavar="FOLDER", help="of ffpp: where train, val and test.json lie"
    )
    parser.add_argument("--compression", metavar="raw|c23|c40", help="of ffpp (c23)")
    parser.add_argument(
        "--forgeries",
        nargs="+",
        metavar="FORGERY",
        help="of ffpp: Deepfakes, Face2Face, FaceSwap, FaceShifter, NeuralTextures (all)",
    )
    parser.add_argument("--frames", type=int, metavar="N", help="of ffpp: drawn of each video (10)")
    parser.add_argument(
        "--crops", action="store_true", help="of folder: the pictures are face crops already"
    )
    parser.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE.json",
        help="of openforensics: the faces of the pictures below the root",
    )


def _add_white_box(steps: argparse._SubParsersAction[Parser]) -> None:
    """Add ``white-box``: attacks by gradients beside the round trip."""
    parser = steps.add_parser(
        "white-box",
        help="attack face crops by gradients, next to the round trip, and write the report",
        description=(
            "Attack every face crop along the gradient of every network: by FGSM, PGD in L∞ and "
            "L2, and in L0, at several strengths, and with the very error of the round trip. A run "
            "that was broken off goes on when it is given the same folder again."
        ),
        allow_abbrev=False,
    )
    _add_data(parser)
    parser.add_argument(
        "--networks",
        nargs="+",
        default=[],
        metavar="NAME",
        help="those attacked and asked, such as resnet50 or small_adversarial (the detectors)",
    )
    parser.add_argument("--k", type=number, default=2.0, metavar="K", help="of the round trip (2)")
    parser.add_argument(
        "--steps", type=int, default=10, metavar="N", help="of every attack but FGSM (10)"
    )
    parser.add_argument(
        "--levels",
        type=float,
        nargs="+",
        default=[1.0, 2.0, 4.0, 8.0],
        metavar="EPS",
        help="strengths of FGSM and PGD in L∞, in 8-bit levels (1 2 4 8)",
    )
    parser.add_argument(
        "--rms",
        type=float,
        nargs="+",
        default=[0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0],
        metavar="RMS",
        help="strengths of PGD in L2: root mean square in 8-bit levels (0.0625 0.125 0.25 … 4)",
    )
    parser.add_argument(
        "--pixels",
        type=float,
        nargs="+",
        default=[1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0],
        metavar="N",
        help="strengths of the L0 attack: pixels that may change (1 3 10 30 100 300 1000)",
    )
    parser.add_argument(
        "--curves",
        type=int,
        metavar="N",
        help="attack so many of the crops, drawn with the seed, at every strength (all)",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="draw this many pictures with the seed"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every draw (0)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the study")
    add_common(parser)


def add_train(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add ``train``: detectors as the paper trains them."""
    train = commands.add_parser(
        "train", help="detectors of your own, as the paper trains them", allow_abbrev=False
    )
    steps = train.add_subparsers(dest="step", required=True, metavar="detectors")
    parser = steps.add_parser(
        "detectors",
        help="train on FaceForensics++, or go on with it, and write weights with their cards",
        description=(
            "Train detectors as arXiv 2407.02670 does: from ImageNet weights, by SGD, a set for "
            "each forgery. A training that was broken off goes on when it is given the same folder "
            "again. FOLDER/FORGERY/NAME.json is then the card for study run --detectors, and for "
            "--detector NAME=CARD.json of the other commands."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("--data", required=True, metavar="ffpp", help="what kind of data")
    parser.add_argument("--root", type=Path, required=True, metavar="FOLDER", help="where it lies")
    parser.add_argument(
        "--splits", type=Path, required=True, metavar="FOLDER", help="train, val and test.json"
    )
    parser.add_argument("--compression", default="c23", metavar="raw|c23|c40", help="(c23)")
    parser.add_argument("--forgeries", nargs="+", required=True, metavar="FORGERY")
    parser.add_argument(
        "--together", action="store_true", help="one set of detectors for all forgeries"
    )
    parser.add_argument(
        "--architectures",
        nargs="+",
        default=["resnet50", "swin_small", "xception"],
        metavar="NAME",
        help="resnet50, swin_small, xception (all)",
    )
    parser.add_argument("--frames", type=int, default=10, metavar="N", help="of each video (10)")
    parser.add_argument("--epochs", type=int, default=30, metavar="N", help="(30)")
    parser.add_argument("--batch", type=int, default=64, metavar="N", help="crops a step (64)")
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate at first (0.01)")
    parser.add_argument(
        "--input-size", type=int, default=224, metavar="PX", help="side of the crops (224)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every draw (0)")
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--start",
        type=named_file,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="timm's ImageNet weights of an architecture, where the hub cannot be reached",
    )
    start.add_argument(
        "--from-scratch",
        action="store_true",
        help="begin with random numbers, which is not the paper's training",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="threads that find faces, and processes that vary crops (0: none beside this one)",
    )
    parser.add_argument("--device", default="auto", metavar="auto|cpu|cuda", help="(auto)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="of the training")
