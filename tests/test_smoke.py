"""Once through the whole: every module, the program as it is started, the networks that ship."""

import importlib
import pkgutil
from pathlib import Path

from gradio_client import Client, handle_file  # type: ignore[import-untyped]

import demo
import models
from models.cards import DETECTOR_NAMES
from tests.browser.serving import served

ROOT = Path(__file__).parents[1]


def test_every_module_can_be_imported() -> None:
    for package in (models, demo):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def test_the_program_serves_its_page_and_analyses_with_what_ships() -> None:
    with served(["--device", "cpu"]) as address:
        client = Client(address, verbose=False, download_files=False)
        try:
            face = handle_file(ROOT / "assets" / "examples" / "astronaut.png")
            record = client.predict(picture=face, api_name="/analyse")[0]
        finally:
            client.close()
    (result,) = record["results"]
    assert [score["detector"] for score in result["scores"]] == list(DETECTOR_NAMES)
    assert client.config["title"] == "Super-resolution round trip"
