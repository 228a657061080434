"""Calls that no page makes, each by name: ``python -m tests.hostile.calls`` makes them all.

It starts the real server, sends each call, and prints how many were refused, how many answers name
a place on the server, and how many requests the server was talked into sending elsewhere.
"""

import json
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demo.examples import EXAMPLES
from tests.browser.serving import ROOT, served
from tests.hostile.visiting import API, Answer, Visitor, picture

METADATA: Final = "http://169.254.169.254/latest/meta-data/"
JSON: Final = {"Content-Type": "application/json"}
NAN: Final = float("nan")
SETTINGS: Final = (2, "edsr", "area", "face", 1)
# The page's own words for what it does not do.
_REFUSAL: Final = re.compile(r'class=\\"problem\\"|no longer on the server')
_OWN_WORDS: Final = ("Traceback", 'File \\"', "site-packages", str(ROOT), sys.prefix)


class Canary:
    """A server on this machine that nobody should ever ask; it counts who does."""

    def __init__(self) -> None:
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}/face.png"
        threading.Thread(target=self._count, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            connection.close()


@dataclass(frozen=True)
class Ground:
    """What a call may aim at.

    Attributes:
        uploaded: a picture that was uploaded, as the server named it.
        secret: a picture on the server that nobody uploaded.
        canary: a server on the same machine.
        showing: a visitor whose page shows a result.
    """

    uploaded: str
    secret: Path
    canary: Canary
    showing: Visitor


Call = Callable[[Visitor, Ground], Answer]


@contextmanager
def ground(address: str) -> Iterator[Ground]:
    """What the calls to a server need, for as long as the block runs."""
    face = EXAMPLES[0].path.read_bytes()
    canary = Canary()
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret.png"
        secret.write_bytes(face)
        showing = Visitor(address)
        uploaded = showing.upload(face)
        shown = showing.event(
            "start", [picture(uploaded), 2, "bicubic", "area", "face", None, None]
        )
        if is_refused(shown):
            raise RuntimeError(f"A good picture was refused: {shown.text}")
        yield Ground(uploaded, secret, canary, showing)
    canary.close()


def is_refused(answer: Answer) -> bool:
    """Whether a call got nothing: an error, or the page's own sentence in place of a result."""
    if answer.status >= 400:
        return True
    if answer.result is None:
        return False
    return not answer.succeeded or bool(_REFUSAL.search(json.dumps(answer.result)))


def places_named(answer: Answer, where: Ground) -> list[str]:
    """What an answer says about the inside of the server."""
    folder = str(Path(where.uploaded).parents[1])
    return [word for word in (*_OWN_WORDS, folder) if word in answer.text]


def _get(path: str, method: str = "GET", **more: Any) -> Call:
    return lambda visitor, where: visitor.ask(method, path, **more)


def _post(path: str, body: object = None, **more: Any) -> Call:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    more = {"headers": JSON, **more} if "files" in more else {"headers": JSON, "content": content}
    return lambda visitor, where: visitor.ask("POST", path, **more)


def _file(name: Callable[[Ground], str], method: str = "GET") -> Call:
    return lambda visitor, where: visitor.ask(method, f"{API}/file={name(where)}")


def _joined(body: bytes) -> Call:
    return lambda visitor, where: visitor.join(body.replace(b"SESSION", visitor.session.encode()))


def _analyse(place: int, value: object) -> Call:
    """Asks the endpoint about a good picture, with one of the settings replaced."""
    settings: list[object] = list(SETTINGS)
    settings[place] = value
    return lambda visitor, where: visitor.event("analyse", [picture(where.uploaded), *settings])


def _picture(payload: Callable[[Ground], object]) -> Call:
    """Asks the endpoint about something in place of a picture that was uploaded."""
    return lambda visitor, where: visitor.event("analyse", [payload(where), *SETTINGS])


def _event(
    name: str, data: Callable[[Ground], Sequence[object]], about: Any = None, reads: str = ""
) -> Call:
    return lambda visitor, where: visitor.event(name, data(where), about, reads)


def _after_an_analysis(place: int, value: object) -> Call:
    """Changes a control of a page that shows a result, to what it cannot be."""

    def call(visitor: Visitor, where: Ground) -> Answer:
        shown = (picture(where.uploaded), 2, "bicubic", "area", "face", "0")
        data: list[object] = [*shown, *[None] * 6]
        data[place] = value
        return where.showing.event("again", data)

    return call


def _compared(sent: Callable[[Ground], object]) -> Call:
    """Has one thing compared in place of pictures that were uploaded."""
    rest = (2, "edsr", "area", "face", None, None)
    return _event("run", lambda where: [[sent(where)], *rest], reads="compare-pictures")


def _named(path: str, **more: object) -> dict[str, object]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, **more}


_MULTIPART: Final = {"Content-Type": "multipart/form-data; boundary=x"}
_FILES: Final[Mapping[str, Callable[[Ground], str]]] = {
    "a password file": lambda where: "/etc/passwd",
    "the program": lambda where: str(ROOT / "app.py"),
    "the program, from here": lambda where: "app.py",
    "weights": lambda where: str(ROOT / "models/weights/small.safetensors"),
    "a picture that nobody uploaded": lambda where: str(where.secret),
    "a way up from an upload": lambda where: f"{where.uploaded}/../../../{where.secret.name}",
    "an encoded way up": lambda where: (
        f"{Path(where.uploaded).parent}/%2e%2e/%2e%2e/%2e%2e/etc/passwd"
    ),
    "a way up encoded twice": lambda where: f"{where.uploaded}%252f..%252f..%252fetc/passwd",
    "the folder of uploads": lambda where: str(Path(where.uploaded).parents[1]),
    "a file address": lambda where: "file:///etc/passwd",
    "a name with a null": lambda where: "/etc/passwd%00.png",
    "a server on this machine": lambda where: where.canary.address,
    "this server": lambda where: "http://localhost/config",
    "a machine's metadata": lambda where: METADATA,
    "the processes": lambda where: "/proc/self/environ",
    "a device that never ends": lambda where: "/dev/zero",
}
_PICTURES: Final[Mapping[str, Callable[[Ground], object]]] = {
    "nothing": lambda where: None,
    "a plain path": lambda where: str(where.secret),
    "a path": lambda where: {"path": str(where.secret)},
    "a path with meta": lambda where: _named(str(where.secret)),
    "a path with meta and url": lambda where: _named(str(where.secret), url=where.canary.address),
    "a path that claims to be an upload": lambda where: _named(
        str(where.secret), is_stream=False, orig_name="face.png", size=1, mime_type="image/png"
    ),
    "a way up from an upload": lambda where: {
        "path": f"{where.uploaded}/../../../{where.secret.name}"
    },
    "the program": lambda where: {"path": str(ROOT / "app.py")},
    "an example of the page's own": lambda where: {"path": str(EXAMPLES[0].path)},
    "a device that never ends": lambda where: {"path": "/dev/zero"},
    "a folder": lambda where: {"path": "/"},
    "a name with a null": lambda where: {"path": "a\0b.png"},
    "a very long name": lambda where: {"path": "a" * 100_000},
    "a data URL": lambda where: {"url": "data:image/png;base64,iVBORw0KGgo="},
    "a data URL as a path": lambda where: {"path": "data:image/png;base64,iVBORw0KGgo="},
    "a data URL as text": lambda where: "data:image/png;base64,iVBORw0KGgo=",
    "an address on this machine": lambda where: {"url": where.canary.address},
    "an address on this machine as a path": lambda where: {"path": where.canary.address},
    "an address on this machine with meta": lambda where: _named(
        where.canary.address, url=where.canary.address
    ),
    "an address on this machine as text": lambda where: where.canary.address,
    "a machine's metadata": lambda where: _named(METADATA, url=METADATA),
    "a file address": lambda where: _named("file:///etc/passwd", url="file:///etc/passwd"),
    "a number": lambda where: 7,
    "a list": lambda where: [picture(where.uploaded)],
    "an empty record": lambda where: {},
    "records in records": lambda where: json.loads('{"path":' * 400 + "1" + "}" * 400),
}
_SETTINGS: Final[Mapping[str, tuple[int, object]]] = {
    **{
        f"K = {value!r}": (0, value)
        for value in (NAN, float("inf"), -float("inf"), 2.2, 1, 1.4999, 0, -2, 100, "two", None)
    },
    **{f"K of another type, {value!r}": (0, value) for value in ([2], {"k": 2}, True, "2; ls")},
    **{
        f"method {value!r}": (1, value)
        for value in ("magic", "../edsr_x2", None, 2, ["edsr"], {"edsr": 1}, "e" * 9999)
    },
    **{f"kernel {value!r}": (2, value) for value in ("sharp", None, 0, ["area"])},
    **{f"scope {value!r}": (3, value) for value in ("all", None, 3, ["face"])},
    **{f"face {value!r}": (4, value) for value in (NAN, -1, 99, 10**30, None, "1", [1])},
}
_CONTROLS: Final[Mapping[str, tuple[int, object]]] = {
    "K = nan": (1, NAN),
    "K = 2.2": (1, 2.2),
    "a face that is not there": (5, "99"),
    "a face that is no number": (5, "²"),
    "a face that is a list": (5, ["0"]),
    "a box of text": (6, "left"),
}
_BODIES: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "half of it": b'{"data": [',
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "no data": b'{"fn_index": 0, "session_hash": "SESSION"}',
    "no visitor": b'{"data": [], "fn_index": 0}',
    "data that is no list": b'{"data": 1, "fn_index": 0, "session_hash": "SESSION"}',
    "no event": b'{"data": [], "session_hash": "SESSION"}',
    "an event that is not there": b'{"data": [], "fn_index": 9999, "session_hash": "SESSION"}',
    "an event before the first": b'{"data": [], "fn_index": -1, "session_hash": "SESSION"}',
    "too few values": b'{"data": [null], "fn_index": 0, "session_hash": "SESSION"}',
    "lists in lists": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "two megabytes": b'{"data": ["' + b"a" * 2**21 + b'"], "session_hash": "SESSION"}',
}
_UPLOADS: Final[Mapping[str, Call]] = {
    "no form": _post(f"{API}/upload", b"\x89PNG"),
    "a form without a boundary": lambda visitor, where: visitor.ask(
        "POST", f"{API}/upload", content=b"x", headers={"Content-Type": "multipart/form-data"}
    ),
    "a field in place of a file": lambda visitor, where: visitor.ask(
        "POST",
        f"{API}/upload",
        content=b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nface\r\n--x--\r\n',
        headers=_MULTIPART,
    ),
    "headers without end": lambda visitor, where: visitor.ask(
        "POST",
        f"{API}/upload",
        content=b"--x\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n1\r\n--x--\r\n",
        headers=_MULTIPART,
    ),
    "thousands of files": lambda visitor, where: visitor.ask(
        "POST", f"{API}/upload", files=[("files", ("a.png", b"1"))] * 1001
    ),
}
_PLACES: Final[Mapping[str, Call]] = {
    **{
        path: _get(path)
        for path in (
            "/monitoring",
            "/monitoring/",
            "/monitoring/summary",
            "/monitoring/guessed",
            "/login",
            "/logout",
            "/docs",
            "/redoc",
            "/openapi.json",
            "/.env",
            "/.git/config",
            "/static/%2e%2e/%2e%2e/app.py",
            "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
            "/assets/%2fetc%2fpasswd",
            "/svelte/%2e%2e%2f%2e%2e%2fpackage.json",
            f"{API}/file/etc/passwd",
            "/file=/etc/passwd",
            f"{API}/proxy=http://127.0.0.1/config",
            f"{API}/proxy={METADATA}",
            f"{API}/custom_component/image/client/..%2f..%2f/app.py",
            f"{API}/deep_link?session_hash=SESSION",
            f"{API}/runs",
            f"{API}/run-history/buckets",
            f"{API}/vibe-code",
            f"{API}/dev/reload",
            f"{API}/token",
            f"{API}/profiling/traces",
            f"{API}/stream/SESSION/1/1/playlist.m3u8",
        )
    },
    **{
        f"POST {path}": _post(path, {"data": [], "session_hash": "x", "component_id": 1})
        for path in (
            "/login",
            f"{API}/component_server",
            f"{API}/process_recording",
            f"{API}/vibe-edit",
            f"{API}/vibe-code",
            f"{API}/undo-vibe-edit",
            f"{API}/stream/guessed",
            f"{API}/run-history/connect",
            f"{API}/info",
            "/",
        )
    },
    **{
        f"round the queue, {path}": _post(path, {"data": [None, *SETTINGS], "fn_index": 0})
        for path in (
            f"{API}/run/analyse",
            f"{API}/run/analyse/",
            f"{API}/api/analyse",
            f"{API}/run/predict",
            f"{API}/api/0",
            f"{API}/run/again",
            "/run/analyse",
            "/api/analyse",
            "/queue/join",
        )
    },
    **{
        f"the page's own event by name, {path}": _post(path, {"data": [None] * 11})
        for path in (
            f"{API}/call/again",
            f"{API}/call/start",
            f"{API}/call/v2/take",
            f"{API}/call/look_closer/",
            f"{API}/call/run_2",
        )
    },
}

CALLS: Final[Mapping[str, Call]] = {
    **_PLACES,
    **{f"read {name}": _file(of) for name, of in _FILES.items()},
    "ask whether there is a password file": _file(_FILES["a password file"], "HEAD"),
    **{f"a picture that is {name}": _picture(of) for name, of in _PICTURES.items()},
    **{f"an analysis with {name}": _analyse(*change) for name, change in _SETTINGS.items()},
    **{
        f"a page's event with {name}": _after_an_analysis(*change)
        for name, change in _CONTROLS.items()
    },
    **{f"a request of {name}": _joined(body) for name, body in _BODIES.items()},
    **{f"an upload of {name}": call for name, call in _UPLOADS.items()},
    "a picture on the page that nobody uploaded": _event(
        "start", lambda where: [{"path": str(where.secret)}, 2, "edsr", "area", "face", None, None]
    ),
    "a record that nobody uploaded": _event(
        "take", lambda where: [{"path": str(where.secret)}, None]
    ),
    "pictures to compare that nobody uploaded": _compared(
        lambda where: {"path": str(where.secret)}
    ),
    "an address among the pictures to compare": _compared(
        lambda where: _named("x", url=where.canary.address)
    ),
    "text among the pictures to compare": _compared(lambda where: str(where.secret)),
    "a row that is not compared": _event("open", lambda where: [None], {"row": 10**9}),
    "a row before the first": _event("open", lambda where: [None], {"row": -1}),
    "a figure sheet of any format": _event(
        "make",
        lambda where: [picture(where.uploaded), None, [2], ["edsr"], ["x"], 80, "exe", 1, 1, 1, 64],
    ),
}


def main() -> int:
    """Makes every call to a server of its own; returns 1 where one was not refused."""
    with served(["--device", "cpu"]) as address, ground(address) as where:
        named = accepted = 0
        for name, call in CALLS.items():
            answer = call(Visitor(address), where)
            told = places_named(answer, where)
            named += bool(told)
            if not is_refused(answer):
                accepted += 1
                print(f"not refused: {name}: {answer.status} {answer.text[-200:]}")
            if told:
                print(f"names {told}: {name}: {answer.text[-200:]}")
        print(
            f"{len(CALLS) - accepted} of {len(CALLS)} calls refused, {named} answers with a place "
            f"on the server, {where.canary.asked} requests sent elsewhere"
        )
        return int(bool(accepted or named or where.canary.asked))


if __name__ == "__main__":
    sys.exit(main())
