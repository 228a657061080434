"""`python -m demo.defences`: train the defences against the round trip, and measure them."""

import argparse

from demo.defences.policy_command import (
    add_policy_arguments,
    add_policy_figures_arguments,
    run_policy,
    run_policy_figures,
)


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m demo.defences", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    policy = commands.add_parser("policy", help="train a policy that changes crops, and store it")
    add_policy_arguments(policy)
    policy_figures = commands.add_parser(
        "policy-figures", help="measure the policies beside single actions"
    )
    add_policy_figures_arguments(policy_figures)
    arguments = parser.parse_args()
    run = {"policy": run_policy, "policy-figures": run_policy_figures}
    run[arguments.command](arguments)


if __name__ == "__main__":
    main()
