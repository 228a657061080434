"""A program that speaks the Model Context Protocol: one tool, the core's numbers, nothing more."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import numpy as np
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, ListToolsResult, TextContent
from PIL import Image

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.record import record
from demo.ui.tool import ADDRESS, MOST_SENT, NAME
from tests.awaiting import awaited
from tests.browser.driving import Picture, png

pytestmark = pytest.mark.browser

Asked = tuple[ListToolsResult, CallToolResult]


def ask(address: str, name: str = NAME, /, **arguments: object) -> CallToolResult:
    return listed_and_called(address, name, arguments)[1]


def listed_and_called(address: str, name: str, arguments: dict[str, object]) -> Asked:
    return awaited(_ask(address, name, arguments))


async def _ask(address: str, name: str, arguments: dict[str, object]) -> Asked:
    async with (
        streamable_http_client(f"{address}{ADDRESS}/") as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        return await session.list_tools(), await session.call_tool(name, arguments)


def sentence(answer: CallToolResult) -> str:
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return content.text


def picture_of(content: object) -> Image.Image:
    assert isinstance(content, ImageContent) and content.mimeType == "image/png"
    return Image.open(io.BytesIO(base64.b64decode(content.data)))


@pytest.fixture(scope="module")
def small_face(astronaut: Picture) -> Picture:
    """The astronaut's head: in base64 it fits into one message."""
    return np.ascontiguousarray(astronaut[:300, 90:390])


@pytest.fixture(scope="module")
def encoded(small_face: Picture) -> str:
    return base64.b64encode(png(small_face)).decode()


@pytest.fixture
def upload(address: str, astronaut: Picture) -> str:
    """The address of an uploaded picture, as Gradio's own helper for such clients writes it."""
    sent = httpx.post(
        f"{address}/gradio_api/upload", files={"files": ("a face.png", png(astronaut))}
    )
    return f"{address}/gradio_api/file={sent.json()[0]}"


def test_there_is_one_tool_and_it_says_what_it_takes(address: str, encoded: str) -> None:
    tools = listed_and_called(address, NAME, {"picture": encoded})[0].tools
    assert [tool.name for tool in tools] == [NAME]
    schema = tools[0].inputSchema
    assert list(schema["properties"]) == ["picture", "k", "method", "kernel", "scope", "face"]
    assert schema["required"] == ["picture"]
    assert schema["additionalProperties"] is False
    for parameter in schema["properties"].values():
        assert parameter["description"]
        assert parameter.get("type") or parameter["enum"]
    assert "No score is proof" in str(tools[0].description)


def test_its_answer_is_the_cores_own_numbers_and_pixels(
    address: str, encoded: str, small_face: Picture, toolbox: Toolbox
) -> None:
    answer = ask(address, picture=encoded, k=2.5, method="lanczos", kernel="bicubic")
    analysis = analyse(small_face, Settings(2.5, "lanczos", "bicubic"), toolbox)
    assert not answer.isError
    numbers, clean, attacked = answer.content
    assert isinstance(numbers, TextContent)
    assert json.loads(numbers.text) == json.loads(json.dumps(record(analysis)))
    assert np.array_equal(np.asarray(picture_of(clean)), analysis.chosen.clean)
    assert np.array_equal(np.asarray(picture_of(attacked)), analysis.chosen.attacked)
    assert "round trip" in picture_of(attacked).info["Description"]


def test_an_uploaded_picture_is_named_by_its_address(
    address: str, upload: str, astronaut: Picture, toolbox: Toolbox
) -> None:
    answer = ask(address, picture=upload)
    assert not answer.isError
    numbers = answer.content[0]
    assert isinstance(numbers, TextContent)
    wanted = record(analyse(astronaut, Settings(), toolbox))
    assert json.loads(numbers.text) == json.loads(json.dumps(wanted))


@pytest.mark.parametrize(
    "named",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "assets/examples/astronaut.png",
        "http://127.0.0.1/gradio_api/file=/etc/passwd",
        "http://127.0.0.1/gradio_api/file=../../etc/passwd",
        "/gradio_api/file=%2e%2e/%2e%2e/etc/passwd",
        "/gradio_api/file=",
        "/gradio_api/file=\x00",
        "http://169.254.169.254/latest/meta-data/",
        "data:text/html;base64,PGh0bWw+",
        "data:image/png;base64,not base64",
        "",
    ],
)
def test_whatever_else_a_picture_is_called_gets_a_sentence(address: str, named: str) -> None:
    refused = ask(address, picture=named)
    assert refused.isError
    said = sentence(refused)
    assert said.endswith(".")
    assert "Traceback" not in said and "/tmp" not in said and "passwd" not in said


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server that notes what it is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_no_address_is_fetched(address: str, upload: str, listener: tuple[str, list[str]]) -> None:
    stranger, asked = listener
    assert ask(address, picture=f"{stranger}/face.png").isError
    assert not ask(address, picture=upload.replace(address, stranger)).isError
    assert asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"picture": None},
        {"picture": {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}},
        {"k": 2.2},
        {"k": "2"},
        {"method": "magic"},
        {"scope": None},
        {"face": 1.5},
        {"face": -1},
        {"face": 99},
        {"folder": "/etc"},
    ],
)
def test_arguments_that_cannot_be_are_refused(
    address: str, encoded: str, wrong: dict[str, object]
) -> None:
    assert ask(address, **({"picture": encoded} | wrong)).isError


def test_there_is_no_other_tool(address: str, encoded: str) -> None:
    assert NAME in sentence(ask(address, "load_file", picture=encoded))


def test_more_than_fits_into_a_message_is_not_read(address: str) -> None:
    assert status(address, "POST", length=MOST_SENT + 1) == 413


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_listens_for_ever(address: str, method: str) -> None:
    assert status(address, method) == 405


def status(address: str, method: str, length: int = 0) -> int:
    """Announces a message of so many bytes, and sends none of them."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=30)
    accepted = "application/json, text/event-stream"
    headers = {"Accept": accepted, "Content-Type": "application/json"}
    connection.request(method, f"{ADDRESS}/", headers=headers | {"Content-Length": str(length)})
    answered = connection.getresponse().status
    connection.close()
    return answered
