"""``make push`` puts what is committed on a Space, weights by LFS, as a made-up hub sees it."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LARGE = 10 * 2**20


@dataclass
class Hub:
    """What a hub was told.

    Attributes:
        address: where it listens.
        created: what was asked for when the repository was made.
        plain: the content of files that came in the commit itself.
        large: bytes of each file that came by LFS.
        gone: files that the commit removes.
    """

    address: str = ""
    created: dict[str, Any] = field(default_factory=dict)
    plain: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def answer(hub: Hub, path: str, body: bytes) -> object:
    """Says what the real hub would, as far as an upload asks."""
    if path == "/api/repos/create":
        hub.created = json.loads(body)
        return {"url": f"{hub.address}/spaces/somebody/space", "id": "somebody/space"}
    if "/preupload/" in path:
        files = json.loads(body)["files"]
        return {
            "files": [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["size"] > LARGE else "regular",
                    "shouldIgnore": False,
                    "oid": None,
                }
                for file in files
            ]
        }
    if path.endswith("/info/lfs/objects/batch"):
        asked = json.loads(body)["objects"]
        return {"transfer": "basic", "objects": asked}
    if "/commit/" in path:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                hub.plain[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                hub.large[value["path"]] = value["size"]
            elif line["key"] == "deletedFile":
                hub.gone.append(value["path"])
        return {"commitUrl": f"{hub.address}/spaces/somebody/space/commit/0", "commitOid": "0" * 40}
    if "/tree/" in path:
        names = (".gitattributes", "README.md", "left_over.py")
        return [{"type": "file", "path": name, "oid": "0" * 40, "size": 1} for name in names]
    return {"id": "somebody/space", "sha": "0" * 40, "siblings": []}


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content = json.dumps(answer(made, self.path.split("?")[0], body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def committed(*asked: str) -> bytes:
    return subprocess.run(["git", *asked], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout


def test_what_is_committed_becomes_the_space(hub: Hub) -> None:
    command = ["make", "push", "SPACE=somebody/space", f"BIN={Path(sys.executable).parent}"]
    own = {"HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_made_up", "HF_HUB_DISABLE_XET": "1"}
    pushed = subprocess.run(
        [*command, "--old-file", ".venv/demo.stamp"],
        cwd=ROOT,
        env={**os.environ, **own, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert pushed.returncode == 0, pushed.stderr
    names = committed("ls-tree", "-r", "-z", "--name-only", "HEAD").decode().split("\0")
    assert hub.created["type"] == "space" and hub.created["sdk"] == "gradio"
    assert hub.plain.keys() | hub.large.keys() == set(names) - {"", ".gitattributes"}
    assert hub.large["models/weights/resnet50.safetensors"] > LARGE
    assert all(name.startswith("models/weights/") for name in hub.large)
    assert hub.gone == ["left_over.py"]
    assert hub.plain["app.py"] == committed("show", "HEAD:app.py")
