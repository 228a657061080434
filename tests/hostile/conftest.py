"""The real server with made-up weights, for visitors who mean it no good."""

from collections.abc import Iterator

import pytest

from tests.browser.serving import served
from tests.hostile.calls import Ground, ground
from tests.made_models import ModelFolders


@pytest.fixture(scope="session")
def address(random_models: ModelFolders) -> Iterator[str]:
    """Where ``python app.py`` serves the page, in a process of its own."""
    folders = ["--weights", str(random_models.weights), "--cards", str(random_models.cards)]
    with served(["--device", "cpu", *folders]) as url:
        yield url


@pytest.fixture(scope="session")
def where(address: str) -> Iterator[Ground]:
    """What a call may aim at."""
    with ground(address) as aims:
        yield aims
