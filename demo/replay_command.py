"""`python -m demo replay`: repeats a recorded analysis and says what differs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Final

from demo.commands import MakeToolbox, precise_toolbox_for, say
from demo.core.analysis import analyse
from demo.core.errors import RecordError, WeightsError
from demo.core.images import Picture, read_picture
from demo.core.record_reading import Recorded, plain, read_record
from demo.core.replay import Replay, check_is_of, compare
from demo.examples import example_of
from demo.replay_words import Row, explanation, headline, reason, row
from models.cards import DETECTOR_NAMES, SUPER_RESOLUTION_NAMES
from models.zoo import resolve_device

RECORDED: Final = "recorded"


def replay_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Repeat an analysis under the settings of its record; print what differs.

    Returns:
        Whether anything that the record holds came out otherwise.

    Raises:
        DemoError: the record or the picture was refused.
    """
    recorded = read_record(options.record)
    picture = _picture(recorded, options.picture)
    if options.device == RECORDED:
        options.device = _device_of(recorded)
    if options.precision == RECORDED:
        options.precision = "bfloat16" if recorded.device.endswith("bfloat16") else "float32"
    analysis = analyse(picture, recorded.settings.settings(), precise_toolbox_for(options, make))
    replay = compare(recorded, analysis)
    say((*analysis.problems, *_not_here(replay)))
    print(_json(replay) if options.json else _text(replay))
    return not replay.same


def _picture(recorded: Recorded, path: Path | None) -> Picture:
    if path is not None:
        picture = read_picture(path)
        check_is_of(recorded, picture)
        return picture
    example = example_of(recorded.picture.sha256)
    if example is None:
        raise RecordError(
            f"The record is of a picture of {recorded.picture.width}×{recorded.picture.height} px "
            "that is none of the examples. Name that picture too: replay RECORD.json PICTURE."
        )
    return read_picture(example.path)


def _device_of(recorded: Recorded) -> str:
    """The device of the record where it is here, else whatever is."""
    wanted = "cuda" if recorded.device.startswith("cuda") else "cpu"
    try:
        return resolve_device(wanted).type
    except WeightsError:
        return "auto"


def _json(replay: Replay) -> str:
    said = {
        "same": replay.same,
        "compared": replay.compared,
        "differences": [asdict(one) | {"change": one.change} for one in replay.differences],
        "reasons": [asdict(one) for one in replay.reasons],
    }
    return json.dumps(said, indent=2, ensure_ascii=False)


def _text(replay: Replay) -> str:
    parts = [headline(replay)]
    if replay.differences:
        title = Row("", "recorded", "now", "change")
        parts.append(_columns([title, *map(row, replay.differences)]))
    parts += filter(None, [explanation(replay)])
    if replay.reasons:
        parts.append(_columns([Row("", "recorded", "now", ""), *map(reason, replay.reasons)]))
    return "\n\n".join(parts)


def _columns(rows: Sequence[Row]) -> str:
    cells = [astuple(one) for one in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, line, widths)) for line in cells)
    return "\n".join(map(str.rstrip, lines))


def _not_here(replay: Replay) -> list[str]:
    """A sentence for every network of the record's maker that was not given now."""
    own = (*DETECTOR_NAMES, *SUPER_RESOLUTION_NAMES)
    return [
        f"The record knows a detector {plain(one.name)} that was not given now. Give it with "
        f"--detector {plain(one.name)}=FILE."
        for one in replay.reasons
        if one.kind == "model" and one.now is None and one.name not in own
    ]
