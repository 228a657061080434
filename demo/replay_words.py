"""What came of repeating a recorded analysis, in words that the page and the command line share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from demo.core.record_reading import plain
from demo.core.replay import Difference, Reason, Replay, Value

ABSENT: Final = "–"

_QUANTITIES: Final = {
    "sha256": ("SHA-256", ""),
    "faces": ("faces found", ""),
    "known": ("measured", ""),
    "found_by": ("found by", ""),
    "found_box": ("box, as found", "px"),
    "probability": ("probability of being a face", ""),
    "landmarks": ("landmarks", "px"),
    "source": ("source of the face", ""),
    "face_box": ("box of the face", "px"),
    "crop_box": ("box of the crop", "px"),
    "ssim": ("SSIM", ""),
    "psnr_db": ("PSNR", "dB"),
    "identical": ("crops identical", ""),
    "mean_difference": ("mean difference", "levels of 255"),
    "max_difference": ("largest difference", "levels of 255"),
    "threshold": ("threshold", ""),
    "clean": ("fake probability before", ""),
    "attacked": ("fake probability after", ""),
    "clean_logit": ("logit before", ""),
    "attacked_logit": ("logit after", ""),
    "clean_fake": ("verdict before", ""),
    "attacked_fake": ("verdict after", ""),
    "flipped": ("verdict flipped", ""),
    "clean_round_trip": ("probability of a round trip before", ""),
    "attacked_round_trip": ("probability of a round trip after", ""),
    "clean_threshold": ("threshold before", ""),
    "attacked_threshold": ("threshold after", ""),
    "clean_fired": ("round trip seen before", ""),
    "attacked_fired": ("round trip seen after", ""),
    "clean_k": ("likeliest K before", ""),
    "attacked_k": ("likeliest K after", ""),
}
_SUBJECTS: Final = {
    "picture": "Picture",
    "attacked": "Attacked picture",
    "hand": "Face marked by hand",
    "whole": "Whole picture",
}


@dataclass(frozen=True)
class Row:
    """One difference or reason in words; "–" stands for what there is not."""

    what: str
    recorded: str
    now: str
    change: str


def headline(replay: Replay) -> str:
    """Say whether everything is the same; a sentence."""
    held = f"{replay.compared} numbers and verdicts"
    if replay.same:
        return f"The same to the last digit: all {held} of the record came out again."
    count = len(replay.differences)
    many = "1 difference" if count == 1 else f"{count} differences"
    return f"{many} from the record, which holds {held}."


def explanation(replay: Replay) -> str:
    """Introduce the reasons, or say that there are none; empty where nothing needs one."""
    if replay.same:
        return "And that although these are not the same:" if replay.reasons else ""
    if replay.reasons:
        return "The numbers depend on these, which are not the same and may be the reason:"
    return (
        "Models, versions and device are the same as in the record. It may have been changed, or "
        "made on another processor."
    )


def row(difference: Difference) -> Row:
    """Put one difference into words."""
    quantity, unit = _QUANTITIES[difference.quantity]
    subject = _SUBJECTS.get(difference.subject, difference.subject.capitalize())
    return Row(
        what=", ".join(filter(None, (subject, plain(difference.detector), quantity))),
        recorded=_value(difference.quantity, difference.recorded),
        now=_value(difference.quantity, difference.now),
        change=_change(difference.change, unit),
    )


def reason(one: Reason) -> Row:
    """Put one reason into words, which has no ``change``."""
    named = {"model": f"Weights of {one.name}, SHA-256", "version": f"Version of {one.name}"}
    return Row(
        what=plain(named.get(one.kind, "Device")),
        recorded=_text(one.recorded),
        now=_text(one.now),
        change="",
    )


def _value(quantity: str, value: Value) -> str:
    if value is None:
        return "∞" if quantity == "psnr_db" else ABSENT
    if isinstance(value, bool):
        yes, no = ("fake", "real") if quantity.endswith("_fake") else ("yes", "no")
        return yes if value else no
    if isinstance(value, tuple):
        return ", ".join(repr(number) for number in value) or ABSENT
    return _text(value) if isinstance(value, str) else repr(value)


def _change(change: float | None, unit: str) -> str:
    if change is None:
        return ABSENT
    sign = "\u2212" if change < 0 else "+"
    return f"{sign}{abs(change):.3g} {unit}".rstrip()


def _text(text: str | None) -> str:
    """A text of the record; a digest by its first digits."""
    if text is None:
        return ABSENT
    return f"{text[:12]}…" if len(text) == 64 else plain(text, 80)
