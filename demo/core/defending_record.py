"""What plain detectors and defences said of a face → plain values, for a program to read."""

import math

from demo.core.defending import DefendedScore, Defending
from demo.core.own_gradient import NATURE, GradientScore
from demo.core.record import Json, attack_record, score_record


def defending_record(found: Defending) -> Json:
    """Put what was asked and said into plain values that JSON can hold; no pixel is among them.

    Beside what ``record.attack_record`` has: the box that results are about, in px, and a record a
    defence. ``gradient`` and ``plain_gradient`` are null where no attack by gradients was asked
    for; ``white_box`` says in words what they are, and is null then too. In their scores
    ``attacked`` means by PGD; a PSNR in dB is null where the crop stayed as it was; ``found`` says
    whether there was a gradient to follow.
    """
    return {
        **attack_record(found.attack),
        "crop_box": list(found.target.box),
        "white_box": NATURE if found.white_box else None,
        "defences": [_defence(one) for one in found.scores],
        "problems": list(found.problems),
    }


def _defence(one: DefendedScore) -> Json:
    return {
        "name": one.defence.name,
        "title": one.defence.title,
        "kind": one.defence.kind,
        "score": score_record(one.score),
        "plain": None if one.plain is None else score_record(one.plain),
        "keeps": one.keeps,
        "actions": list(one.actions),
        "gradient": _gradient(one.gradient),
        "plain_gradient": _gradient(one.plain_gradient),
    }


def _gradient(one: GradientScore | None) -> Json | None:
    if one is None:
        return None
    return {
        "score": score_record(one.score),
        "found": one.found,
        "psnr_db": _decibels(one.psnr_db),
        "round_trip_psnr_db": _decibels(one.round_trip_psnr_db),
    }


def _decibels(level: float) -> float | None:
    return level if math.isfinite(level) else None
