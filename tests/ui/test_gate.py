"""The server answers what the page asks for, in bounded size, and nothing else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Scope

from demo.ui import gate
from demo.ui.gate import Gate
from demo.ui.keeping import FULL, Keeping
from tests.awaiting import awaited

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} bytes came")


def behind(keeping: Keeping) -> Starlette:
    app = Starlette(middleware=[Middleware(Gate, keeping)])
    app.add_route("/{path:path}", echo, ["GET", "POST"])
    return app


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path, most=1000)


@pytest.fixture
def client(keeping: Keeping) -> Iterator[TestClient]:
    with TestClient(behind(keeping)) as program:
        yield program


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?k=2&example=1",
        "/config",
        "/health",
        "/theme.css",
        "/assets/index.js",
        "/gradio_api/info",
        "/gradio_api/heartbeat/abc",
        "/gradio_api/call/analyse/abc",
        "/gradio_api/mcp",
        "/gradio_api/queue/data?session_hash=abc",
    ],
)
def test_what_the_page_asks_for_is_answered(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring",
        "/monitoring/summary",
        "//monitoring",
        "/login",
        "/docs",
        "/openapi.json",
        "/config/../x",
        "/gradio_api",
        "/gradio_api/run/analyse",
        "/gradio_api/api/analyse",
        "/gradio_api/call/again",
        "/gradio_api/proxy=http://127.0.0.1",
        "/gradio_api/component_server",
        "/gradio_api/process_recording",
        "/gradio_api/deep_link?session_hash=abc",
        "/gradio_api/vibe-code",
        "/gradio_api/stream/1",
        "/gradio_api/custom_component/a/client/b/c",
        "/gradio_api/dev/reload",
        "/gradio_api/%2e%2e/monitoring",
    ],
)
def test_what_the_page_never_asks_for_is_not_there(client: TestClient, path: str) -> None:
    refused = client.get(f"http://testserver{path}")
    assert (refused.status_code, refused.text) == (404, "There is nothing at this address.")


def test_files_are_served_from_the_folder_alone(client: TestClient, keeping: Keeping) -> None:
    kept = keeping.write("face.png", b"1")
    assert client.get(f"{gate.FILE}{kept}").status_code == 200
    Path(kept).unlink()
    for name in (kept, "/etc/passwd", "http://127.0.0.1/", "file:///etc/passwd", "app.py"):
        refused = client.get(f"{gate.FILE}{name}")
        assert refused.status_code == 404
        assert "not on the server" in refused.text
        assert str(keeping.folder) not in refused.text


def test_requests_are_bounded_and_uploads_more_generously(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_SENT", 100)
    monkeypatch.setattr(gate, "MOST_UPLOADED", 500)
    assert client.post(JOIN, content=bytes(100)).text == "100 bytes came"
    assert client.post(JOIN, content=bytes(101)).status_code == 413
    assert client.post(UPLOAD, content=bytes(500)).text == "500 bytes came"
    assert client.post(UPLOAD, content=bytes(501)).status_code == 413


def test_a_request_of_unsaid_length_is_broken_off_at_the_bound(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MOST_SENT", 100)
    assert client.post(JOIN, content=iter([bytes(50)] * 2)).text == "100 bytes came"
    assert client.post(JOIN, content=iter([bytes(50)] * 3)).status_code == 408


def test_an_upload_waits_for_no_room(client: TestClient, keeping: Keeping) -> None:
    assert client.post(UPLOAD, content=bytes(900)).status_code == 200
    keeping.write("face.png", bytes(500))
    refused = client.post(UPLOAD, content=bytes(600))
    assert (refused.status_code, refused.text) == (507, FULL)
    assert client.post(UPLOAD, content=bytes(400)).status_code == 200


def test_uploads_that_come_at_the_same_time_share_the_room(keeping: Keeping) -> None:
    async def both() -> list[int]:
        return await asyncio.gather(*(upload(behind_once, 600) for _ in range(2)))

    behind_once = behind(keeping)
    assert sorted(awaited(both())) == [200, 507]


async def upload(app: Starlette, count: int, pause: float = 0.05) -> int:
    """Sends in two parts with a pause before each; returns the status of the answer."""
    statuses: list[int] = []
    parts = iter((bytes(count // 2), bytes(count - count // 2)))

    async def receive() -> Message:
        await asyncio.sleep(pause)
        body = next(parts, b"")
        return {"type": "http.request", "body": body, "more_body": bool(body)}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    await app(scope(count), receive, send)
    return statuses[0]


def scope(count: int) -> Scope:
    return {
        "type": "http",
        "method": "POST",
        "path": UPLOAD,
        "query_string": b"",
        "headers": [(b"content-length", str(count).encode())],
    }


def test_a_request_that_falls_silent_is_broken_off_and_gives_its_room_back(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "SILENT_SECONDS", 0.1)

    app = behind(keeping)
    assert awaited(upload(app, 900, pause=60.0)) == 408
    assert awaited(upload(app, 900)) == 200


def test_every_answer_says_that_its_type_is_meant(client: TestClient) -> None:
    for path in ("/", "/monitoring"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
