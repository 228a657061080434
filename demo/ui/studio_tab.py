"""The studio: the sweep over K, where the detectors look, and which frequencies went."""

from dataclasses import dataclass

import gradio as gr

SWEEP, LOOK, SPECTRUM = "sweep", "look", "spectrum"
# Marks that lie on each other are told together: the pointer meets only the topmost.
_CHART_EVENTS = """
const show = (event) => {
  const readout = element.querySelector('.readout');
  if (!readout || !event.target.closest('[data-words]')) return;
  const marks = document.elementsFromPoint(event.clientX, event.clientY)
    .map((under) => under.closest('[data-words]'));
  const words = [...new Set(marks.filter(Boolean))].map((mark) => mark.dataset.words);
  readout.textContent = words.join('\\n');
};
const set = (event) => {
  const mark = event.target.closest('[data-method]');
  if (mark && Number(mark.dataset.k) > 1)
    trigger('select', {k: Number(mark.dataset.k), method: mark.dataset.method});
};
element.addEventListener('pointerover', show);
element.addEventListener('click', set);
"""


@dataclass(frozen=True)
class Studio:
    """Every component of the studio that an event reads or writes.

    Attributes:
        tabs: the three views.
        open: name of the view that is open.
        run: starts a sweep.
        stop: stops it.
        chart: the sweep.
        look: where the detectors look.
        spectrum: which frequencies went.
        swept: the visitor's last sweep, with what it is of.
    """

    tabs: tuple[gr.Tab, gr.Tab, gr.Tab]
    open: gr.State
    run: gr.Button
    stop: gr.Button
    chart: gr.HTML
    look: gr.HTML
    spectrum: gr.HTML
    swept: gr.State


def lay_out_studio() -> Studio:
    """Places the studio in the Blocks that is being built."""
    with gr.Tabs(elem_id="studio"):
        with gr.Tab("The sweep", id=SWEEP) as sweep:
            with gr.Row(elem_id="sweep-controls"):
                run = gr.Button("Run the sweep", size="sm", elem_id="run-sweep", scale=0)
                stop = gr.Button("Stop", size="sm", elem_id="stop-sweep", scale=0)
            chart = gr.HTML("", elem_id="sweep", js_on_load=_CHART_EVENTS)
        with gr.Tab("Where they look", id=LOOK) as looking:
            look = gr.HTML("", elem_id="look")
        with gr.Tab("What went", id=SPECTRUM) as went:
            spectrum = gr.HTML("", elem_id="spectrum")
    return Studio(
        tabs=(sweep, looking, went),
        open=gr.State(SWEEP),
        run=run,
        stop=stop,
        chart=chart,
        look=look,
        spectrum=spectrum,
        swept=gr.State(None, time_to_live=3600),
    )
