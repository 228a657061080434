"""Which event of the Compare tab runs which handler."""

from typing import Any

import gradio as gr

from demo.examples import EXAMPLES
from demo.ui.analyse_tab import Controls
from demo.ui.compare_handlers import CompareHandlers
from demo.ui.compare_tab import Compare
from demo.ui.downloads import say_if_gone
from demo.ui.events import LOOKS, MOMENT

# The row's button is hidden with its tab: the focus goes where the page went.
_FOCUS = "() => { document.querySelector('#pages [role=tab]').focus(); window.scrollTo(0, 0); }"


def connect_compare(
    pages: gr.Tabs, compare: Compare, controls: Controls, handlers: CompareHandlers
) -> None:
    """Ties the tab's components to the handlers.

    Whatever begins a new comparison first stops the one before it, which might hold the place
    that it waits for.
    """
    settings = [compare.k, compare.method, compare.kernel, compare.scope]
    shown = [
        compare.progress,
        compare.problem,
        compare.outcome,
        compare.view,
        compare.csv,
        compare.kept,
    ]
    quick: dict[str, Any] = {
        "concurrency_id": "look",
        "concurrency_limit": LOOKS,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    changes = [
        compare.pictures.change,
        compare.k.input,
        compare.method.input,
        compare.kernel.input,
        compare.scope.input,
    ]
    stopped = gr.on(changes, handlers.halt, trigger_mode="multiple", **quick)
    stopped.then(
        handlers.run,
        [compare.pictures, *settings, compare.kept, gr.Number(visible=False)],
        shown,
        js=MOMENT,
        concurrency_id="comparison",
        concurrency_limit=None,
        show_progress="hidden",
        # Otherwise a change during a comparison would be dropped.
        trigger_mode="multiple",
        api_visibility="private",
    )
    paths = [str(example.path) for example in EXAMPLES]
    compare.examples.click(lambda: paths, None, [compare.pictures], **quick)
    compare.stop.click(handlers.settle, [compare.pictures, compare.kept], shown, **quick)
    opened = compare.view.select(
        handlers.open,
        [compare.kept],
        [
            pages,
            controls.picture,
            controls.k,
            controls.method,
            controls.kernel,
            controls.scope,
        ],
        **quick,
    )
    opened.success(None, js=_FOCUS, api_visibility="private")
    say_if_gone(compare.csv, compare.problem)
