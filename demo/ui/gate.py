"""What the server answers at all: the requests that the page makes, of bounded size."""

import asyncio
import re
from http import HTTPStatus
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.ui.keeping import FULL, Keeping

MOST_SENT = 2**20
MOST_UPLOADED = 240 * 2**20
SILENT_SECONDS = 30.0
SENDING_SECONDS = 600.0

UPLOAD = "/gradio_api/upload"
FILE = "/gradio_api/file="
# Gradio answers much more: it fetches addresses, calls components, converts recordings, stores
# what a visitor sees. The page needs none of it.
_ANSWERED = re.compile(
    r"/"
    r"|/(assets|static|svelte|pwa_icon)/.*"
    r"|/(config|health|theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon)/?"
    r"|/gradio_api/(info|upload|upload_progress|cancel|reset|startup-events|app_id|theme\.css)/?"
    r"|/gradio_api/(queue|heartbeat)/.*"
    r"|/gradio_api/mcp(/.*)?"
    r"|/gradio_api/call/(v2/)?(analyse|defences)(/[^/]+)?/?"
    rf"|{FILE}.+",
    re.DOTALL,
)
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


class _Refusal(NamedTuple):
    status: HTTPStatus
    sentence: str


NOTHING_HERE = _Refusal(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
NO_SUCH_FILE = _Refusal(
    HTTPStatus.NOT_FOUND,
    "This file is not on the server. Files are kept for ten minutes after their last use: "
    "ask for it again on the page.",
)
TOO_MUCH = _Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Less was expected at once: send fewer or smaller files."
)
BROKEN_OFF = _Refusal(
    HTTPStatus.REQUEST_TIMEOUT, "What was sent was too long, or did not come to its end. Try again."
)
NO_ROOM = _Refusal(HTTPStatus.INSUFFICIENT_STORAGE, FULL)


class Gate:
    """Stands in front of Gradio's application and lets through what the page needs.

    Everything else gets one plain sentence. A request that falls silent, or is longer than it may
    be, is broken off. An upload is let in only where there is room for it.
    """

    def __init__(self, app: ASGIApp, keeping: Keeping) -> None:
        """Prepares.

        Args:
            app: answers what is let through.
            keeping: where uploads go, and the only place that files are served from.
        """
        self._app = app
        self._keeping = keeping
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = scope["method"] == "POST" and scope["path"].rstrip("/") == UPLOAD
        most = MOST_UPLOADED if upload else MOST_SENT
        length = _length(Headers(scope=scope), most if upload else 0)
        bounded = _bounded(receive, most)
        refusal = self._refused(scope["path"])
        if refusal is None and length > most:
            refusal = TOO_MUCH
        reserved = length if upload and refusal is None else 0
        self._coming += reserved
        try:
            if reserved and not await asyncio.to_thread(self._make_room):
                refusal = NO_ROOM
                # A browser reads no answer before it has sent everything.
                while (await bounded()).get("more_body"):
                    continue
            answer = self._app if refusal is None else _sentence(refusal)
            await answer(scope, bounded, _with_headers(send))
        except ClientDisconnect:
            await _sentence(BROKEN_OFF)(scope, receive, send)
        finally:
            self._coming -= reserved

    def _refused(self, path: str) -> _Refusal | None:
        if not _ANSWERED.fullmatch(path):
            return NOTHING_HERE
        if path.startswith(FILE) and self._keeping.find(path.removeprefix(FILE)) is None:
            return NO_SUCH_FILE
        return None

    def _make_room(self) -> bool:
        try:
            return self._keeping.make_room(self._coming)
        except OSError:
            return False


def _length(headers: Headers, unsaid: int) -> int:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() else unsaid


def _bounded(receive: Receive, most: int) -> Receive:
    """Receives a request's body; what is too long, too slow or silent ends as if it broke off."""
    loop = asyncio.get_running_loop()
    end = loop.time() + SENDING_SECONDS
    count, complete = 0, False

    async def bounded() -> Message:
        nonlocal count, complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout_at(min(end, loop.time() + SILENT_SECONDS)):
                message = await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}
        count += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        return message if count <= most else {"type": "http.disconnect"}

    return bounded


def _sentence(refusal: _Refusal) -> ASGIApp:
    return PlainTextResponse(refusal.sentence, refusal.status)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
