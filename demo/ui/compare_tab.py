"""The Compare tab: pictures and settings above, the comparison over the whole width below."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from demo.ui.analyse_tab import lay_out_details, lay_out_round_trip
from demo.ui.compare_handlers import MOST
from demo.ui.compare_view import SORTING
from demo.ui.pictures_input import PicturesInput
from demo.ui.spoken import spoken

SCOPES = [("Largest face", "face"), ("Every face", "faces"), ("Whole frame", "frame")]
INTRODUCTION = (
    f'<p class="under">Send up to {MOST} pictures through the same round trip and see them side by '
    "side. They are compared by themselves as soon as they are here, and again when a setting "
    "changes. What a score does not prove stands at the end of the Analyse tab.</p>"
)


@dataclass(frozen=True)
class Compare:
    """Every component of the tab that an event reads or writes.

    Attributes:
        pictures: what the visitor sends.
        examples: puts the page's own examples there.
        k: scale factor.
        method: who restores.
        kernel: how the crop is shrunk.
        scope: what is attacked.
        stop: stops the comparison; what is done stays.
        progress: how far it is.
        problem: what could not be done.
        outcome: how many verdicts flipped, in words.
        view: crops and table.
        csv: the table as a file.
        kept: what is on show, for one visitor.
    """

    pictures: PicturesInput
    examples: gr.Button
    k: gr.Slider
    method: gr.Radio
    kernel: gr.Radio
    scope: gr.Radio
    stop: gr.Button
    progress: gr.HTML
    problem: gr.HTML
    outcome: gr.HTML
    view: gr.HTML
    csv: gr.DownloadButton
    kept: gr.State


def lay_out_compare(own_methods: Sequence[str]) -> Compare:
    """Places the tab's components in the Blocks that is being built.

    Args:
        own_methods: names of the operator's super-resolution networks.
    """
    with gr.Column(elem_id="compare"):
        gr.HTML(INTRODUCTION)
        with gr.Row(elem_id="compare-controls"):
            with gr.Column(min_width=320):
                pictures = PicturesInput(
                    label=f"Pictures, up to {MOST}",
                    file_count="multiple",
                    height=200,
                    elem_id="compare-pictures",
                )
                examples = gr.Button("Take the four examples", size="sm", elem_id="take-examples")
            with gr.Column(min_width=320):
                k, method = lay_out_round_trip(own_methods, "compare-")
            with gr.Column(min_width=320):
                kernel, scope = lay_out_details(SCOPES, "compare-")
        with gr.Row(elem_id="compare-status"):
            progress = gr.HTML("", elem_id="compare-progress")
            stop = gr.Button("Stop", size="sm", elem_id="stop-compare", min_width=80, scale=0)
        problem = spoken("compare-problem", "alert", "assertive")
        outcome = spoken("compare-outcome", "status", "polite")
        view = gr.HTML("", elem_id="comparison-view", js_on_load=SORTING)
        csv = gr.DownloadButton(
            "Save the table (CSV)",
            size="sm",
            interactive=False,
            visible=False,
            elem_id="get-csv",
            scale=0,
        )
    return Compare(
        pictures=pictures,
        examples=examples,
        k=k,
        method=method,
        kernel=kernel,
        scope=scope,
        stop=stop,
        progress=progress,
        problem=problem,
        outcome=outcome,
        view=view,
        csv=csv,
        kept=gr.State((), time_to_live=3600),
    )
