"""What each command of the command line does, once its words have been read."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from demo.core.analysis import (
    Analysis,
    FaceResult,
    ModelUsed,
    Settings,
    Toolbox,
    analyse,
    attack_picture,
)
from demo.core.attack import enlarge_picture
from demo.core.errors import SettingsError
from demo.core.images import digest, encode_png, read_picture
from demo.core.record import attack_record, enlargement_mark, mark, record_json
from demo.core.restoring import restoring_weights
from demo.core.scoring import called
from demo.round_trip_words import advice, seen
from demo.views import DIFFERENCE_GAIN, difference

MakeToolbox = Callable[[str, Mapping[str, Path], Sequence[str], Sequence[str]], Toolbox]


def analyse_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Analyse one picture; print the record or a table, and write the pictures if asked to.

    Returns:
        False: nothing was refused.

    Raises:
        DemoError: the input was refused.
    """
    settings = settings_of(options, options.k, options.method)
    picture = read_picture(options.picture)
    analysis = analyse(picture, settings, precise_toolbox_for(options, make))
    if options.out is not None:
        _write_analysis(analysis, options.out, options.picture)
    say(analysis.problems)
    print(record_json(analysis) if options.json else _table(analysis), end="")
    return False


def attack_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Write a picture after the round trip; returns and raises as ``analyse_command``."""
    settings = settings_of(options, options.k, options.method)
    _check_output(options.output, options.picture)
    picture = read_picture(options.picture)
    attack = attack_picture(picture, settings, toolbox_for(options, make))
    write(options.output, encode_png(attack.attacked, mark(attack)))
    if options.json:
        print(json.dumps(attack_record(attack)))
    else:
        print(f"Written: {options.output.name} (K {settings.k:g}, {settings.method})")
    return False


def restore_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Write a picture enlarged; returns and raises as ``analyse_command``."""
    _check_output(options.output, options.picture)
    picture = read_picture(options.picture)
    toolbox = toolbox_for(options, make)
    enlarged = enlarge_picture(picture, options.scale, options.method, toolbox.zoo)
    weights = restoring_weights(options.method, options.scale, toolbox.zoo)
    models = () if weights is None else (ModelUsed(*weights),)
    chunks = enlargement_mark(options.scale, options.method, models)
    write(options.output, encode_png(enlarged, chunks))
    height, width = enlarged.shape[:2]
    if options.json:
        said = {
            "scale": options.scale,
            "method": options.method,
            "width": width,
            "height": height,
            "sha256": digest(enlarged),
            "models": [{"name": model.name, "sha256": model.sha256} for model in models],
        }
        print(json.dumps(said))
    else:
        print(f"Written: {options.output.name} ({width}×{height} px, {options.method})")
    return False


def toolbox_for(options: argparse.Namespace, make: MakeToolbox) -> Toolbox:
    """Make the models as the options ask.

    Raises:
        WeightsError: what they ask for is refused.
    """
    return make(options.device, dict(options.weights), options.detector, options.super_resolution)


def precise_toolbox_for(options: argparse.Namespace, make: MakeToolbox) -> Toolbox:
    """Make the models as the options ask, in the precision that they ask.

    Raises:
        WeightsError: what they ask for is refused, or the precision is unknown.
    """
    toolbox = toolbox_for(options, make)
    return Toolbox(toolbox.zoo.in_precision(options.precision), toolbox.faces)


def settings_of(options: argparse.Namespace, k: float, method: str) -> Settings:
    """Make the settings that the options ask for, under one K and method.

    Raises:
        SettingsError: they cannot be carried out.
    """
    face = 1 if options.face is None else options.face
    return Settings(
        k=k,
        method=method,
        kernel=options.kernel,
        scope=options.scope,
        face=face - 1 if isinstance(face, int) else face,
        box=None if options.box is None else tuple(options.box),
        whole=options.whole,
    )


def _table(analysis: Analysis) -> str:
    settings = analysis.settings
    lines = [f"K {settings.k:g}, {settings.method}, shrunk by {settings.kernel}, {analysis.device}"]
    for result in analysis.results:
        lines += ["", _title(result, analysis), _quality(result)]
        lines.append(f"{'detector':<14}{'clean':>8}{'attacked':>10}{'threshold':>11}  verdict")
        for score in result.scores:
            before, after = called(score.clean_fake), called(score.attacked_fake)
            outcome = f"{before} → {after}: FLIPPED" if score.flipped else f"{before}, unchanged"
            lines.append(
                f"{score.title:<14}{score.clean:>8.3f}{score.attacked:>10.3f}"
                f"{score.threshold:>11.3f}  {outcome}"
            )
        lines += _round_trips(result)
    return "\n".join(lines) + "\n"


def _title(result: FaceResult, analysis: Analysis) -> str:
    x0, y0, x1, y1 = result.box
    sources = {"hand": "Face marked by hand", "picture": "Whole picture"}
    name = sources.get(result.face.source) or f"Face {analysis.faces.index(result.face) + 1}"
    return f"{name}: crop {x1 - x0}×{y1 - y0} px from ({x0}, {y0}) to ({x1}, {y1})"


def _quality(result: FaceResult) -> str:
    quality = result.quality
    return (
        f"SSIM {quality.ssim:.4f}, PSNR {quality.psnr_db:.2f} dB, difference "
        f"{quality.mean_difference:.2f} levels on average, {quality.max_difference} at most"
    )


def _round_trips(result: FaceResult) -> list[str]:
    clean, attacked = result.clean_round_trip, result.attacked_round_trip
    lines = [
        f"Round trip in the clean crop: {seen(clean)}",
        f"Round trip in the attacked crop: {seen(attacked)}",
    ]
    follows = advice(clean, attacked)
    return [*lines, follows] if follows else lines


def _write_analysis(analysis: Analysis, folder: Path, source: Path) -> None:
    chunks = mark(analysis)
    files = {"attacked.png": encode_png(analysis.attacked, chunks)}
    for number, result in enumerate(analysis.results, 1):
        end = "" if len(analysis.results) == 1 else f"_{number}"
        changed = difference(result.clean, result.attacked, DIFFERENCE_GAIN)
        said = {"Description": f"Artifact difference, {DIFFERENCE_GAIN:g} times amplified."}
        files[f"clean_crop{end}.png"] = encode_png(result.clean, {})
        files[f"attacked_crop{end}.png"] = encode_png(result.attacked, chunks)
        files[f"difference{end}.png"] = encode_png(changed, said)
    files["record.json"] = record_json(analysis).encode()
    for name in files:
        check_not_input(folder / name, source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise SettingsError(
            "A folder for the results was expected, but it cannot be made. Choose another one."
        ) from None
    for name, content in files.items():
        write(folder / name, content)


def _check_output(output: Path, source: Path) -> None:
    if output.suffix.lower() != ".png":
        raise SettingsError(
            f"The output is a PNG and its name must end in .png, but {output.name!r} came. "
            "Choose such a name."
        )
    check_not_input(output, source)


def check_not_input(output: Path, source: Path) -> None:
    """Refuse to overwrite the picture that is read.

    Raises:
        SettingsError: both are one file.
    """
    if os.path.exists(output) and os.path.exists(source) and output.samefile(source):
        raise SettingsError(
            f"Writing {output.name!r} would overwrite the picture that was read. "
            "Choose another name."
        )


def write(path: Path, content: bytes) -> None:
    """Write a file.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError:
        raise SettingsError(
            f"{path.name!r} could not be written. Name a folder that exists and is writable."
        ) from None


def say(sentences: Iterable[str]) -> None:
    """Print sentences about what is wrong to standard error."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
