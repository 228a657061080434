"""Models that a test may spoil, and hubs of several tempers on this machine."""

import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest
from torch import Tensor

from tests.made_models import tiny_network


class SilentHub:
    """A server that takes every connection and never says a word."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()
        for connection in self._held:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._held.append(connection)


class FileHub:
    """A server that speaks as much of the hub's protocol as one download needs."""

    def __init__(self, files: dict[str, bytes], pause: float) -> None:
        self.requests: list[str] = []
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._head()

            def do_GET(self) -> None:
                content = self._head()
                if not pause:
                    self.wfile.write(content)
                    return
                for byte in content:
                    time.sleep(pause)
                    try:
                        self.wfile.write(bytes([byte]))
                    except OSError:
                        return

            def log_message(self, *_: object) -> None:
                return

            def _head(self) -> bytes:
                requests.append(f"{self.command} {self.path}")
                content = files.get(self.path)
                self.send_response(404 if content is None else 200)
                if content is not None:
                    self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
                    self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                return content or b""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.socket.close()


@pytest.fixture(autouse=True)
def direct_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hub's client talk to this machine even where the surroundings say otherwise."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def silent_hub() -> Iterator[SilentHub]:
    hub = SilentHub()
    yield hub
    hub.close()


@pytest.fixture
def file_hub() -> Iterator[Callable[..., FileHub]]:
    """Makes a hub that has `{path: content}`, sending one byte every `pause` seconds if given."""
    made: list[FileHub] = []

    def make(files: dict[str, bytes], pause: float = 0.0) -> FileHub:
        made.append(FileHub(files, pause))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def state() -> dict[str, Tensor]:
    """A small network's nine tensors, its own for each test."""
    return tiny_network().state_dict()
