"""Which event of the Study tab runs which handler."""

from typing import Any

import gradio as gr

from demo.ui.downloads import say_if_gone
from demo.ui.study_handlers import StudyHandlers
from demo.ui.study_tab import StudyTab

STUDY_LOOKS = 4


def connect_study(opened: gr.Tab, tab: StudyTab, handlers: StudyHandlers) -> None:
    """Ties the tab's components to the handlers.

    A study runs in a thread of the server's and no handler waits for it: a timer asks how far it
    is. Nothing of the tab is loaded before it is opened.
    """
    shown = [
        tab.progress,
        tab.said,
        tab.problem,
        tab.choice,
        tab.headline,
        tab.html,
        tab.archive,
        tab.report,
        tab.timer,
        tab.seen,
    ]
    quick: dict[str, Any] = {
        "concurrency_id": "study",
        "concurrency_limit": STUDY_LOOKS,
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    opened.select(handlers.open, [tab.seen], shown, **quick)
    tab.choice.input(handlers.show, [tab.choice, tab.seen], shown, **quick)
    tab.timer.tick(handlers.tick, [tab.seen], shown, **quick)
    for button in (tab.html, tab.archive):
        say_if_gone(button, tab.problem)
    if tab.form is not None:
        tab.form.run.click(handlers.start, [*tab.form.asked, tab.seen], shown, **quick)
        tab.form.stop.click(handlers.stop, None, shown, **quick)
