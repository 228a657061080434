"""The one component that takes a visitor's picture, and takes nothing else."""

from dataclasses import dataclass

import gradio as gr
from gradio.data_classes import ImageData

from demo.core.errors import DemoError
from demo.core.images import Picture, read_picture
from demo.ui.uploads import OnlyUploads


@dataclass(frozen=True)
class Unreadable:
    """What came instead of a usable file: one sentence for the person who sent it."""

    sentence: str


class PictureInput(gr.Image, OnlyUploads):
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
            return read_picture(self.uploaded(payload.path))
        except DemoError as problem:
            return Unreadable(str(problem))
