"""What every component that takes a visitor's file has in common: it opens uploads only."""

import os
from pathlib import Path

import gradio as gr
from gradio.components.base import Component

from demo.core.errors import DemoError
from demo.ui.without_stub import WithoutStub

_GONE = "The file is no longer on the server. Choose it again."


class UploadError(DemoError):
    """What a request names is not a file that was uploaded."""


class OnlyUploads(Component, metaclass=WithoutStub):
    """The part of a component that finds an uploaded file.

    Written after Gradio's own class, whose name the page's script goes by.
    """

    def uploaded(self, name: str | None) -> Path:
        """Returns the file that a request names, and marks it as used just now.

        Raises:
            UploadError: it is none, or lies outside the upload folder.
        """
        if not name:
            raise UploadError("A file that was uploaded was expected, but none came. Upload it.")
        try:
            path = Path(name).resolve(strict=True)
            if not path.is_relative_to(Path(self.GRADIO_CACHE).resolve()) or not path.is_file():
                raise UploadError(_GONE)
            os.utime(path)
        except (OSError, ValueError):
            raise UploadError(_GONE) from None
        return path

    def move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """Keeps a file that the page itself names; fetches no address."""
        return super().move_resource_to_block_cache(_no_address(url_or_file_path))

    async def async_move_resource_to_block_cache(
        self, url_or_file_path: str | Path | None
    ) -> str | None:
        """Keeps a file that the page itself names; fetches no address."""
        return await super().async_move_resource_to_block_cache(_no_address(url_or_file_path))


def _no_address(place: str | Path | None) -> str | Path | None:
    if place is not None and "://" in str(place):
        raise gr.Error(
            "A file has to be uploaded; addresses are not fetched.",
            print_exception=False,
        )
    return place
