"""`python -m demo sheet`: pictures at several K as one figure for a paper."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from demo.commands import (
    MakeToolbox,
    check_not_input,
    precise_toolbox_for,
    say,
    settings_of,
    write,
)
from demo.core.analysis import Toolbox, analyse
from demo.core.errors import DemoError
from demo.core.images import Picture, read_picture
from demo.core.record import record
from demo.core.settings import Settings
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import PictureShown, SheetSettings, check_format


def sheet_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Analyse pictures at every K with every method, and write them as a figure sheet.

    Returns:
        False: nothing was refused.

    Raises:
        DemoError: the input was refused; with several pictures the sentence names which.
    """
    # A name in letters that the sheet's font lacks shows boxes; that needs no warning.
    warnings.filterwarnings("ignore", message=r"Glyph \d+", category=UserWarning)
    check_format(options.output.name)
    chosen = SheetSettings(
        rows=tuple(options.rows),
        width_mm=options.width,
        gain=options.gain,
        window=options.window,
        at=None if options.at is None else tuple(options.at),
    )
    asked = [settings_of(options, k, method) for method, k in product(options.method, options.k)]
    for path in options.pictures:
        check_not_input(options.output, path)
    pictures = [_read(path, options.pictures) for path in options.pictures]
    toolbox = precise_toolbox_for(options, make)
    shown = [
        _analysed(path, picture, asked, toolbox, options.pictures)
        for path, picture in zip(options.pictures, pictures, strict=True)
    ]
    write(options.output, figure_sheet(shown, chosen, options.output.name, _more(options)))
    analyses = [(one.name, analysis) for one in shown for analysis in one.analyses]
    say(dict.fromkeys(problem for _, analysis in analyses for problem in analysis.problems))
    if options.json:
        columns = [{"file": name, **record(analysis)} for name, analysis in analyses]
        print(json.dumps({"file": options.output.name, "columns": columns}))
    else:
        print(f"Written: {options.output.name} ({len(analyses)} columns, {chosen.width_mm} mm)")
    return False


def _read(path: Path, paths: Sequence[Path]) -> Picture:
    try:
        return read_picture(path)
    except DemoError as refused:
        raise _named(refused, path, paths) from None


def _analysed(
    path: Path,
    picture: Picture,
    asked: Sequence[Settings],
    toolbox: Toolbox,
    paths: Sequence[Path],
) -> PictureShown:
    try:
        analyses = tuple(analyse(picture, settings, toolbox) for settings in asked)
    except DemoError as refused:
        raise _named(refused, path, paths) from None
    return PictureShown(path.name, analyses)


def _named(refused: DemoError, path: Path, paths: Sequence[Path]) -> DemoError:
    return refused if len(paths) == 1 else DemoError(f"{path.name}: {refused}")


def _more(options: argparse.Namespace) -> list[str]:
    """The options that the analyses do not hold, with files named without their folders."""
    words = [] if options.device == "auto" else ["--device", options.device]
    words += [] if options.precision == "float32" else ["--precision", options.precision]
    for name, file in options.weights:
        words += ["--weights", f"{name}={file.name}"]
    own = (("--detector", options.detector), ("--super-resolution", options.super_resolution))
    for option, checkpoints in own:
        for checkpoint in checkpoints:
            name, equals, file = checkpoint.rpartition("=")
            words += [option, f"{name}{equals}{Path(file).name}"]
    return words
