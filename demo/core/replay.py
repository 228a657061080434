"""A record and the analysis made again → what differs, by how much, and what may be the reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Literal

from demo.core.analysis import Analysis
from demo.core.errors import RecordError
from demo.core.images import Picture, digest
from demo.core.record import record_json
from demo.core.record_reading import Recorded, RecordedRoundTrips, check_record
from models.round_trip_card import ROUND_TRIP_NAME

Value = bool | int | float | str | tuple[float, ...] | None
Kind = Literal["model", "version", "device"]
Whose = tuple[str, str]
Readings = dict[Whose, dict[str, Value]]


@dataclass(frozen=True)
class Difference:
    """One number that is not the same; a tuple holds px.

    Attributes:
        subject: what it is about: "picture", "attacked" (the attacked picture), "face 1" and so
            on, "hand" (a face marked by hand) or "whole" (the whole picture as the face).
        detector: whose it is, by the name on the card; "" where it is no detector's. What was seen
            of a round trip is that of "round_trip, linear" and "round_trip, network".
        quantity: the record's own name of the field; "found_by" and "found_box" are those of the
            faces found, and "known" is whether there is anything at all about this subject and
            detector.
        recorded: as the record says.
        now: as it came out again.
    """

    subject: str
    detector: str
    quantity: str
    recorded: Value
    now: Value

    @property
    def change(self) -> float | None:
        """By how much: now minus recorded, for px the largest change; None where no number is."""
        before, after = self.recorded, self.now
        if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
            changes = (new - old for old, new in zip(before, after, strict=True))
            return max(changes, key=abs, default=0.0)
        if isinstance(before, bool | str | tuple) or isinstance(after, bool | str | tuple):
            return None
        return None if before is None or after is None else after - before


@dataclass(frozen=True)
class Reason:
    """What numbers depend on and is not the same; None where one side knows nothing of it."""

    kind: Kind
    name: str
    recorded: str | None
    now: str | None


@dataclass(frozen=True)
class Replay:
    """What came of repeating a recorded analysis.

    Attributes:
        compared: how many numbers, verdicts and digests the record holds.
        differences: those that are not the same to the last digit, in the record's order.
        reasons: everything they depend on that is not the same.
    """

    compared: int
    differences: tuple[Difference, ...]
    reasons: tuple[Reason, ...]

    @property
    def same(self) -> bool:
        """Whether everything that the record holds came out again, to the last digit."""
        return not self.differences


def check_is_of(recorded: Recorded, picture: Picture) -> None:
    """Refuse a picture, uint8 RGB H×W×3, that is not the one that was analysed.

    Raises:
        RecordError: the sentence says what it is instead, as far as that is known.
    """
    height, width = picture.shape[:2]
    came, wanted = digest(picture), recorded.picture
    if came == wanted.sha256:
        return
    if came == recorded.attacked.sha256:
        raise RecordError(
            "This is the attacked picture of this record, and the clean one was expected. Choose "
            "the picture that was analysed."
        )
    raise RecordError(
        f"The record is of another picture: of {wanted.width}×{wanted.height} px with SHA-256 "
        f"{wanted.sha256[:12]}…, and this one has {width}×{height} px and {came[:12]}…. Nothing "
        "was compared. Choose the very file that was analysed: a copy saved again or scaled has "
        "other pixels."
    )


def compare(recorded: Recorded, analysis: Analysis) -> Replay:
    """Compare every number of a record with an analysis of the same picture and settings.

    A detector of which the record holds nothing makes no difference; it is among the reasons.

    Raises:
        RecordError: the analysis is of another picture or under other settings.
    """
    check_is_of(recorded, analysis.picture)
    again = check_record(json.loads(record_json(analysis)))
    if again.settings != recorded.settings:
        raise RecordError(
            "An analysis under the record's settings was expected, but other settings came. "
            "Repeat it under those of the record."
        )
    before, now = _readings(recorded), _readings(again)
    return Replay(
        compared=sum(map(len, before.values())),
        differences=tuple(_differences(before, now)),
        reasons=tuple(_reasons(recorded, again)),
    )


def _differences(before: Readings, now: Readings) -> Iterator[Difference]:
    for subject, detector in dict.fromkeys(chain(before, now)):
        old, new = before.get((subject, detector)), now.get((subject, detector))
        if old is not None and new is not None:
            for quantity in dict.fromkeys(chain(old, new)):
                recorded, came = old.get(quantity), new.get(quantity)
                if recorded != came:
                    yield Difference(subject, detector, quantity, recorded, came)
        elif old is not None or not detector:
            yield Difference(subject, detector, "known", old is not None, new is not None)


def _readings(recorded: Recorded) -> Readings:
    """Everything of a record that must come out again, by what and whose it is."""
    readings: Readings = {
        ("picture", ""): {"faces": len(recorded.faces)},
        ("attacked", ""): {"sha256": recorded.attacked.sha256},
    }
    for face in recorded.faces:
        readings[f"face {face.number}", ""] = {
            "found_by": face.source,
            "found_box": face.box,
            "probability": face.probability,
            "landmarks": tuple(chain.from_iterable(face.landmarks)),
        }
    for result in recorded.results:
        by_hand = "whole" if result.source == "picture" else "hand"
        subject = by_hand if result.face is None else f"face {result.face}"
        about = readings.setdefault((subject, ""), {})
        about |= {"source": result.source}
        about |= {"face_box": result.face_box, "crop_box": result.crop_box}
        about |= asdict(result.quality)
        for score in result.scores:
            numbers = asdict(score)
            del numbers["detector"], numbers["title"]
            readings[subject, score.detector] = numbers
        readings |= _round_trips(subject, result.round_trip)
    return readings


def _round_trips(subject: str, seen: RecordedRoundTrips | None) -> Readings:
    """What each model said of either crop; nothing where a record is older than these models."""
    if seen is None:
        return {}
    readings: Readings = {}
    for when, verdict in (("clean", seen.clean), ("attacked", seen.attacked)):
        if verdict is not None:
            for model, opinion in (("linear", verdict.linear), ("network", verdict.network)):
                numbers = readings.setdefault((subject, f"{ROUND_TRIP_NAME}, {model}"), {})
                numbers[f"{when}_threshold"] = opinion.threshold
                numbers[f"{when}_round_trip"] = opinion.probability
                numbers[f"{when}_fired"] = opinion.fired
                numbers[f"{when}_k"] = opinion.k
    return readings


def _reasons(recorded: Recorded, again: Recorded) -> Iterator[Reason]:
    yield from _unlike(
        "model",
        {model.name: model.sha256 for model in recorded.models},
        {model.name: model.sha256 for model in again.models},
    )
    yield from _unlike("version", recorded.versions, again.versions)
    yield from _unlike("device", {"device": recorded.device}, {"device": again.device})


def _unlike(kind: Kind, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Reason]:
    for name in dict.fromkeys(chain(before, now)):
        if before.get(name) != now.get(name):
            yield Reason(kind, name, before.get(name), now.get(name))
