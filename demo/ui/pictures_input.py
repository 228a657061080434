"""The component that takes several pictures at once. It keeps their names, and opens none."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.data_classes import ListFiles

from demo.core.errors import DemoError
from demo.ui.uploads import OnlyUploads

LONGEST_NAME = 120


@dataclass(frozen=True)
class Upload:
    """A picture as it was sent: its name, and its file or the sentence that refuses it."""

    name: str
    path: Path | None
    refusal: str = ""


class PicturesInput(gr.File, OnlyUploads):
    """Several uploaded files, each in the upload folder; Gradio's own makes one more of each.

    The files lie where ``PictureInput`` has its own and go with them; no copy is made. They are
    read one at a time and only when their turn comes, so that no memory holds all of them.
    """

    is_template = True

    def preprocess(self, payload: ListFiles | None) -> tuple[Upload, ...]:  # type: ignore[override]
        """Checks where the files lie; what is none of the uploads carries its refusal."""
        uploads = []
        for file in payload.root if payload is not None else ():
            name = shown_name(file.orig_name or file.path)
            try:
                uploads.append(Upload(name, self.uploaded(file.path)))
            except DemoError as problem:
                uploads.append(Upload(name, None, str(problem)))
        return tuple(uploads)


def shown_name(name: str) -> str:
    """Returns a file's own name without folders and control characters, shortened in the middle."""
    own = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(character if character.isprintable() else " " for character in own).strip()
    if len(clean) > LONGEST_NAME:
        half = LONGEST_NAME // 2
        clean = f"{clean[:half]}…{clean[-half + 1 :]}"
    return clean or "unnamed"
