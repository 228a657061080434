"""The Study tab: a form that runs one, where the operator gave data, and a finished one below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import gradio as gr

from demo.core.attack import FACTORS
from demo.core.restoring import METHODS
from demo.study.samples import DataSet
from demo.ui.spoken import spoken
from demo.ui.wording import METHOD_NAMES

TICK_SECONDS = 2.0
FIRST_LIMIT = 100
INTRODUCTION = (
    '<p class="under">One face is an anecdote. A study sends a whole data set through the round '
    "trips: error rates of every detector before and after, with 95 % intervals over source "
    "videos, beside the figures that the paper published.</p>"
)
_ABOUT_RUNNING = (
    '<p class="under">One study runs at a time, for everybody: it goes on when you leave, and '
    "whoever opens this page sees how far it is and can stop it. Run again with the same settings "
    "it goes on where it was stopped, a few pictures before.</p>"
)


class Asked(NamedTuple):
    """What a study is run with: components on the page, their values in a handler."""

    data: gr.Radio
    factors: gr.CheckboxGroup
    methods: gr.CheckboxGroup
    limit: gr.Number
    seed: gr.Number


@dataclass(frozen=True)
class RunForm:
    """The form, where the operator gave data.

    Attributes:
        asked: what is chosen.
        run: starts it, or goes on with it.
        stop: stops it.
    """

    asked: Asked
    run: gr.Button
    stop: gr.Button


@dataclass(frozen=True)
class StudyTab:
    """Every component of the tab that an event reads or writes.

    Attributes:
        form: what runs a study; None where the operator gave no data.
        progress: how far the one that runs is.
        said: the same in a few words, for a screen reader, and how it ended.
        problem: what could not be done.
        choice: which finished study is on show.
        headline: what it is of.
        html: its report as a file.
        archive: its tables, curves and scores as a file.
        report: its report, framed.
        timer: ticks while a study runs.
        seen: what is on show, for one visitor.
    """

    form: RunForm | None
    progress: gr.HTML
    said: gr.HTML
    problem: gr.HTML
    choice: gr.Dropdown
    headline: gr.HTML
    html: gr.DownloadButton
    archive: gr.DownloadButton
    report: gr.HTML
    timer: gr.Timer
    seen: gr.State


def lay_out_study(data: Sequence[DataSet], own_methods: Sequence[str]) -> StudyTab:
    """Places the tab's components in the Blocks that is being built.

    Args:
        data: what the operator lets visitors run a study on.
        own_methods: names of the operator's super-resolution networks.
    """
    with gr.Column(elem_id="study"):
        gr.HTML(INTRODUCTION)
        form = _lay_out_form(data, own_methods) if data else None
        problem = spoken("study-problem", "alert", "assertive")
        progress = gr.HTML("", elem_id="study-progress")
        said = spoken("study-said", "status", "polite")
        choice = gr.Dropdown([], label="Finished study", filterable=False, elem_id="study-choice")
        headline = gr.HTML("", elem_id="study-headline")
        with gr.Row(elem_id="study-downloads"):
            html = gr.DownloadButton(
                "Report (HTML)", size="sm", visible=False, elem_id="get-report", scale=0
            )
            archive = gr.DownloadButton(
                "Tables and scores (ZIP)",
                size="sm",
                visible=False,
                elem_id="get-tables",
                scale=0,
            )
        report = gr.HTML("", elem_id="study-report")
    return StudyTab(
        form=form,
        progress=progress,
        said=said,
        problem=problem,
        choice=choice,
        headline=headline,
        html=html,
        archive=archive,
        report=report,
        timer=gr.Timer(TICK_SECONDS, active=False),
        seen=gr.State(None, time_to_live=3600),
    )


def _lay_out_form(data: Sequence[DataSet], own_methods: Sequence[str]) -> RunForm:
    with gr.Accordion("Run a study on this server", open=False, elem_id="study-form"):
        gr.HTML(_ABOUT_RUNNING)
        chosen = gr.Radio(
            [(f"{one.name}, {len(one.samples)} pictures", place) for place, one in enumerate(data)],
            value=0,
            label="Data",
            elem_id="study-data",
        )
        with gr.Row():
            factors = gr.CheckboxGroup(
                [(f"{k:g}", k) for k in FACTORS],
                value=[2.0],
                label="K",
                elem_id="study-factors",
            )
            methods = gr.CheckboxGroup(
                [(METHOD_NAMES.get(name, name), name) for name in (*METHODS, *own_methods)],
                value=list(METHODS),
                label="Restored by",
                elem_id="study-methods",
            )
        with gr.Row():
            limit = gr.Number(
                FIRST_LIMIT,
                label="Pictures at most",
                info="Drawn with the seed; empty takes all.",
                precision=0,
                elem_id="study-limit",
            )
            seed = gr.Number(
                0,
                label="Seed",
                info="Of the draw, and of the intervals.",
                precision=0,
                elem_id="study-seed",
            )
        with gr.Row(elem_id="study-controls"):
            run = gr.Button("Run the study", size="sm", elem_id="run-study", scale=0)
            stop = gr.Button("Stop", size="sm", elem_id="stop-study", scale=0)
    return RunForm(Asked(chosen, factors, methods, limit, seed), run, stop)
