"""A record's file → what it says, checked: it may come from anybody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from demo.core.errors import RecordError, SettingsError
from demo.core.faces import Box
from demo.core.record import FORMAT
from demo.core.settings import HandBox, Settings
from models.json_records import record_from_json

MAX_BYTES: Final = 4 * 2**20
OLD_FORMAT: Final = 1
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True)
class RecordedSettings:
    """``Settings`` as a record holds them: the face counted from 1, None where taken by hand."""

    k: float
    method: str
    kernel: str
    scope: str
    face: int | None
    box: HandBox | None
    whole: bool

    def settings(self) -> Settings:
        """Return the settings that the record was made under.

        Raises:
            SettingsError: they cannot be carried out.
        """
        if (self.face is None) != (self.box is not None or self.whole):
            raise SettingsError(
                "Either the number of a face, a box or the whole picture was expected. "
                "Choose one of them."
            )
        face = 0 if self.face is None else self.face - 1
        return Settings(self.k, self.method, self.kernel, self.scope, face, self.box, self.whole)


@dataclass(frozen=True)
class RecordedPicture:
    """A picture's size in px and ``images.digest``."""

    width: int
    height: int
    sha256: str

    def __post_init__(self) -> None:
        _check_digest(self.sha256)


@dataclass(frozen=True)
class RecordedFace:
    """``faces.Face`` with its number, counted from 1."""

    number: int
    box: Box
    source: str
    probability: float | None
    landmarks: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class RecordedQuality:
    """``quality.Quality``; ``psnr_db`` is None where the crops are ``identical``."""

    ssim: float
    psnr_db: float | None
    identical: bool
    mean_difference: float
    max_difference: int


@dataclass(frozen=True)
class RecordedScore:
    """``scoring.DetectorScore`` with its verdicts."""

    detector: str
    title: str
    threshold: float
    clean: float
    attacked: float
    clean_logit: float
    attacked_logit: float
    clean_fake: bool
    attacked_fake: bool
    flipped: bool


@dataclass(frozen=True)
class RecordedOpinion:
    """``round_trip_detection.RoundTripOpinion`` with whether it fired."""

    probability: float
    threshold: float
    fired: bool
    k: float


@dataclass(frozen=True)
class RecordedVerdict:
    """``round_trip_detection.RoundTripVerdict``."""

    linear: RecordedOpinion
    network: RecordedOpinion


@dataclass(frozen=True)
class RecordedRoundTrips:
    """What was seen of a round trip in either crop; None where nothing could be said."""

    clean: RecordedVerdict | None
    attacked: RecordedVerdict | None


@dataclass(frozen=True)
class RecordedResult:
    """``analysis.FaceResult``; ``face`` is the number of a found face, None for one by hand.

    ``round_trip`` is None in a record from before round trips were looked for.
    """

    face: int | None
    source: str
    face_box: Box
    crop_box: Box
    quality: RecordedQuality
    scores: tuple[RecordedScore, ...]
    round_trip: RecordedRoundTrips | None


@dataclass(frozen=True)
class RecordedModel:
    """A network that took part, and the sha256 of its weights file."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        _check_digest(self.sha256)


@dataclass(frozen=True)
class Recorded:
    """The record of an analysis, field by field as ``record.record`` writes it."""

    format: int
    settings: RecordedSettings
    picture: RecordedPicture
    attacked: RecordedPicture
    faces: tuple[RecordedFace, ...]
    models: tuple[RecordedModel, ...]
    results: tuple[RecordedResult, ...]
    device: str
    problems: tuple[str, ...]
    versions: dict[str, str]


def read_record(source: bytes | Path) -> Recorded:
    """Read the record of an analysis and check all of it.

    Args:
        source: the file's content, or the file: JSON in UTF-8, UTF-16 or UTF-32, of at most
            ``MAX_BYTES`` bytes.

    Returns:
        What it says; its settings can be carried out.

    Raises:
        RecordError: anything else came. The message is a sentence or two and names no file.
    """
    content = source if isinstance(source, bytes) else _content(source)
    if len(content) > MAX_BYTES:
        raise RecordError(
            f"A record of at most {MAX_BYTES // 2**20} MB was expected, but this file is larger. "
            "Choose a record.json as it was written."
        )
    return check_record(_parsed(content))


def check_record(said: object) -> Recorded:
    """Check a record that has been parsed already; returns and raises as ``read_record``."""
    _check_kind(said)
    try:
        recorded = record_from_json(_as_now(said), Recorded)
        recorded.settings.settings()
    except SettingsError as refused:
        raise RecordError(f"The record's settings cannot be used. {plain(str(refused))}") from None
    except ValueError as refused:
        raise RecordError(
            f"This record was changed or is damaged: {plain(str(refused))}. Choose it as it was "
            "written."
        ) from None
    return recorded


def plain(text: str, longest: int = 200) -> str:
    """Return a text of unknown origin for showing: on one line, printable, cut to a length."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text[:longest])
    return shown if len(text) <= longest else f"{shown}…"


def _content(path: Path) -> bytes:
    try:
        # A pipe or a device would never end: only plain files are opened.
        if path.is_file():
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        raise RecordError(
            "A record was expected, but its file cannot be read. Check that it may be opened."
        ) from None
    raise RecordError(
        "The file of a record was expected, but there is none at this place. Choose a record.json."
    )


def _parsed(content: bytes) -> object:
    try:
        said: object = json.loads(content, parse_constant=_refuse, parse_int=_whole_number)
        # Half a surrogate pair is no text that could be shown.
        json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RecordError(
            "A record was expected, a JSON file, but something else came. Choose a record.json "
            "that the page or the command line wrote."
        ) from None
    return said


def _as_now(said: object) -> object:
    """A record of the old format with the one field that it did not have, empty."""
    if not isinstance(said, dict) or said["format"] != OLD_FORMAT:
        return said
    results = said["results"]
    if not isinstance(results, list):
        return said
    added: dict[str, object] = {"round_trip": None}
    return said | {"results": [added | one if isinstance(one, dict) else one for one in results]}


def _check_kind(said: object) -> None:
    if not isinstance(said, dict) or "format" not in said or "settings" not in said:
        raise RecordError(
            "The record of an analysis was expected, but this JSON is something else. Choose a "
            "record.json that the page or the command line wrote."
        )
    if type(said["format"]) is not int or said["format"] not in (OLD_FORMAT, FORMAT):
        raise RecordError(
            f"A record of format {OLD_FORMAT} or {FORMAT} was expected, but this one has another. "
            "Use the version of this program that wrote it."
        )
    if "results" not in said:
        raise RecordError(
            "The record of an analysis was expected, but this one is of an attack alone and holds "
            "no scores to compare. Analyse the picture and keep that record."
        )


def _check_digest(sha256: str) -> None:
    if not _DIGEST.fullmatch(sha256):
        raise ValueError("expected a SHA-256 of 64 hexadecimal digits, found another text")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _whole_number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError("too long a number")
    return int(digits)
