"""Which detectors a study asks: the zoo's about all forgeries, or a set of its own for each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from demo.core.defences import Defence, defences
from demo.core.errors import SettingsError
from models.loading import LoadedDetector, detector_in_bfloat16, load_detector
from models.zoo import Zoo


def study_detectors(
    zoo: Zoo, cards: Sequence[tuple[str, Path]], forgeries: Sequence[str]
) -> tuple[LoadedDetector, ...]:
    """Load the detectors of a study.

    Args:
        zoo: whose detectors are asked about all forgeries where no card is given.
        cards: (forgery, card) of detectors that were each trained on one forgery, as the paper's
            were. The file of weights lies beside its card.
        forgeries: of the data.

    Returns:
        By name, and for each name in the order of the forgeries.

    Raises:
        SettingsError: a card is not there or is for a forgery that the data do not have, a forgery
            has no card, or two of one name.
        WeightsError: a card or its weights are refused.
    """
    if not cards:
        return tuple(zoo.detector(name) for name in zoo.detector_names)
    _check(cards, forgeries)
    names = [card.stem for _, card in cards]
    ordered = sorted(cards, key=lambda one: (names.index(one[1].stem), forgeries.index(one[0])))
    detectors = tuple(
        replace(load_detector(card, card.parent, zoo.device), trained_on=forgery)
        for forgery, card in ordered
    )
    if zoo.precision == "bfloat16":
        return tuple(detector_in_bfloat16(one) for one in detectors)
    return detectors


def study_defences(zoo: Zoo) -> tuple[Defence, ...]:
    """The defences that a study asks: all that ship.

    Raises:
        SettingsError: none ships.
    """
    asked = defences(zoo)
    if not asked:
        raise SettingsError(
            "Defences were asked for, but none ships here. Fetch the project's models/cards folder."
        )
    return asked


def full_name(detector: str, trained_on: str) -> str:
    """A detector's name, with the forgery that it was trained on alone, if any, in brackets."""
    return f"{detector} ({trained_on})" if trained_on else detector


def _check(cards: Sequence[tuple[str, Path]], forgeries: Sequence[str]) -> None:
    seen: set[tuple[str, str]] = set()
    for forgery, card in cards:
        if forgery not in forgeries:
            raise SettingsError(
                f"A detector was given for {forgery}, but the fakes of this study are of "
                f"{', '.join(forgeries)}. Name one of these, or add {forgery} to the forgeries."
            )
        if not card.is_file():
            raise SettingsError(
                f"A detector's card was expected in {card.name!r} for {forgery}, but there is no "
                "such file. Name the card, with its file of weights beside it."
            )
        if (forgery, card.stem) in seen:
            raise SettingsError(
                f"Two cards named {card.stem} were given for {forgery}, but a name stands for one "
                "detector. Leave one of them out."
            )
        seen.add((forgery, card.stem))
    for forgery in forgeries:
        if forgery not in {trained_on for trained_on, _ in cards}:
            raise SettingsError(
                f"A detector was expected for every forgery, but none is trained on {forgery}. "
                "Give its card too, or leave the forgery out."
            )
