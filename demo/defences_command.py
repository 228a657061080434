"""`python -m demo defences`: what plain and defended detectors say of a face, before and after."""

from __future__ import annotations

import argparse
import json

from demo.commands import MakeToolbox, say, settings_of, toolbox_for
from demo.core.defences import chosen_defences
from demo.core.defending import Defending, ask_defences
from demo.core.defending_record import defending_record
from demo.core.images import read_picture
from demo.core.own_gradient import NATURE, GradientScore
from demo.core.scoring import DetectorScore, called

NO_GRADIENT = ", for its gradient is zero here: that proves nothing"


def defences_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Ask defences about one face, clean and attacked; print a table, or JSON.

    Returns:
        False: nothing was refused.

    Raises:
        DemoError: the input was refused, or no defence ships.
    """
    settings = settings_of(options, options.k, options.method)
    picture = read_picture(options.picture)
    toolbox = toolbox_for(options, make)
    asked = chosen_defences(options.only, toolbox.zoo)
    found = ask_defences(picture, settings, asked, toolbox, white_box=options.white_box)
    say(found.problems)
    print(_json(found) if options.json else _table(found))
    return False


def _json(found: Defending) -> str:
    return json.dumps(defending_record(found), indent=2, ensure_ascii=False, allow_nan=False)


def _table(found: Defending) -> str:
    settings = found.attack.settings
    lines = [f"K {settings.k:g}, {settings.method}, shrunk by {settings.kernel}"]
    lines.append(f"{'defence':<32}{'clean':>8}{'attacked':>10}{'threshold':>11}  verdict")
    for one in found.scores:
        actions = f" [{' → '.join(one.actions)}]" if one.actions else ""
        kept = "; KEEPS what the plain one changed" if one.keeps else ""
        lines.append(f"{_line(one.defence.title, one.score)}{actions}{kept}")
        lines += _gradient(one.gradient)
        if one.plain is not None:
            lines.append(_line(f"  against {one.plain.title}", one.plain))
            lines += _gradient(one.plain_gradient)
    return "\n".join([*lines, NATURE] if found.white_box else lines)


def _gradient(one: GradientScore | None) -> list[str]:
    if one is None:
        return []
    how = f"; PSNR {one.psnr_db:.2f} dB, round trip {one.round_trip_psnr_db:.2f} dB"
    return [_line("    by its own gradient", one.score) + (how if one.found else NO_GRADIENT)]


def _line(title: str, score: DetectorScore) -> str:
    before, after = called(score.clean_fake), called(score.attacked_fake)
    outcome = f"{before} → {after}: FLIPPED" if score.flipped else f"{before}, unchanged"
    return (
        f"{title:<32}{score.clean:>8.3f}{score.attacked:>10.3f}{score.threshold:>11.3f}  {outcome}"
    )
