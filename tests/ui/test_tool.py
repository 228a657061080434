"""What the tool for programs does where nobody waits, and where something breaks."""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from demo.core.analysis import Toolbox
from demo.core.faces import FaceDetector
from demo.core.images import Picture, encode_png
from demo.ui import tool
from demo.ui.api import Answers
from demo.ui.first_look import FirstLook
from demo.ui.handlers import BROKEN, Handlers
from demo.ui.keeping import Keeping
from demo.ui.running import Runs
from models.zoo import Zoo

ACCEPTED = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture
def handlers(random_zoo: Zoo, astronaut: Picture, tmp_path: Path) -> Handlers:
    toolbox = Toolbox(random_zoo, FaceDetector())
    return Handlers(toolbox, Keeping(tmp_path), Runs(), FirstLook(astronaut, toolbox))


@contextmanager
def serving(handlers: Handlers) -> Iterator[HTTPConnection]:
    """Serves the tool alone; yields a connection to it."""
    made = tool.AnalysisTool(handlers)
    app = Starlette(routes=made.routes(), lifespan=made.lifespan())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=60)
        server.should_exit = True
        thread.join()


def call(connection: HTTPConnection, picture: Picture) -> None:
    encoded = base64.b64encode(encode_png(picture[:300, 90:390], {})).decode()
    asked = {"name": tool.NAME, "arguments": {"picture": encoded}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
    connection.request("POST", tool.ADDRESS, json.dumps(message), ACCEPTED)


def test_the_work_stops_once_nobody_waits_for_it(
    handlers: Handlers, astronaut: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = Event(), Event()

    def endless(*given: Any) -> Answers:
        try:
            while True:
                begun.set()
                yield ()
                time.sleep(0.05)
        finally:
            ended.set()

    monkeypatch.setattr(tool, "answers", endless)
    with serving(handlers) as connection:
        call(connection, astronaut)
        assert begun.wait(60)
        assert not ended.wait(0.5)
        connection.close()
        assert ended.wait(60)


def test_what_nobody_foresaw_is_told_without_a_word_of_it(
    handlers: Handlers, astronaut: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: Any) -> Answers:
        raise OSError("/srv/secret/place is full")
        yield ()

    monkeypatch.setattr(tool, "answers", broken)
    with serving(handlers) as connection:
        call(connection, astronaut)
        answered = json.loads(connection.getresponse().read())["result"]
    assert answered["isError"] is True
    assert answered["content"] == [{"type": "text", "text": BROKEN}]
