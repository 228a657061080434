"""Which event of the page runs which handler."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from demo.examples import EXAMPLES
from demo.ui.analyse_tab import Tab
from demo.ui.handlers import Handlers

ANALYSES = 3
LOOKS = 4
_SLIDE = "(position) => ({__type__: 'update', slider_position: position})"

Trigger = Callable[..., Any]


def connect(demo: gr.Blocks, tab: Tab, handlers: Handlers) -> None:
    """Ties the components to the handlers.

    Analyses share one short queue, in which a visitor's newer analysis ends the older one. Looking
    closer at a result has a queue of its own, so that a running analysis never blocks it.
    """
    controls, panel, closer = tab.controls, tab.panel, tab.closer
    settings = [controls.k, controls.method, controls.kernel, controls.scope]
    hand = [panel.left, panel.top, panel.right, panel.bottom]
    look = [panel.crops, closer.gain, closer.across, closer.down, closer.window]
    seen = [closer.difference, closer.before, closer.after, closer.apart, closer.place]

    def analysing(trigger: Trigger, handler: Callable[..., Any], inputs: Sequence[Any]) -> None:
        started = trigger(
            handler,
            list(inputs),
            list(panel),
            concurrency_id="analysis",
            concurrency_limit=ANALYSES,
            show_progress="hidden",
            trigger_mode="multiple",
            api_visibility="private",
        )
        _look(started.then, handlers.closer, look, seen)

    analysing(demo.load, handlers.welcome, [])
    analysing(controls.picture.change, handlers.start, [controls.picture, *settings])
    changes = [
        controls.k.input,
        controls.method.input,
        controls.kernel.input,
        controls.scope.input,
        panel.subject.input,
        controls.apply_box.click,
        *(side.submit for side in hand),
    ]
    everything = [controls.picture, *settings, panel.subject, *hand]
    analysing(partial(gr.on, changes), handlers.again, everything)
    place = [controls.picture, *settings, panel.subject, panel.boxes, panel.corner]
    analysing(panel.frame.select, handlers.click, place)

    for button, example in zip(controls.examples, EXAMPLES, strict=True):
        _look(button.click, partial(str, example.path), [], [controls.picture])
    _look(controls.stop.click, handlers.halt, [], [panel.progress])
    window = _look(
        closer.difference.select, handlers.place, [panel.crops], [closer.across, closer.down]
    )
    _look(window.then, handlers.closer, look, seen)
    slid = [closer.gain.input, closer.across.input, closer.down.input, closer.window.input]
    _look(partial(gr.on, slid), handlers.closer, look, seen)
    controls.divider.input(
        None, controls.divider, panel.comparison, js=_SLIDE, api_visibility="private"
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
