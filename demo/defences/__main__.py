"""`python -m demo.defences`: train, choose and measure the defences against the round trip."""

import argparse

from demo.defences.small_figures import add_small_figures_arguments, run_small_figures


def main() -> None:
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m demo.defences", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    small_figures = commands.add_parser(
        "small-figures", help="measure the small networks after the round trip, for their cards"
    )
    add_small_figures_arguments(small_figures)
    arguments = parser.parse_args()
    run = {"small-figures": run_small_figures}
    run[arguments.command](arguments)


if __name__ == "__main__":
    main()
