"""Benchmarks measure with the tests' own pictures and networks, and end in one table."""

import pytest

from benchmarks.table import Figure, Say, markdown
from demo.core.allocator import keep_large_buffers
from demo.core.analysis import Toolbox, make_toolbox
from tests.conftest import astronaut as astronaut
from tests.conftest import random_models as random_models
from tests.conftest import random_zoo as random_zoo

FIGURES = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin as the programs do, with an empty table."""
    keep_large_buffers()
    config.stash[FIGURES] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table."""
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.write_line("\n" + markdown(figures))


@pytest.fixture
def say(pytestconfig: pytest.Config) -> Say:
    """Adds a line to the table."""
    return lambda *words: pytestconfig.stash[FIGURES].append(Figure(*words))


@pytest.fixture(scope="session")
def toolbox() -> Toolbox:
    """The networks that ship, on the CPU, loaded."""
    toolbox = make_toolbox("cpu")
    toolbox.zoo.detectors()
    toolbox.zoo.round_trip_detector()
    for scale in (2, 3, 4):
        toolbox.zoo.super_resolution(scale)
    return toolbox
