"""The named endpoint ``/defences``: what plain and defended detectors say, for a program."""

import secrets
from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np

from demo.core.defences import chosen_defences, defences
from demo.core.defending import Defending, ask_defences
from demo.core.defending_record import defending_record
from demo.core.errors import DemoError
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from demo.ui.analyse_tab import Controls
from demo.ui.api import whole_number
from demo.ui.handlers import BROKEN, EMPTY
from demo.ui.picture_input import Unreadable
from demo.ui.request_log import Account
from demo.ui.request_log import asked as described
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep

DESCRIPTION = (
    "Sends a face of the picture through the super-resolution round trip and asks the defences, "
    "and the plain detectors that they stand against, before and after. k, method, kernel, scope "
    "and face: as of /analyse. only: names of defences; none asks all. white_box: also attack each "
    "network along its own gradient (PGD), at the PSNR of the round trip, which is a research "
    "figure and takes some seconds a network. Returns every number, and no picture."
)


def add_defences_endpoint(controls: Controls, toolbox: Toolbox, runs: Runs) -> None:
    """Adds the endpoint to the Blocks that is being built; nothing of it is seen on the page."""

    def ask_about_picture(
        picture: Any,
        k: float,
        method: str,
        kernel: str,
        scope: str,
        face: float | None,
        only: list[str],
        white_box: bool,
    ) -> Iterator[Any]:
        def work(on_step: OnStep) -> Defending:
            number = whole_number(1 if face is None else face)
            whole = number == 0
            settings = Settings(k, method, kernel, scope, face=max(number - 1, 0), whole=whole)
            asked = chosen_defences(only, toolbox.zoo)
            return ask_defences(picture, settings, asked, toolbox, on_step, white_box)

        about = described("program: defences", picture, k, method, zoo=toolbox.zoo)
        if not isinstance(picture, np.ndarray):
            Account(about).write("refused")
            sentence = picture.sentence if isinstance(picture, Unreadable) else EMPTY
            raise gr.Error(sentence, print_exception=False)
        try:
            # A program may ask several things at once, so each is a visitor of its own.
            made = yield from runs.steps(
                secrets.token_hex(), Work(about, work, length="long"), lambda step: gr.skip()
            )
            if made is not None:
                yield defending_record(made)
        except DemoError as problem:
            raise gr.Error(str(problem), print_exception=False) from None
        except Failed:
            raise gr.Error(BROKEN, print_exception=False) from None

    names = [one.name for one in defences(toolbox.zoo)]
    face = gr.Number(1, label="face", minimum=0, visible=False)
    only = gr.CheckboxGroup(names, value=[], label="only", visible=False)
    white_box = gr.Checkbox(False, label="white_box", visible=False)
    settings = [controls.k, controls.method, controls.kernel, controls.scope]
    gr.Button("defences", visible=False).click(
        ask_about_picture,
        [controls.picture, *settings, face, only, white_box],
        gr.JSON(label="record", visible=False),
        api_name="defences",
        api_description=DESCRIPTION,
        concurrency_id="analysis",
        concurrency_limit=None,
        show_progress="hidden",
    )
