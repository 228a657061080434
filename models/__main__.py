"""What ships: `python -m models` prints every card's figures, `… verify` checks every file."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from models.card_files import CARDS_FOLDER, Card, shipped_cards
from models.cards import DEFENCE_NAMES, Figure
from models.errors import WeightsError
from models.names import SHIPPED_NAMES
from models.policy_card import POLICY_NAMES, PolicyCard, shipped_policy_cards
from models.round_trip_card import RoundTripCard, shipped_round_trip_cards
from models.zoo import SCALES, Zoo

AnyCard = Card | PolicyCard | RoundTripCard


def every_card(folder: Path = CARDS_FOLDER) -> tuple[AnyCard, ...]:
    """Every card in `folder`: networks, policies, the round-trip detector; absent ones left out.

    Raises:
        WeightsError: As `card_files.read_detector_card`.
    """
    return (
        *shipped_cards(folder),
        *shipped_policy_cards(folder),
        *shipped_round_trip_cards(folder),
    )


def figures_table(cards: tuple[AnyCard, ...]) -> str:
    """The cards' figures as a Markdown table, one row a figure, 95 % intervals where known."""
    rows = [
        "| network | figure | value | 95 % interval | measured on | condition |",
        "| --- | --- | ---: | ---: | --- | --- |",
    ]
    for card in cards:
        rows += [f"| {card.title} | {_cells(figure)} |" for figure in card.figures]
    return "\n".join(rows)


def verify(zoo: Zoo) -> dict[str, str]:
    """Load every network; name of each that is refused, with its sentence."""
    for scale in SCALES:
        with suppress(WeightsError):
            zoo.super_resolution(scale)
    zoo.detectors()
    for name in DEFENCE_NAMES:
        with suppress(WeightsError):
            zoo.defence(name)
    for policy in POLICY_NAMES:
        with suppress(WeightsError):
            zoo.policy(policy)
    with suppress(WeightsError):
        zoo.round_trip_detector()
    return zoo.problems()


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 on success, 2 when something shipped is refused."""
    parser = argparse.ArgumentParser(prog="python -m models", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["figures", "verify"], default="figures")
    try:
        if parser.parse_args(arguments).command == "figures":
            print(figures_table(every_card()))
            return 0
        problems = verify(Zoo("cpu"))
    except WeightsError as problem:
        print(problem, file=sys.stderr)
        return 2
    for name in SHIPPED_NAMES:
        print(f"{name}: {problems.get(name, 'as its card says')}")
    return 2 if problems else 0


def _cells(figure: Figure) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    interval = "–" if figure.low is None else f"{figure.low:.4g} to {figure.high:.4g}{unit}"
    text = (figure.name, f"{figure.value:.4g}{unit}", interval, figure.of, figure.condition)
    return " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in text)


if __name__ == "__main__":
    sys.exit(main())
