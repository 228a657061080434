"""`python -m demo defences`: what plain and defended detectors say of a face, before and after."""

from __future__ import annotations

import argparse
import json

from demo.commands import MakeToolbox, say, settings_of, toolbox_for
from demo.core.defences import defences, find_defences
from demo.core.defending import DefendedScore, Defending, ask_defences
from demo.core.errors import SettingsError
from demo.core.images import read_picture
from demo.core.record import attack_record, score_record
from demo.core.scoring import DetectorScore, called


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
    asked = defences(toolbox.zoo)
    if options.only:
        asked = find_defences(options.only, toolbox.zoo)
    if not asked:
        raise SettingsError(
            "Defences were asked for, but none ships here. Fetch the project's models/cards folder."
        )
    found = ask_defences(picture, settings, asked, toolbox)
    say(found.problems)
    print(_json(found) if options.json else _table(found))
    return False


def _table(found: Defending) -> str:
    settings = found.attack.settings
    lines = [f"K {settings.k:g}, {settings.method}, shrunk by {settings.kernel}"]
    lines.append(f"{'defence':<32}{'clean':>8}{'attacked':>10}{'threshold':>11}  verdict")
    for one in found.scores:
        actions = f" [{' → '.join(one.actions)}]" if one.actions else ""
        kept = "; KEEPS what the plain one changed" if one.keeps else ""
        lines.append(f"{_line(one.defence.title, one.score)}{actions}{kept}")
        if one.plain is not None:
            lines.append(_line(f"  against {one.plain.title}", one.plain))
    return "\n".join(lines)


def _line(title: str, score: DetectorScore) -> str:
    before, after = called(score.clean_fake), called(score.attacked_fake)
    outcome = f"{before} → {after}: FLIPPED" if score.flipped else f"{before}, unchanged"
    return (
        f"{title:<32}{score.clean:>8.3f}{score.attacked:>10.3f}{score.threshold:>11.3f}  {outcome}"
    )


def _json(found: Defending) -> str:
    said = {
        **attack_record(found.attack),
        "crop_box": list(found.target.box),
        "defences": [_defence(one) for one in found.scores],
        "problems": list(found.problems),
    }
    return json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False)


def _defence(one: DefendedScore) -> dict[str, object]:
    return {
        "name": one.defence.name,
        "title": one.defence.title,
        "kind": one.defence.kind,
        "score": score_record(one.score),
        "plain": None if one.plain is None else score_record(one.plain),
        "keeps": one.keeps,
        "actions": list(one.actions),
    }
