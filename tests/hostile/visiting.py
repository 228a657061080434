"""A visitor without a browser: sends what it likes, and keeps whatever comes back."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from demo.core.settings import Settings

API = "/gradio_api"
SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """What came back: the status of the refused request, or of the last one, and all the text."""

    status: int
    text: str

    @property
    def result(self) -> Mapping[str, Any] | None:
        """The last result of an event, None where there was none."""
        for line in reversed(self.text.splitlines()):
            if '"process_completed"' in line:
                message: Mapping[str, Any] = json.loads(line.removeprefix("data: "))
                return message
        return None

    @property
    def succeeded(self) -> bool:
        """Whether an event came to a result."""
        return bool(self.result and self.result["success"])


@dataclass(frozen=True)
class Visitor:
    """One visit to the page at an address."""

    address: str
    session: str = field(default_factory=lambda: secrets.token_hex(8))

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Sends one request as it is."""
        with httpx.Client(trust_env=False, verify=False, timeout=SECONDS) as client:
            reply = client.request(method, self.address + path, **more)
            return Answer(reply.status_code, reply.text)

    def upload(self, content: bytes, name: str = "face.png") -> str:
        """Uploads a file; returns the name that the server gave it."""
        answer = self.ask("POST", f"{API}/upload", files={"files": (name, content)})
        if answer.status != 200:
            raise RuntimeError(f"An upload was answered with {answer.status}: {answer.text}")
        path: str = json.loads(answer.text)[0]
        return path

    def event(
        self,
        event: str,
        data: Sequence[object],
        about: Mapping[str, object] | None = None,
        reads: str = "",
    ) -> Answer:
        """Triggers an event of the page by hand, and reads all that it sends.

        Args:
            event: name of its handler.
            data: a value for each input; JSON's, or NaN and infinity as Python writes them.
            about: what the event itself says, such as where a click was.
            reads: id of one of its inputs, where several handlers have the name.
        """
        body = {
            "data": list(data),
            "fn_index": number(self.address, event, reads),
            "session_hash": self.session,
            "event_data": about,
        }
        return self.join(json.dumps(body).encode())

    def join(self, body: bytes) -> Answer:
        """Sends a body to the queue as it is, and reads what its event sends."""
        joined = self.ask(
            "POST", f"{API}/queue/join", content=body, headers={"Content-Type": "application/json"}
        )
        if joined.status != 200:
            return joined
        return self.listen()

    def listen(self) -> Answer:
        """Reads what the visitor's events send, until the last of them is done."""
        return self.ask("GET", f"{API}/queue/data?session_hash={self.session}")

    def analyse(self, picture: object, settings: Settings | None = None) -> Answer:
        """Asks the endpoint for programs about a picture that was uploaded, or is said to be."""
        asked = settings or Settings()
        face = 0 if asked.whole else asked.face + 1
        data = [picture, asked.k, asked.method, asked.kernel, asked.scope, face]
        return self.event("analyse", data)


def picture(path: str) -> dict[str, object]:
    """An uploaded picture as the page names it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@cache
def number(address: str, event: str, reads: str = "") -> int:
    """The number of the first event whose handler has this name and which reads that input."""
    config = json.loads(Visitor(address).ask("GET", "/config").text)
    names = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
    for one in config["dependencies"]:
        inputs = {names[place] for place in one["inputs"]}
        if re.fullmatch(rf"{event}(_\d+)?", one["api_name"]) and (not reads or reads in inputs):
            found: int = one["id"]
            return found
    raise LookupError(f"The page has no event {event} that reads {reads or 'anything'}.")
