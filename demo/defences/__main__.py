"""`python -m demo.defences`: train, choose and measure the defences against the round trip."""

import argparse

from demo.defences.round_trip_shipping import (
    add_round_trip_arguments,
    add_round_trip_figures_arguments,
    run_round_trip,
    run_round_trip_figures,
)


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m demo.defences", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    round_trip = commands.add_parser("round-trip", help="train what sees a round trip")
    add_round_trip_arguments(round_trip)
    round_trip_figures = commands.add_parser(
        "round-trip-figures", help="measure it on the test split, for its card"
    )
    add_round_trip_figures_arguments(round_trip_figures)
    arguments = parser.parse_args()
    run = {
        "round-trip": run_round_trip,
        "round-trip-figures": run_round_trip_figures,
    }
    run[arguments.command](arguments)


if __name__ == "__main__":
    main()
