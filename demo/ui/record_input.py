"""The component that takes the record of an analysis, and takes nothing else."""

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from demo.core.errors import DemoError
from demo.core.record_reading import Recorded, read_record
from demo.ui.picture_input import Unreadable
from demo.ui.uploads import OnlyUploads


class RecordInput(gr.File, OnlyUploads):
    """A file input that opens uploaded records only, through the core's own reader."""

    is_template = True

    def preprocess(self, payload: ListFiles | FileData | None) -> Recorded | Unreadable | None:  # type: ignore[override]
        """Reads the upload; what is no record arrives as ``Unreadable``, an empty input as None."""
        if payload is None:
            return None
        try:
            return read_record(self.uploaded(payload.path if isinstance(payload, FileData) else ""))
        except DemoError as problem:
            return Unreadable(str(problem))
