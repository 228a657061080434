"""A visitor without a browser: sends the page's own events through the real queue, as it does."""

import json
import secrets
from collections.abc import Iterator, Mapping
from threading import Event, Thread
from typing import Any

import httpx

SECONDS = 600.0
Values = list[Any]


class Page:
    """What the served page consists of, as it tells every browser."""

    def __init__(self, address: str) -> None:
        """Ask for it once; all visitors use it."""
        self.address = address
        config = httpx.get(f"{address}/config", timeout=SECONDS).raise_for_status().json()
        self.dependencies: list[dict[str, Any]] = config["dependencies"]
        self.components = {one["id"]: one for one in config["components"]}
        self._ids = {
            one["props"]["elem_id"]: one["id"]
            for one in config["components"]
            if one["props"].get("elem_id")
        }

    def component(self, name: str) -> int:
        """The number of the component with this ``elem_id``."""
        return int(self._ids[name])

    def event(self, name: str, trigger: str) -> int:
        """The number of what happens at a component, such as ``("run-sweep", "click")``."""
        wanted = [self.component(name), trigger]
        return next(int(d["id"]) for d in self.dependencies if wanted in map(list, d["targets"]))

    def program(self, name: str) -> int:
        """The number of an endpoint for programs."""
        return next(int(d["id"]) for d in self.dependencies if d["api_name"] == name)

    def after(self, event: int) -> list[int]:
        """What the page does on its own once an event is through."""
        return [int(d["id"]) for d in self.dependencies if d["trigger_after"] == event]


class Visitor:
    """One session: keeps the values of its components, and the connection that says it is there."""

    def __init__(self, page: Page) -> None:
        """Open the page."""
        self._page = page
        self.session = secrets.token_hex(8)
        # A connection kept open is closed by the server after a few idle seconds, maybe just then.
        fresh = httpx.Limits(max_keepalive_connections=0)
        address = f"{page.address}/gradio_api"
        self._http = httpx.Client(base_url=address, timeout=SECONDS, limits=fresh)
        self._values = {
            number: one["props"].get("value") for number, one in page.components.items()
        }
        self._gone = Event()
        Thread(target=self._stay, daemon=True).start()

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *error: object) -> None:
        self._gone.set()
        self._http.close()

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Send a file; returns how a component names it."""
        reply = self._http.post("/upload", files={"files": (name, content)}).raise_for_status()
        meta = {"_type": "gradio.FileData"}
        return {"path": reply.json()[0], "orig_name": name, "size": len(content), "meta": meta}

    def set(self, values: Mapping[str, Any]) -> None:
        """Set components, named by their ``elem_id``."""
        for name, value in values.items():
            self._values[self._page.component(name)] = value

    def value(self, name: str) -> Any:
        """What a component shows."""
        return self._values[self._page.component(name)]

    def file(self, data: Mapping[str, Any]) -> bytes:
        """The content of a file that the page offers."""
        return self._http.get(f"/file={data['path']}").raise_for_status().content

    def do(self, event: int, given: Values | None = None) -> Values:
        """Let an event happen and wait for its end.

        Args:
            event: its number.
            given: its inputs; those that the components have where None is given.

        Returns:
            Its outputs, which are also the components' values from now on.

        Raises:
            RuntimeError: the server refused it; its sentence.
        """
        for message in self._messages(event, given):
            if message["msg"] == "process_completed":
                if not message["success"]:
                    raise RuntimeError(message["output"].get("error") or "An error without words.")
                self._take(event, message["output"]["data"])
                return list(message["output"]["data"])
        raise RuntimeError("The server ended the connection without an answer.")

    def leave(self, event: int, messages: int) -> None:
        """Let an event happen and go away after so many of its messages."""
        for number, _ in enumerate(self._messages(event, None)):
            if number >= messages:
                return

    def stop(self) -> None:
        """Press Stop beside the analysis; what comes of it reaches whoever waits for that."""
        self._join(self._page.event("stop", "click"), None)

    def _messages(self, event: int, given: Values | None) -> Iterator[dict[str, Any]]:
        joined = self._join(event, given)
        query = {"session_hash": self.session}
        with self._http.stream("GET", "/queue/data", params=query) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("event_id") == joined:
                    yield message

    def _join(self, event: int, given: Values | None) -> str:
        inputs = self._page.dependencies[event]["inputs"]
        data = [self._values[number] for number in inputs] if given is None else given
        body = {"data": data, "fn_index": event, "session_hash": self.session}
        reply = self._http.post("/queue/join", json=body).raise_for_status()
        return str(reply.json()["event_id"])

    def _take(self, event: int, outputs: Values) -> None:
        for number, output in zip(self._page.dependencies[event]["outputs"], outputs, strict=True):
            if isinstance(output, dict) and output.get("__type__") == "update":
                if "value" in output:
                    self._values[number] = output["value"]
            else:
                self._values[number] = output

    def _stay(self) -> None:
        """Hold the connection whose end tells the server that the visitor has gone."""
        address = f"{self._page.address}/gradio_api/heartbeat/{self.session}"
        try:
            with httpx.stream("GET", address, timeout=SECONDS) as stream:
                self._gone.wait()
                stream.close()
        except httpx.HTTPError:
            return
