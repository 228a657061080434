"""Reproducing a record: where it is given, and where the outcome is told."""

from dataclasses import dataclass

import gradio as gr

from demo.ui.record_input import RecordInput
from demo.ui.spoken import spoken

_ABOUT = (
    '<p class="under">Give the record (JSON) of a result: its settings are taken over, its picture '
    "is analysed again, and every number is compared to the last digit. The record holds no "
    "picture: unless it is of an example, put the picture on the page first.</p>"
)


@dataclass(frozen=True)
class Reproduce:
    """Every component of it that an event reads or writes."""

    given: RecordInput
    reproduced: gr.HTML


def lay_out_reproduce() -> Reproduce:
    """Places it in the Blocks that is being built."""
    with gr.Accordion("Reproduce a record", open=False, elem_id="reproduce"):
        gr.HTML(_ABOUT)
        given = RecordInput(label="Record (JSON)", height=130, elem_id="give-record")
        reproduced = spoken("reproduced", "status", "polite")
    return Reproduce(given, reproduced)
