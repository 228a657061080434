"""The figure sheet's form on the page: what a visitor chooses, and what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import gradio as gr

from demo.core.attack import FACTORS
from demo.core.restoring import METHODS
from demo.sheet.settings import FORMATS, ROWS
from demo.ui.wording import METHOD_NAMES

WIDTHS = [("One column, 85 mm", 85), ("Two columns, 175 mm", 175)]
ROW_NAMES = {
    "before": "Before",
    "after": "After",
    "difference": "Difference",
    "zoom": "Zoomed window",
    "scores": "Scores",
}


class Choices(NamedTuple):
    """What goes on a sheet: components on the page, their values in a handler."""

    factors: gr.CheckboxGroup
    methods: gr.CheckboxGroup
    rows: gr.CheckboxGroup
    width: gr.Radio
    kind: gr.Radio


@dataclass(frozen=True)
class SheetForm:
    """Every component of the form that an event reads or writes.

    Attributes:
        choices: what goes on the sheet.
        run: starts making it.
        stop: stops.
        status: progress, or what came out, in words.
        preview: the sheet as PNG.
        download: the file.
        made: what the sheet on show is of; None where there is none.
    """

    choices: Choices
    run: gr.Button
    stop: gr.Button
    status: gr.HTML
    preview: gr.Image
    download: gr.DownloadButton
    made: gr.State


def lay_out_sheet(own_methods: Sequence[str]) -> SheetForm:
    """Places the form, folded, in the Blocks that is being built.

    Args:
        own_methods: names of the operator's super-resolution networks.
    """
    with gr.Accordion("Figure sheet for a paper", open=False, elem_id="sheet"):
        gr.HTML(
            '<p class="under">One figure of this face at several K, pixel by pixel, with a caption '
            "that says how to make it again. Gain and zoomed window are those set above.</p>"
        )
        with gr.Row():
            factors = gr.CheckboxGroup(
                [(f"{k:g}", k) for k in FACTORS],
                value=[2.0, 3.0, 4.0],
                label="K",
                elem_id="sheet-factors",
            )
            methods = gr.CheckboxGroup(
                [(METHOD_NAMES.get(name, name), name) for name in (*METHODS, *own_methods)],
                value=[METHODS[0]],
                label="Restored by",
            )
        rows = gr.CheckboxGroup(
            [(ROW_NAMES[row], row) for row in ROWS], value=list(ROWS), label="Rows"
        )
        with gr.Row():
            width = gr.Radio(WIDTHS, value=175, label="Printed width")
            kind = gr.Radio(
                [(kind.upper(), kind) for kind in FORMATS],
                value="png",
                label="File",
                elem_id="kind",
            )
        with gr.Row(elem_id="sheet-controls"):
            run = gr.Button("Make the figure sheet", size="sm", elem_id="run-sheet", scale=0)
            stop = gr.Button("Stop", size="sm", elem_id="stop-sheet", scale=0)
        status = gr.HTML("", elem_id="sheet-status")
        download = gr.DownloadButton("Figure sheet", visible=False, elem_id="get-sheet")
        preview = gr.Image(
            label="Figure sheet, reduced to fit here; the file holds every pixel",
            format="png",
            interactive=False,
            visible=False,
            buttons=["fullscreen"],
            elem_id="sheet-preview",
            alt_text="The figure sheet; its caption and scores are in the file as text",
        )
    return SheetForm(
        choices=Choices(factors, methods, rows, width, kind),
        run=run,
        stop=stop,
        status=status,
        preview=preview,
        download=download,
        made=gr.State(None, time_to_live=3600),
    )
