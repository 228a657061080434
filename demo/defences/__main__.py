"""`python -m demo.defences`: train, choose and measure the defences against the round trip."""

import argparse

from demo.defences.policy_command import (
    add_policy_arguments,
    add_policy_figures_arguments,
    run_policy,
    run_policy_figures,
)
from demo.defences.robust_command import (
    add_robust_arguments,
    add_ship_robust_arguments,
    run_robust,
    run_ship_robust,
)
from demo.defences.round_trip_shipping import (
    add_round_trip_arguments,
    add_round_trip_figures_arguments,
    run_round_trip,
    run_round_trip_figures,
)
from demo.defences.small_figures import add_small_figures_arguments, run_small_figures


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m demo.defences", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    robust = commands.add_parser("robust", help="train a detector on with the round trip")
    add_robust_arguments(robust)
    ship_robust = commands.add_parser("ship-robust", help="store and measure it, write its card")
    add_ship_robust_arguments(ship_robust)
    policy = commands.add_parser("policy", help="train a policy that changes crops, and store it")
    add_policy_arguments(policy)
    policy_figures = commands.add_parser(
        "policy-figures", help="measure the policies beside single actions"
    )
    add_policy_figures_arguments(policy_figures)
    small_figures = commands.add_parser(
        "small-figures", help="measure the small networks after the round trip, for their cards"
    )
    add_small_figures_arguments(small_figures)
    round_trip = commands.add_parser("round-trip", help="train what sees a round trip")
    add_round_trip_arguments(round_trip)
    round_trip_figures = commands.add_parser(
        "round-trip-figures", help="measure it on the test split, for its card"
    )
    add_round_trip_figures_arguments(round_trip_figures)
    arguments = parser.parse_args()
    run = {
        "robust": run_robust,
        "ship-robust": run_ship_robust,
        "policy": run_policy,
        "policy-figures": run_policy_figures,
        "small-figures": run_small_figures,
        "round-trip": run_round_trip,
        "round-trip-figures": run_round_trip_figures,
    }
    run[arguments.command](arguments)


if __name__ == "__main__":
    main()
