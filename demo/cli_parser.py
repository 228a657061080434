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
    add_precision,
    add_settings,
    number,
)
from demo.cli_study_parser import add_study, add_train


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="python -m demo",
        description="What a super-resolution round trip does to a face and to deepfake detectors.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_analyse(commands)
    _add_defences(commands)
    _add_attack(commands)
    _add_score(commands)
    _add_restore(commands)
    _add_sheet(commands)
    _add_replay(commands)
    add_study(commands)
    add_train(commands)
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
    add_precision(parser)
    add_common(parser)


def _add_defences(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = commands.add_parser(
        "defences",
        help="round trip, and the verdicts of plain and defended detectors before and after",
        description=(
            "Send a face through the round trip and ask every defence that ships, and the plain "
            "detector that each stands against, before and after."
        ),
        allow_abbrev=False,
    )
    add_picture(parser)
    add_settings(parser)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="DEFENCE", help="ask these, by name (all)"
    )
    parser.add_argument(
        "--white-box",
        action="store_true",
        help=(
            "also attack each network along its own gradient (PGD), at the round trip's PSNR: a "
            "research figure"
        ),
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
    add_precision(parser)
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
    add_precision(parser, "recorded")
    add_common(parser, device="recorded")
