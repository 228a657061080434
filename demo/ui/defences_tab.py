"""The Defences tab: the face of the Analyse tab through the plain and the defended detectors."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from demo.core.defences import KINDS, Defence
from demo.ui import defences_view as view
from demo.ui.spoken import spoken


@dataclass(frozen=True)
class DefencesTab:
    """Every component of the tab that an event reads or writes.

    Attributes:
        kinds: which defences are asked.
        white_box: whether each network is also attacked along its own gradient.
        run: asks them.
        stop: stops asking.
        progress: how far it is.
        problem: what could not be done, or who could not be asked.
        outcome: how many verdicts were kept, in words.
        face: the face that is asked about, before and after.
        answers: what each says.
        studied: the table of the bundled study.
        kept: what is on show, for one visitor.
    """

    kinds: gr.CheckboxGroup
    white_box: gr.Checkbox
    run: gr.Button
    stop: gr.Button
    progress: gr.HTML
    problem: gr.HTML
    outcome: gr.HTML
    face: gr.HTML
    answers: gr.HTML
    studied: gr.HTML
    kept: gr.State


def lay_out_defences(shipped: Sequence[Defence]) -> DefencesTab:
    """Places the tab's components in the Blocks that is being built.

    Args:
        shipped: the defences whose cards are there.
    """
    there = [kind for kind in KINDS if any(one.kind == kind for one in shipped)]
    with gr.Column(elem_id="defences"):
        gr.HTML(view.INTRODUCTION if shipped else view.NONE)
        with gr.Row(elem_id="defences-controls"):
            with gr.Column(min_width=280, scale=2):
                face = gr.HTML("", elem_id="defences-face")
            with gr.Column(min_width=320, scale=5):
                kinds = gr.CheckboxGroup(
                    [(view.kind_words(kind, shipped), kind) for kind in there],
                    value=list(there),
                    label="Defences to ask",
                    visible=bool(there),
                    elem_id="defences-kinds",
                )
                white_box = gr.Checkbox(
                    False,
                    label=view.WHITE_BOX,
                    info=view.WHITE_BOX_INFO,
                    visible=bool(there),
                    elem_id="defences-white-box",
                )
                with gr.Row(elem_id="defences-buttons"):
                    run = gr.Button(
                        "Ask the defences",
                        size="sm",
                        visible=bool(there),
                        elem_id="ask-defences",
                        scale=0,
                    )
                    stop = gr.Button("Stop", size="sm", elem_id="stop-defences", scale=0)
                progress = gr.HTML("", elem_id="defences-progress")
        problem = spoken("defences-problem", "alert", "assertive")
        outcome = spoken("defences-outcome", "status", "polite")
        answers = gr.HTML("", elem_id="defences-answers")
        studied = gr.HTML("", elem_id="defences-studied")
    return DefencesTab(
        kinds=kinds,
        white_box=white_box,
        run=run,
        stop=stop,
        progress=progress,
        problem=problem,
        outcome=outcome,
        face=face,
        answers=answers,
        studied=studied,
        kept=gr.State(None, time_to_live=3600),
    )
