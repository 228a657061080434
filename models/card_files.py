"""Cards as files: `models/cards/<name>.json` mirrors a card's dataclass field by field."""

import dataclasses
import json
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from models.cards import (
    DEFENCE_NAMES,
    DETECTOR_NAMES,
    SUPER_RESOLUTION_NAMES,
    DetectorCard,
    SuperResolutionCard,
)
from models.errors import WeightsError
from models.json_records import record_from_json

CARDS_FOLDER = Path(__file__).parent / "cards"


class NamedRecord(Protocol):
    """Any of the cards' dataclasses, those in other files too: a record that has a name."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def name(self) -> str:
        """The stem of its file."""


Card = DetectorCard | SuperResolutionCard
SomeCard = TypeVar("SomeCard", bound=NamedRecord)


def read_detector_card(path: Path) -> DetectorCard:
    """Read and check a detector's card.

    Raises:
        WeightsError: It is missing, not JSON, or a field is missing, unknown or impossible;
            the message names the card by the file's stem and the field by its place.
    """
    return read_card(path, DetectorCard)


def read_super_resolution_card(path: Path) -> SuperResolutionCard:
    """Read and check a super-resolution network's card; errors as `read_detector_card`."""
    return read_card(path, SuperResolutionCard)


def read_card(path: Path, kind: type[SomeCard]) -> SomeCard:
    """Read and check a card of one kind; errors as `read_detector_card`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WeightsError(
            f"The card of {path.stem} is missing: restore the project's models/cards folder."
        ) from None
    except (OSError, UnicodeDecodeError):
        raise WeightsError(
            f"The card of {path.stem} cannot be read as text: "
            "restore the project's models/cards folder."
        ) from None
    return _parse(text, path.stem, kind)


def write_card(card: NamedRecord, path: Path) -> None:
    """Write a card as JSON that reads back equal, whole or not at all.

    Args:
        card: What is written.
        path: Its stem must be the card's name.

    Raises:
        WeightsError: The file is named otherwise, or the card would not read back.
    """
    if path.stem != card.name:
        raise WeightsError(
            f"The card of {card.name} must be named after it, found the name {path.stem}: "
            "write it under its own name."
        )
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False) + "\n"
    _parse(text, card.name, type(card))
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def shipped_cards(folder: Path = CARDS_FOLDER) -> tuple[Card, ...]:
    """Every card in `folder`: EDSR, detectors, defences, round trip; absent ones are left out.

    Raises:
        WeightsError: As `read_detector_card`.
    """
    edsr = (folder / f"{name}.json" for name in SUPER_RESOLUTION_NAMES)
    detectors = (folder / f"{name}.json" for name in (*DETECTOR_NAMES, *DEFENCE_NAMES))
    return (
        *(read_super_resolution_card(path) for path in edsr if path.is_file()),
        *(read_detector_card(path) for path in detectors if path.is_file()),
    )


def _parse(text: str, name: str, kind: type[SomeCard]) -> SomeCard:
    try:
        card = record_from_json(json.loads(text), kind)
    except (json.JSONDecodeError, RecursionError):
        raise WeightsError(
            f"The card of {name} is not JSON: restore the project's models/cards folder."
        ) from None
    except ValueError as problem:
        raise WeightsError(
            f"The card of {name} is refused, {problem}: correct it, or restore the project's "
            "models/cards folder."
        ) from None
    if card.name != name:
        raise WeightsError(
            f"The card of {name} describes {card.name}: expected each card under its own name, "
            "restore the project's models/cards folder."
        )
    return card
