"""Which event of the Defences tab runs which handler."""

from typing import Any

import gradio as gr

from demo.ui.analyse_tab import Tab
from demo.ui.defences_handlers import DefencesHandlers
from demo.ui.defences_tab import DefencesTab
from demo.ui.events import LOOKS


def connect_defences(
    opened: gr.Tab, tab: DefencesTab, analyse: Tab, handlers: DefencesHandlers
) -> None:
    """Ties the tab's components to the handlers.

    Asking waits in the same line as the analyses. Nothing of the tab is loaded before it is
    opened.
    """
    shown = [tab.progress, tab.problem, tab.outcome, tab.face, tab.answers, tab.kept]
    study = analyse.panel.study
    quick: dict[str, Any] = {
        "concurrency_id": "look",
        "concurrency_limit": LOOKS,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    known = [tab.kinds, tab.white_box, study, tab.kept]
    opened.select(handlers.open, known, shown, **quick)
    opened.select(handlers.studied, None, [tab.studied], **quick)
    tab.kinds.input(handlers.open, known, shown, **quick)
    tab.white_box.input(handlers.open, known, shown, **quick)
    tab.run.click(
        handlers.run,
        [analyse.controls.picture, *known],
        shown,
        concurrency_id="analysis",
        concurrency_limit=None,
        show_progress="hidden",
        api_visibility="private",
    )
    tab.stop.click(handlers.halt, None, None, **quick)
