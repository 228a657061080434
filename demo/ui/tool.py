"""The analysis as a tool of the Model Context Protocol, for programs that speak with a model.

Gradio can make tools of endpoints itself. It keeps pictures sent as base64 outside the folder that
is swept, asks addresses, and answers with paths of the server; so the protocol's own library is
used here, behind the same address.
"""

import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import gradio as gr
from anyio import CapacityLimiter, to_thread
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import ContentBlock, ImageContent, TextContent
from mcp.types import Tool as Description
from PIL.PngImagePlugin import PngImageFile
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from demo import __version__
from demo.core.attack import FACTORS, KERNELS
from demo.core.errors import DemoError, ImageError
from demo.core.images import Picture, encode_png, read_picture
from demo.core.restoring import methods
from demo.core.settings import SCOPES, Settings
from demo.ui.api import Answers, answers
from demo.ui.handlers import BROKEN, Handlers
from demo.ui.picture_input import PictureInput
from demo.ui.request_log import Account, Asked

NAME: Final = "analyse_picture"
DESCRIPTION: Final = (
    "Sends a face of the picture through a super-resolution round trip (shrunk by 1/k, restored "
    "×k) and asks deepfake detectors about it before and after. Answers with the record (JSON: "
    "every number, settings, versions, hashes), the face's crop before, and after. No score is "
    "proof that a picture is fake."
)
ADDRESS: Final = "/gradio_api/mcp"
MOST_SENT: Final = 2**20
_UPLOAD: Final = "/gradio_api/file="
# Of their own, so that programs which wait never keep the page's threads.
_THREADS: Final = 24

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


class AnalysisTool:
    """One tool, ``analyse_picture``: the same analysis, under the same settings, as ``/analyse``.

    A picture is handed over in base64, or uploaded first and named by its address, of which only
    the file's name counts: no address is ever asked.
    """

    def __init__(self, handlers: Handlers) -> None:
        """Prepare, without answering anything yet.

        Args:
            handlers: what analyses, as for the page.
        """
        self._handlers = handlers
        self._input = PictureInput(render=False)
        self._description = _description(methods(handlers.toolbox.zoo))
        self._threads = CapacityLimiter(_THREADS)
        server: Server[None, Request] = Server("super-resolution-round-trip", __version__)
        server.list_tools()(self._tools)  # type: ignore[no-untyped-call]
        server.call_tool()(self._call)
        self._server = server
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=MOST_SENT
        )

    def routes(self) -> list[Route]:
        """Where it is asked. There is nothing to listen to, so only questions are let in."""
        answer = self._manager.asgi_app
        return [Route(path, answer, methods=["POST"]) for path in (ADDRESS, f"{ADDRESS}/")]

    def lifespan(self) -> Lifespan:
        """What has to be open while the application answers."""

        @asynccontextmanager
        async def opened(app: Starlette) -> AsyncIterator[None]:
            async with self._manager.run():
                yield

        return opened

    async def _tools(self) -> list[Description]:
        return [self._description]

    async def _call(self, name: str, arguments: dict[str, Any]) -> list[ContentBlock]:
        if name != NAME:
            raise ValueError(f"There is one tool, {NAME}. Call it.")
        try:
            picture = await self._in_thread(partial(self._read, arguments["picture"]))
            steps = answers(
                self._handlers,
                picture,
                arguments.get("k", Settings.k),
                arguments.get("method", Settings.method),
                arguments.get("kernel", Settings.kernel),
                arguments.get("scope", Settings.scope),
                arguments.get("face", 1),
            )
            return _contents(*await self._last(steps))
        except DemoError as problem:
            raise ValueError(str(problem)) from None
        except gr.Error as problem:
            raise ValueError(problem.message) from None
        except Exception as problem:
            Account(Asked("tool")).write("failed", problem=problem)
            raise ValueError(BROKEN) from None

    async def _last(self, steps: Answers) -> tuple[Any, ...]:
        """Waits for the work's end; stops it when whoever asked has left."""
        asked = self._server.request_context.request
        last: tuple[Any, ...] = ()
        with closing(steps):
            while (step := await self._in_thread(partial(next, steps, None))) is not None:
                last = step
                if asked is not None and await asked.is_disconnected():
                    raise DemoError("Nobody waits for this any more.")
        return last

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await to_thread.run_sync(work, limiter=self._threads)

    def _read(self, given: str) -> Picture:
        if _UPLOAD in given:
            return read_picture(self._input.uploaded(unquote(given.split(_UPLOAD, 1)[1])))
        encoded = given.split(";base64,", 1)[-1]
        try:
            return read_picture(base64.b64decode(encoded, validate=True))
        except binascii.Error:
            raise ImageError(
                "A picture was expected in base64, or the address of one that was uploaded to "
                "this server, but something else came: send one of them."
            ) from None


def _description(restorers: Sequence[str]) -> Description:
    """What a model reads before it calls: every parameter with its type, choices and default."""
    schema = {
        "type": "object",
        "properties": {
            "picture": {
                "type": "string",
                "description": "a JPEG, PNG, WebP or BMP in base64, 700 KB at most; or the address "
                "of one that was uploaded to this server (POST it as `files` to "
                f"/gradio_api/upload; its address is {_UPLOAD} and the path that is answered). "
                "No other address is fetched.",
            },
            "k": _choice(FACTORS, Settings.k, "scale factor: the face is shrunk by 1/k"),
            "method": _choice(restorers, Settings.method, "who restores"),
            "kernel": _choice(KERNELS, Settings.kernel, "how the face is shrunk"),
            "scope": _choice(SCOPES, Settings.scope, "what goes through the round trip"),
            "face": {
                "type": "integer",
                "minimum": 0,
                "default": 1,
                "description": "which face: 1 is the largest; 0 takes the whole picture as one",
            },
        },
        "required": ["picture"],
        "additionalProperties": False,
    }
    return Description(name=NAME, description=DESCRIPTION, inputSchema=schema)


def _choice(values: Sequence[object], default: object, meaning: str) -> dict[str, object]:
    return {"enum": list(values), "default": default, "description": meaning}


def _contents(
    record: object, attacked: str, clean_crop: Picture, attacked_crop: Picture
) -> list[ContentBlock]:
    # The attacked picture's file says what it is; so does its crop.
    mark = PngImageFile(BytesIO(Path(attacked).read_bytes())).text
    numbers = TextContent(type="text", text=json.dumps(record))
    return [numbers, _png(clean_crop, {}), _png(attacked_crop, mark)]


def _png(crop: Picture, text: Mapping[str, str]) -> ImageContent:
    data = base64.b64encode(encode_png(crop, text)).decode()
    return ImageContent(type="image", mimeType="image/png", data=data)
