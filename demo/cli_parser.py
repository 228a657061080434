"""What the command line understands: every command and option of `python -m demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo.cli_options import (
    Parser,
    add_common,
    add_method,
    add_output,
    add_picture,
    add_place,
    add_settings,
    named_file,
    number,
)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="python -m demo",
        description="What a super-resolution round trip does to a face and to deepfake detectors.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_analyse(commands)
    _add_attack(commands)
    _add_score(commands)
    _add_restore(commands)
    _add_sheet(commands)
    _add_replay(commands)
    _add_study(commands)
    _add_train(commands)
    return parser


def _add_analyse(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "analyse",
        help="round trip, and every detector's verdict before and after",
        description="Send a face through the round trip and ask every detector before and after.",
        allow_abbrev=False,
    )
    add_picture(parser)
    add_settings(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write attacked.png, the crops, their difference and record.json here",
    )
    add_common(parser)


def _add_attack(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "attack",
        help="write the picture after the round trip",
        description="Send a face through the round trip and write the whole picture.",
        allow_abbrev=False,
    )
    add_picture(parser)
    add_settings(parser)
    add_output(parser)
    add_common(parser)


def _add_score(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "score",
        help="ask every detector about a picture or a folder of pictures",
        description=(
            "Ask every detector about the largest face of a picture, or of every picture that lies "
            "directly in a folder, by name. A picture that is refused gets its sentence, and the "
            "others are done."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("picture", type=Path, metavar="PICTURE|FOLDER")
    parser.add_argument(
        "--crops", action="store_true", help="the pictures are face crops already: find no face"
    )
    add_common(parser)


def _add_restore(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "restore",
        help="enlarge a whole picture",
        description="Enlarge a whole picture by super-resolution, or by a control.",
        allow_abbrev=False,
    )
    add_picture(parser)
    parser.add_argument(
        "--scale",
        type=number,
        required=True,
        metavar="2|3|4",
        help="factor; for a --method of your own, the one that it has",
    )
    add_method(parser)
    add_output(parser)
    add_common(parser)


def _add_sheet(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "sheet",
        help="pictures at several K as one figure for a paper",
        description=(
            "Send a face of each picture through the round trip at every K and write one figure: a "
            "column for each picture, method and K, every pixel shown whole, and a caption."
        ),
        allow_abbrev=False,
    )
    parser.add_argument(
        "pictures", type=Path, nargs="+", metavar="PICTURE", help="JPEG, PNG, WebP or BMP"
    )
    parser.add_argument(
        "--k", type=number, nargs="+", default=[2, 3, 4], metavar="K", help="columns (2 3 4)"
    )
    parser.add_argument(
        "--method",
        nargs="+",
        default=["edsr"],
        metavar="METHOD",
        help="edsr, bicubic, lanczos (edsr)",
    )
    add_place(parser)
    parser.add_argument(
        "--rows",
        nargs="+",
        default=["before", "after", "difference", "zoom", "scores"],
        metavar="ROW",
        help="before, after, difference, zoom, scores, in any order (all)",
    )
    parser.add_argument(
        "--width", type=number, default=175, metavar="85|175", help="printed width in mm (175)"
    )
    parser.add_argument(
        "--gain", type=float, default=8.0, help="factor on the difference, 1 to 64 (8)"
    )
    parser.add_argument(
        "--window",
        type=number,
        metavar="PX",
        help="side of the zoomed window in px of the crop (a quarter of the smallest crop)",
    )
    parser.add_argument(
        "--at",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        help="its centre in px of the crop (the middle)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.png|pdf|svg", help="the figure"
    )
    add_common(parser)


def _add_replay(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "replay",
        help="repeat a recorded analysis and say what differs",
        description=(
            "Repeat the analysis of a record.json and compare every number with it. The exit "
            "status is 0 where all are the same to the last digit, 1 where any differs, and 2 "
            "where the record or the picture is refused."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("record", type=Path, metavar="RECORD.json")
    parser.add_argument(
        "picture",
        type=Path,
        nargs="?",
        metavar="PICTURE",
        help="the picture that was analysed; not needed where it is an example of the page",
    )
    add_common(parser, device="recorded")


def _add_study(commands: argparse._SubParsersAction[Parser]) -> None:
    study = commands.add_parser(
        "study", help="a whole data set: error rates with intervals", allow_abbrev=False
    )
    steps = study.add_subparsers(dest="step", required=True, metavar="run|report")
    run = steps.add_parser(
        "run",
        help="measure a data set, or go on with it, and write the report",
        description=(
            "Send every picture of a data set through the round trips and ask every detector. A "
            "run that was broken off goes on when it is given the same folder again."
        ),
        allow_abbrev=False,
    )
    run.add_argument(
        "--data", required=True, metavar="dfdc|ffpp|folder|openforensics", help="what kind of data"
    )
    run.add_argument("--root", type=Path, required=True, metavar="FOLDER", help="where it lies")
    run.add_argument("--split", help="of dfdc and ffpp: train, val or test (test)")
    run.add_argument(
        "--splits", type=Path, metavar="FOLDER", help="of ffpp: where train, val and test.json lie"
    )
    run.add_argument("--compression", metavar="raw|c23|c40", help="of ffpp (c23)")
    run.add_argument(
        "--forgeries",
        nargs="+",
        metavar="FORGERY",
        help="of ffpp: Deepfakes, Face2Face, FaceSwap, FaceShifter, NeuralTextures (all)",
    )
    run.add_argument("--frames", type=int, metavar="N", help="of ffpp: drawn of each video (10)")
    run.add_argument(
        "--crops", action="store_true", help="of folder: the pictures are face crops already"
    )
    run.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE.json",
        help="of openforensics: the faces of the pictures below the root",
    )
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
    run.add_argument(
        "--precision",
        default="float32",
        metavar="float32|bfloat16",
        help=(
            "bfloat16 is several times as fast on a CPU with AMX or AVX-512 BF16, moves logits a "
            "little, and is said in the report (float32)"
        ),
    )
    run.add_argument(
        "--ray",
        metavar="ADDRESS",
        help=(
            "measure on this Ray cluster, such as auto or HOST:6379; its nodes see the project, "
            "the data and the weights under the same paths (requirements-ray.txt)"
        ),
    )
    add_common(run)
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


def _add_train(commands: argparse._SubParsersAction[Parser]) -> None:
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
