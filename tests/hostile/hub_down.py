"""The page without a hub, in five ways: ``python -m tests.hostile.hub_down``.

Prints for each how long the page and its first analysis took; ends with status 1 where the page
was late or wrong. One detector's file is taken away and its card names a repository on the hub,
so that the hub is really asked for it.
"""

import dataclasses
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from demo.examples import EXAMPLES
from models.card_files import CARDS_FOLDER, read_detector_card, write_card
from models.weights import WEIGHTS_FOLDER
from tests.browser.serving import started
from tests.hostile.visiting import Visitor, picture
from tests.made_models import ModelFolders

MOST_SECONDS: Final = 20.0
MISSING: Final = "swin_small"


@contextmanager
def unknown() -> Iterator[str]:
    """A hub whose name nobody knows."""
    yield "http://hub.invalid"


@contextmanager
def refusing() -> Iterator[str]:
    """A hub where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def silent() -> Iterator[str]:
    """A hub that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A hub that answers everything in the same way."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


STATES: Final[Mapping[str, Callable[[], AbstractContextManager[str]]]] = {
    "no such name": unknown,
    "refused": refusing,
    "silent": silent,
    "error 503": partial(answering, 503, b"Service Unavailable"),
    "a web page": partial(answering, 200, b"<!doctype html><title>Sign in</title>"),
}


def without_one(root: Path) -> ModelFolders:
    """The shipped models less one detector, whose card says where on the hub it is."""
    folders = ModelFolders(root / "weights", root / "cards")
    folders.weights.mkdir()
    for file in WEIGHTS_FOLDER.glob("*.safetensors"):
        if file.stem != MISSING:
            (folders.weights / file.name).symlink_to(file)
    shutil.copytree(CARDS_FOLDER, folders.cards)
    path = folders.cards / f"{MISSING}.json"
    card = read_detector_card(path)
    on_hub = dataclasses.replace(card.weights, hub="someone/weights")
    write_card(dataclasses.replace(card, weights=on_hub), path)
    return folders


def main() -> int:
    """Starts the server with each hub; returns 1 where a promise was broken."""
    kept = True
    with tempfile.TemporaryDirectory() as root:
        folders = without_one(Path(root))
        arguments = ["--device", "cpu", "--weights", str(folders.weights)]
        arguments += ["--cards", str(folders.cards)]
        for state, hub in STATES.items():
            with hub() as endpoint:
                surroundings = {"HF_ENDPOINT": endpoint, "HF_HOME": root, "NO_PROXY": "127.0.0.1"}
                begun = time.monotonic()
                with started(arguments, surroundings) as server:
                    page = time.monotonic() - begun
                    visitor = Visitor(server.address)
                    face = picture(visitor.upload(EXAMPLES[0].path.read_bytes()))
                    answer = visitor.event("start", [face, 2, "edsr", "area", "face", None, None])
                    analysed = time.monotonic() - begun
            named = "The weights of Swin-Small are refused" in answer.text
            others = "XceptionNet" in answer.text and "ResNet50" in answer.text
            print(
                f"{state}: page ready after {page:.1f} s, first analysis after {analysed:.1f} s, "
                f"{'the missing network named' if named else 'NOT NAMED'}, "
                f"{'the others answered' if others else 'NO ANSWER'}",
                flush=True,
            )
            kept = kept and named and others and page <= MOST_SECONDS
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
