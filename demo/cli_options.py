"""Options that several commands share, and how they are read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NoReturn

REFUSED = 2


def add_picture(parser: argparse.ArgumentParser) -> None:
    """The one picture that a command takes."""
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="JPEG, PNG, WebP or BMP")


def add_output(parser: argparse.ArgumentParser) -> None:
    """The picture that a command writes."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.png", help="the picture to write"
    )


def add_method(parser: argparse.ArgumentParser) -> None:
    """Who restores."""
    parser.add_argument(
        "--method",
        default="edsr",
        metavar="edsr|bicubic|lanczos|NAME",
        help="restorer (edsr); NAME is one given by --super-resolution",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Everything of `core.settings.Settings`, one K and one method."""
    parser.add_argument(
        "--k", type=number, default=2.0, metavar="K", help="1.5, 2, 2.5, 3, 3.5 or 4 (2)"
    )
    add_method(parser)
    add_place(parser)


def add_place(parser: argparse.ArgumentParser) -> None:
    """What is attacked, and how it is shrunk."""
    parser.add_argument(
        "--kernel", default="area", metavar="area|bicubic", help="how the crop is shrunk (area)"
    )
    parser.add_argument(
        "--scope", default="face", metavar="face|faces|frame", help="what is attacked (face)"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--face", type=number, metavar="N", help="which face, 1 being the largest (1)"
    )
    place.add_argument(
        "--box",
        type=float,
        nargs=4,
        metavar=("X0", "Y0", "X1", "Y1"),
        help="a face marked by hand, in pixels, instead of a found one",
    )
    place.add_argument("--whole", action="store_true", help="take the whole picture as the face")


def add_precision(parser: argparse.ArgumentParser, precision: str = "float32") -> None:
    """How exactly the networks compute; `precision` is how unless said otherwise."""
    parser.add_argument(
        "--precision",
        default=precision,
        metavar="float32|bfloat16",
        help=(
            "bfloat16 is several times as fast on a CPU with AMX or AVX-512 BF16, moves logits a "
            f"little, and is said with the results ({precision})"
        ),
    )


def add_common(parser: argparse.ArgumentParser, device: str = "auto") -> None:
    """What every command takes; `device` is where the networks run unless said otherwise."""
    parser.add_argument(
        "--device",
        default=device,
        metavar="auto|cpu|cuda",
        help=f"where the networks run ({device})",
    )
    parser.add_argument(
        "--weights",
        type=named_file,
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
    parser.add_argument(
        "--super-resolution",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="a super-resolution checkpoint of your own, for --method NAME; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def number(text: str) -> float | int | str:
    """Read a number where there is one; the core refuses anything else with its own sentence."""
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def named_file(text: str) -> tuple[str, Path]:
    """Read NAME=FILE."""
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise argparse.ArgumentTypeError(f"expected NAME=FILE, but {text!r} came")
    return name, Path(file)


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with the sentence."""
        self.exit(REFUSED, f"{message[:1].upper()}{message[1:]}. See --help.\n")
