"""The real page, served by the real program with made-up weights, in a real browser."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pytest
import skimage
from gradio_client import Client  # type: ignore[import-untyped]
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from models.zoo import Zoo
from tests.browser.driving import CHROMIUM_FLAGS, PATIENCE, chromium, finished, png
from tests.browser.serving import served
from tests.made_models import ModelFolders
from tests.made_studies import make_faces, make_study

expect.set_options(timeout=30_000)

HOSTILE = (
    "<script>document.body.textContent = 'A script ran.'</script>"
    '<img src="https://example.org/picture.png" alt="From another host">'
)


class StudyFolders(NamedTuple):
    """What the served page's operator gives its Study tab."""

    data: Path
    shelf: Path


@pytest.fixture(scope="session")
def flipping_models(
    defended_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory
) -> ModelFolders:
    """Made-up networks, with a threshold that the astronaut's attacked face crosses at K = 4.

    Only ResNet50's card differs; the verdict of the others stays what it is.
    """
    cards = tmp_path_factory.mktemp("flipping")
    for card in defended_models.cards.iterdir():
        shutil.copy(card, cards / card.name)
    zoo = Zoo("cpu", folder=defended_models.weights, cards=defended_models.cards)
    toolbox = Toolbox(zoo, FaceDetector())
    score = analyse(skimage.data.astronaut(), Settings(k=4.0), toolbox).results[0].scores[0]
    path = cards / f"{score.detector}.json"
    card_text = json.loads(path.read_text())
    card_text["threshold"] = (score.clean + score.attacked) / 2
    path.write_text(json.dumps(card_text))
    return ModelFolders(weights=defended_models.weights, cards=cards)


@pytest.fixture(scope="session")
def toolbox(flipping_models: ModelFolders) -> Toolbox:
    """The same models as the served page's, for comparing numbers."""
    zoo = Zoo("cpu", folder=flipping_models.weights, cards=flipping_models.cards)
    return Toolbox(zoo, FaceDetector())


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> StudyFolders:
    """Data for a study, and a shelf with a finished one that also holds what must not run."""
    root = tmp_path_factory.mktemp("studies")
    report = make_study(root / "shelf" / "small", "Made-up faces") / "report.html"
    with report.open("a", encoding="utf-8") as page:
        page.write(HOSTILE)
    return StudyFolders(make_faces(root / "faces"), root / "shelf")


@pytest.fixture(scope="session")
def address(flipping_models: ModelFolders, studies: StudyFolders) -> Iterator[str]:
    """Where the page is served: ``python app.py`` in a process of its own, on a free port."""
    folders = ["--weights", str(flipping_models.weights), "--cards", str(flipping_models.cards)]
    folders += ["--study-data", f"crops={studies.data}", "--study-out", str(studies.shelf)]
    with served(["--device", "cpu", *folders]) as url:
        yield url


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    """A program that asks the served page."""
    with tempfile.TemporaryDirectory() as folder:
        program = Client(address, verbose=False, download_files=folder)
        yield program
        program.close()


@pytest.fixture
def picture_file(astronaut: npt.NDArray[np.uint8], tmp_path: Path) -> Path:
    """The astronaut as a file."""
    path = tmp_path / "face.png"
    path.write_bytes(png(astronaut))
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium with a camera that shows a test pattern."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """One visitor; fails the test when a request leaves for another host."""
    visitor = browser.new_context(
        viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    visitor.set_default_timeout(PATIENCE)
    strangers: list[str] = []
    own = urlsplit(address).netloc

    def watch(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != own:
            strangers.append(url)

    def refused(request: Request) -> None:
        # What a page's own policy forbids never leaves the browser.
        if request.failure == "csp":
            strangers.remove(request.url)

    visitor.on("request", lambda request: watch(request.url))
    visitor.on("requestfailed", refused)
    yield visitor
    visitor.close()
    assert not strangers, "The page asked other hosts."


@pytest.fixture
def page(context: BrowserContext, address: str) -> Page:
    """The page as a new visitor finds it, once the example is shown."""
    opened = context.new_page()
    opened.goto(address)
    finished(opened, "K = 2")
    return opened


@pytest.fixture(scope="session")
def two_faces() -> npt.NDArray[np.uint8]:
    """The astronaut beside a smaller mirror image of herself, wide and of odd size."""
    astronaut = skimage.data.astronaut()
    picture = np.full((511, 901, 3), 96, np.uint8)
    picture[:, :512] = astronaut[:511]
    picture[100:484, 515:899] = astronaut[::, ::-1][
        np.linspace(0, 511, 384).astype(int)[:, None], np.linspace(0, 511, 384).astype(int)
    ]
    return picture
