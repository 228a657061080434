"""What the served page does for many visitors: those who leave, those who wait, the log, health."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from gradio_client import Client, handle_file  # type: ignore[import-untyped]
from gradio_client.exceptions import AppError  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from demo import __version__
from demo.ui.line import AT_ONCE, LONGEST
from tests.browser.driving import Picture, finished, png, set_slider
from tests.browser.serving import started
from tests.load.visitor import Page, Visitor
from tests.made_models import ModelFolders

pytestmark = pytest.mark.browser

SECONDS = 120.0
FRAME = {"k": 2, "method": "edsr", "kernel": "area", "scope": "frame"}


class Server(NamedTuple):
    """A server of this module's own, whose log can be read."""

    page: Page
    log: Path

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log's lines about an event."""
        entries = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [entry for entry in entries if entry["event"] == event]

    def line_after(self, count: int, event: str) -> dict[str, Any]:
        """The line about an event that comes after so many, as soon as it is there."""
        end = time.monotonic() + SECONDS
        while len(self.lines(event)) <= count and time.monotonic() < end:
            time.sleep(0.1)
        return self.lines(event)[count]

    def health(self) -> dict[str, Any]:
        """What ``/health`` says."""
        answer = httpx.get(f"{self.page.address}/health", timeout=SECONDS)
        assert answer.status_code == 200
        said: dict[str, Any] = answer.json()
        return said


@pytest.fixture(scope="module")
def server(
    flipping_models: ModelFolders, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    folders = ["--weights", str(flipping_models.weights), "--cards", str(flipping_models.cards)]
    with log.open("wb") as errors, started(["--device", "cpu", *folders], errors=errors) as made:
        yield Server(Page(made.address), log)


@pytest.fixture(scope="module")
def large(two_faces: Picture) -> bytes:
    return png(two_faces)


def analysed(server: Server, visitor: Visitor, content: bytes) -> None:
    """Puts a picture on a visitor's page, and waits for its result."""
    visitor.set({"picture": visitor.upload("face.png", content), "scope": "face"})
    visitor.do(server.page.event("picture", "change"))


def begin_analysis(server: Server, visitor: Visitor, content: bytes) -> int:
    visitor.set({"picture": visitor.upload("face.png", content), **FRAME})
    return server.page.event("picture", "change")


def begin_sweep(server: Server, visitor: Visitor, content: bytes) -> int:
    analysed(server, visitor, content)
    return server.page.event("run-sweep", "click")


def begin_sheet(server: Server, visitor: Visitor, content: bytes) -> int:
    analysed(server, visitor, content)
    return server.page.event("run-sheet", "click")


def begin_defences(server: Server, visitor: Visitor, content: bytes) -> int:
    analysed(server, visitor, content)
    return server.page.event("ask-defences", "click")


def begin_comparison(server: Server, visitor: Visitor, content: bytes) -> int:
    uploads = [visitor.upload(f"face-{number}.png", content) for number in range(3)]
    visitor.set({"compare-pictures": uploads})
    return server.page.after(server.page.event("compare-pictures", "change"))[0]


@contextmanager
def full_line(server: Server, content: bytes) -> Iterator[None]:
    """As many visitors as the server takes, with much to do, for the length of a block."""
    crowd = [Visitor(server.page) for _ in range(AT_ONCE + LONGEST)]
    with ThreadPoolExecutor(len(crowd)) as pool:
        for visitor in crowd:
            pool.submit(visitor.do, begin_analysis(server, visitor, content))
        try:
            end = time.monotonic() + SECONDS
            while server.health()["waiting"] < LONGEST:
                assert time.monotonic() < end
                time.sleep(0.05)
            yield
        finally:
            for visitor in crowd:
                visitor.stop()


@pytest.mark.parametrize(
    ("event", "begin"),
    [
        ("analyse", begin_analysis),
        ("sweep", begin_sweep),
        ("sheet", begin_sheet),
        ("defences", begin_defences),
        ("compare", begin_comparison),
    ],
)
def test_when_a_visitor_leaves_the_work_ends_before_its_end(
    server: Server, large: bytes, event: str, begin: Any
) -> None:
    with Visitor(server.page) as visitor:
        begun = begin(server, visitor, large)
        before = len(server.lines(event))
        visitor.leave(begun, 2)
    line = server.line_after(before, event)
    assert line["outcome"] == "left"
    assert not {"Done", "Showing the result", "Drawing the sheet"} & set(line["stages"])
    assert server.health()["running"] == 0


def test_an_analysis_leaves_one_line_with_nothing_about_its_visitor(
    server: Server, astronaut: Picture
) -> None:
    before = server.log.read_text()
    with Visitor(server.page) as visitor:
        visitor.set({"picture": visitor.upload("alice.png", png(astronaut)), "k": 3})
        visitor.do(server.page.event("picture", "change"))
        words = ["alice", "127.0.0.1", "localhost", "/tmp", visitor.session]
    (written,) = server.log.read_text().removeprefix(before).splitlines()
    line = json.loads(written)
    assert (line["event"], line["outcome"], line["faces"]) == ("analyse", "done", 1)
    assert (line["width"], line["height"], line["k"], line["method"]) == (512, 512, 3.0, "edsr")
    assert {"Finding faces", "Round trip", "Asking the detectors"} <= set(line["stages"])
    assert not any(word in written for word in words)


def test_what_gradio_refuses_leaves_no_trace_in_the_log(server: Server, astronaut: Picture) -> None:
    with Visitor(server.page) as visitor:
        upload = visitor.upload("face.png", png(astronaut))
        before = server.log.read_text()
        with pytest.raises(RuntimeError, match="alice"):
            visitor.do(server.page.program("analyse"), [upload, 2, "alice", "area", "face", 1])
        with pytest.raises(RuntimeError, match="Something went wrong"):
            visitor.do(server.page.program("analyse"), [upload, 2, "edsr", "area", "face", "alice"])
    written = server.log.read_text().removeprefix(before)
    assert "alice" not in written
    assert all(json.loads(line)["outcome"] == "failed" for line in written.splitlines())


def test_health_says_what_the_server_has_and_does(server: Server) -> None:
    with Visitor(server.page) as visitor:
        analysed(server, visitor, b"")
    said = server.health()
    assert said.pop("loaded")
    assert said == {
        "status": "ok",
        "version": __version__,
        "device": "cpu",
        "refused": [],
        "running": 0,
        "waiting": 0,
    }


def test_behind_a_full_line_a_visitor_reads_that_the_server_is_busy_and_tries_again(
    server: Server, browser: Browser, large: bytes, astronaut: Picture, tmp_path: Path
) -> None:
    file = tmp_path / "face.png"
    file.write_bytes(png(astronaut))
    program = Client(server.page.address, verbose=False, download_files=str(tmp_path))
    page = browser.new_page()
    page.goto(server.page.address)
    finished(page, "K = 2")
    with full_line(server, large):
        set_slider(page, "k", 3)
        expect(page.locator("#problem")).to_contain_text("The server is busy: 16 others wait")
        expect(page.locator("#verdict")).to_be_empty()
        with pytest.raises(AppError, match="The server is busy"):
            program.predict(picture=handle_file(file), api_name="/analyse")
        assert server.health()["running"] == AT_ONCE
    page.get_by_role("button", name="Try again").click()
    finished(page, "K = 3")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    page.close()


def test_when_gradios_own_queue_is_full_the_page_says_busy_too(
    browser: Browser, server: Server
) -> None:
    page = browser.new_page()
    page.goto(server.page.address)
    finished(page, "K = 2")
    page.route(
        "**/queue/join*",
        lambda route: route.fulfill(status=503, json={"detail": "Queue is full."}),
    )
    set_slider(page, "k", 3)
    expect(
        page.get_by_text("currently busy").or_(page.get_by_text("Queue is full")).first
    ).to_be_visible()
    page.close()
