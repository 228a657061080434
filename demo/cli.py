"""The command line: `python -m demo analyse|attack|score|restore`.

Results go to standard output, sentences about what is wrong to standard error. The exit status is
0, or 2 where the input was refused (in a folder: where any picture of it was).
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.core.errors import DemoError

if TYPE_CHECKING:
    from demo.commands import MakeToolbox

REFUSED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, make: MakeToolbox | None = None) -> int:
    """Run one command and return the exit status.

    Args:
        arguments: without the program's name; None takes those of the process.
        make: makes the models from the device's name, given weights and checkpoints of other
            people's detectors; None takes ``demo.core.analysis.make_toolbox``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without × and → shows ? instead of failing.
            stream.reconfigure(errors="replace")
    options = build_parser().parse_args(arguments)
    # Pillow warns about broken EXIF with a path of its own; the picture is read all the same.
    warnings.filterwarnings("ignore", module="PIL")
    # Only here, so that --help does not wait seconds for torch.
    from demo import commands, scoring_command
    from demo.core.analysis import make_toolbox

    command = {
        "analyse": commands.analyse_command,
        "attack": commands.attack_command,
        "score": scoring_command.score_command,
        "restore": commands.restore_command,
    }[options.command]
    try:
        return REFUSED if command(options, make or make_toolbox) else 0
    except DemoError as refused:
        print(refused, file=sys.stderr)
        return REFUSED
    except BrokenPipeError:
        # The reader (such as head) has seen enough; closing must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="python -m demo",
        description="What a super-resolution round trip does to a face and to deepfake detectors.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_analyse(commands)
    _add_attack(commands)
    _add_score(commands)
    _add_restore(commands)
    return parser


def _add_analyse(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "analyse",
        help="round trip, and every detector's verdict before and after",
        description="Send a face through the round trip and ask every detector before and after.",
        allow_abbrev=False,
    )
    _add_picture(parser)
    _add_settings(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="write attacked.png, the crops, their difference and record.json here",
    )
    _add_common(parser)


def _add_attack(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "attack",
        help="write the picture after the round trip",
        description="Send a face through the round trip and write the whole picture.",
        allow_abbrev=False,
    )
    _add_picture(parser)
    _add_settings(parser)
    _add_output(parser)
    _add_common(parser)


def _add_score(commands: argparse._SubParsersAction[_Parser]) -> None:
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
    _add_common(parser)


def _add_restore(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "restore",
        help="enlarge a whole picture",
        description="Enlarge a whole picture by super-resolution, or by a control.",
        allow_abbrev=False,
    )
    _add_picture(parser)
    parser.add_argument("--scale", type=_number, required=True, metavar="2|3|4", help="factor")
    _add_method(parser)
    _add_output(parser)
    _add_common(parser)


def _add_picture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="JPEG, PNG, WebP or BMP")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.png", help="the picture to write"
    )


def _add_method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--method", default="edsr", metavar="edsr|bicubic|lanczos", help="restorer (edsr)"
    )


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--k", type=_number, default=2.0, metavar="K", help="1.5, 2, 2.5, 3, 3.5 or 4 (2)"
    )
    _add_method(parser)
    parser.add_argument(
        "--kernel", default="area", metavar="area|bicubic", help="how the crop is shrunk (area)"
    )
    parser.add_argument(
        "--scope", default="face", metavar="face|faces|frame", help="what is attacked (face)"
    )
    parser.add_argument(
        "--face", type=_number, default=1, metavar="N", help="which face, 1 being the largest (1)"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--box",
        type=float,
        nargs=4,
        metavar=("X0", "Y0", "X1", "Y1"),
        help="a face marked by hand, in pixels, instead of a found one",
    )
    place.add_argument("--whole", action="store_true", help="take the whole picture as the face")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", metavar="auto|cpu|cuda", help="where the networks run (auto)"
    )
    parser.add_argument(
        "--weights",
        type=_named_file,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="take a network's weights from this file, such as edsr_x2=FILE; may be repeated",
    )
    parser.add_argument(
        "--detector",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="also ask this detector, a checkpoint of your own; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _number(text: str) -> float | int | str:
    """Read a number where there is one; the core refuses anything else with its own sentence."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, but {text!r} came")
    return name, Path(file)


class _Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(REFUSED, f"{message[:1].upper()}{message[1:]}. See --help.\n")
