"""The one component that takes a visitor's picture, and takes nothing else."""

import os
from abc import ABCMeta
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.data_classes import ImageData

from demo.core.errors import ImageError
from demo.core.images import Picture, read_picture

_GONE = "The picture is no longer on the server. Choose it again."


@dataclass(frozen=True)
class Unreadable:
    """What came instead of a usable picture: one sentence for the person who sent it."""

    sentence: str


class _WithoutStub(ComponentMeta):
    """Makes a component class as Gradio does, but writes no stub file into the source tree."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any]
    ) -> "_WithoutStub":
        return ABCMeta.__new__(mcs, name, bases, attributes)


class PictureInput(gr.Image, metaclass=_WithoutStub):
    """A picture input that opens uploaded files only, through the core's own reader.

    Gradio's own component also opens data URLs, addresses on the network, and any picture on the
    server that a hand-made request names. Here a picture is a file in the upload folder, or it
    is nothing. What cannot be used arrives in the handler as ``Unreadable``, so that the page can
    say why and clear what it showed before.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> Picture | Unreadable | None:  # type: ignore[override]
        """Reads the upload into uint8 RGB H×W×3, upright; None stands for an empty input."""
        if payload is None:
            return None
        try:
            return read_picture(self._uploaded(payload.path))
        except ImageError as problem:
            return Unreadable(str(problem))

    def move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Keeps a file that the page itself names; fetches no address."""
        return super().move_resource_to_block_cache(_no_address(url_or_file_path))

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Keeps a file that the page itself names; fetches no address."""
        return await super().async_move_resource_to_block_cache(_no_address(url_or_file_path))

    def _uploaded(self, name: str | None) -> Path:
        if not name:
            raise ImageError("A picture has to be sent as an uploaded file. Upload it first.")
        try:
            path = Path(name).resolve(strict=True)
            if not path.is_relative_to(Path(self.GRADIO_CACHE).resolve()) or not path.is_file():
                raise ImageError(_GONE)
            os.utime(path)
        except (OSError, ValueError):
            raise ImageError(_GONE) from None
        return path


def _no_address(place: str | Path | None) -> str | Path | None:
    if place is not None and "://" in str(place):
        raise gr.Error(
            "A picture has to be uploaded as a file; addresses are not fetched.",
            print_exception=False,
        )
    return place
