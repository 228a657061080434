"""Which event of the page runs which handler."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from demo.examples import EXAMPLES
from demo.ui.analyse_tab import Tab
from demo.ui.downloads import say_if_gone
from demo.ui.faces_list import chosen
from demo.ui.handlers import Handlers
from demo.ui.looking_closer import look_closer, place_window
from demo.ui.reproducing import Reproducing
from demo.ui.sheet_handlers import SheetHandlers
from demo.ui.studio_handlers import StudioHandlers
from demo.ui.studio_tab import LOOK, SPECTRUM, SWEEP

LOOKS = 4
_SLIDE = "(position) => ({__type__: 'update', slider_position: position})"

# Puts the moment of a visitor's act, by the clock of the visitor's page, behind its other inputs.
MOMENT = "(...given) => [...given.slice(0, -1), performance.now()]"

Trigger = Callable[..., Any]


def connect(
    demo: gr.Blocks, tab: Tab, handlers: Handlers, studio: StudioHandlers, sheets: SheetHandlers
) -> None:
    """Ties the components to the handlers.

    Work waits in the server's one line, where a visitor's newer analysis ends the older one.
    Looking closer at a result has a queue of its own, so that a running analysis never blocks it.
    """
    controls, panel, closer, views = tab.controls, tab.panel, tab.closer, tab.studio
    reproducing = Reproducing(handlers)
    settings = [controls.k, controls.method, controls.kernel, controls.scope]
    hand = [panel.left, panel.top, panel.right, panel.bottom]
    look = [panel.crops, closer.gain, closer.across, closer.down, closer.window]
    seen = [closer.difference, closer.before, closer.after, closer.apart, closer.place]

    study = [views.open, panel.study, views.swept]
    studied = [views.chart, views.look, views.spectrum]
    form = tab.sheet
    moment = gr.Number(visible=False)
    sheet = [form.status, form.preview, form.download, form.made]

    def analysing(trigger: Trigger, handler: Callable[..., Any], inputs: Sequence[Any]) -> None:
        started = _work(trigger, handler, [*inputs, moment], list(panel), "multiple", MOMENT)
        _look(started.then, look_closer, look, seen)
        _look(started.then, studio.show, study, studied)
        _look(started.then, sheets.still, [panel.study, form.made], sheet)

    _look(demo.load, handlers.follow, [], [controls.picture, *settings])
    analysing(demo.load, handlers.welcome, [])
    started = [controls.picture, *settings, panel.pending]
    analysing(controls.picture.change, reproducing.start, started)
    changes = [
        controls.k.input,
        controls.method.input,
        controls.kernel.input,
        controls.scope.input,
        panel.subject.input,
        controls.apply_box.click,
        controls.again.click,
        *(side.submit for side in hand),
    ]
    everything = [controls.picture, *settings, panel.subject, *hand, panel.together]
    analysing(partial(gr.on, changes), handlers.again, everything)
    place = [controls.picture, *settings, panel.subject, panel.boxes, panel.corner, panel.together]
    analysing(panel.frame.select, handlers.click, place)

    picked = _look(panel.faces.select, chosen, [], [controls.scope, panel.subject])
    analysing(picked.then, handlers.again, everything)

    for button, example in zip(controls.examples, EXAMPLES, strict=True):
        _look(button.click, partial(str, example.path), [], [controls.picture])
    _look(controls.stop.click, handlers.halt, [], [panel.progress])
    window = _look(
        closer.difference.select, place_window, [panel.crops], [closer.across, closer.down]
    )
    _look(window.then, look_closer, look, seen)
    slid = [closer.gain.input, closer.across.input, closer.down.input, closer.window.input]
    _look(partial(gr.on, slid), look_closer, look, seen)
    for view, name in zip(views.tabs, (SWEEP, LOOK, SPECTRUM), strict=True):
        opened = _look(view.select, partial(str, name), [], [views.open])
        _look(opened.then, studio.show, study, studied)
    _work(
        views.run.click,
        studio.run,
        [controls.picture, panel.study, views.swept],
        [views.chart, views.swept],
    )
    _look(views.stop.click, studio.halt, [], [])
    placed = [closer.gain, closer.across, closer.down, closer.window]
    asked = [controls.picture, panel.study, *form.choices, *placed]
    _work(form.run.click, sheets.make, asked, sheet)
    _look(form.stop.click, sheets.halt, [], [])
    point = _look(views.chart.select, studio.set_to, [], [controls.k, controls.method])
    analysing(point.then, handlers.again, everything)
    taken = _look(
        tab.reproduce.given.upload,
        reproducing.take,
        [tab.reproduce.given, controls.picture],
        [tab.reproduce.given, controls.picture, *settings, panel.reproduced, panel.pending],
    )
    analysing(taken.then, reproducing.repeat, [controls.picture, panel.pending])
    for download in (panel.png, panel.record, form.download):
        say_if_gone(download, panel.problem)
    controls.divider.input(
        None, controls.divider, panel.comparison, js=_SLIDE, api_visibility="private"
    )


def _work(
    trigger: Trigger,
    handler: Callable[..., Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    trigger_mode: str = "once",
    js: str | None = None,
) -> Any:
    return trigger(
        handler,
        list(inputs),
        list(outputs),
        concurrency_id="analysis",
        # Who works and who waits is decided in one line for all work, see line.py.
        concurrency_limit=None,
        show_progress="hidden",
        trigger_mode=trigger_mode,
        api_visibility="private",
        js=js,
    )


def _look(
    trigger: Trigger, handler: Callable[..., Any], inputs: Sequence[Any], outputs: Sequence[Any]
) -> Any:
    return trigger(
        handler,
        list(inputs),
        list(outputs),
        concurrency_id="look",
        concurrency_limit=LOOKS,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )
