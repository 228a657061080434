"""The named endpoint ``/analyse``: the same analysis for a program."""

import json
import secrets
from collections.abc import Generator
from typing import Any

import gradio as gr
import numpy as np

from demo.core.analysis import Analysis, analyse
from demo.core.errors import DemoError, SettingsError
from demo.core.images import encode_png
from demo.core.record import mark, record_json
from demo.core.settings import Settings
from demo.ui.analyse_tab import Controls
from demo.ui.handlers import BROKEN, EMPTY, Handlers
from demo.ui.picture_input import Unreadable
from demo.ui.request_log import Account, asked
from demo.ui.running import Failed, Work
from demo.ui.stepping import OnStep

Answers = Generator[tuple[Any, ...], None, None]

DESCRIPTION = (
    "Sends a face of the picture through the super-resolution round trip and asks three detectors "
    "about it before and after. k: 1.5 to 4 in steps of 0.5. method: edsr, bicubic or lanczos. "
    "kernel: area or bicubic. scope: face, faces or frame. face: its number, 1 is the largest; "
    "0 takes the whole picture as the face. Returns the record with every number, the attacked "
    "picture, and the crop before and after, all as PNG."
)


def add_endpoint(controls: Controls, handlers: Handlers) -> None:
    """Adds the endpoint to the Blocks that is being built; nothing of it is seen on the page."""

    def analyse_picture(
        picture: Any, k: float, method: str, kernel: str, scope: str, face: float
    ) -> Answers:
        yield from answers(handlers, picture, k, method, kernel, scope, face)

    face = gr.Number(1, label="face", minimum=0, visible=False)
    outputs = [
        gr.JSON(label="record", visible=False),
        gr.Image(label="attacked_picture", format="png", visible=False),
        gr.Image(label="clean_crop", format="png", visible=False),
        gr.Image(label="attacked_crop", format="png", visible=False),
    ]
    gr.Button("analyse", visible=False).click(
        analyse_picture,
        [controls.picture, controls.k, controls.method, controls.kernel, controls.scope, face],
        outputs,
        api_name="analyse",
        api_description=DESCRIPTION,
        concurrency_id="analysis",
        concurrency_limit=None,
        show_progress="hidden",
    )


def answers(
    handlers: Handlers,
    picture: Any,
    k: float,
    method: str,
    kernel: str,
    scope: str,
    face: float,
) -> Answers:
    """Analyses; yields nothing new at each step, and at last what the endpoint answers with.

    Args:
        handlers: the page's, which analyse.
        picture: what the picture input made of what came.
        k: scale factor.
        method: who restores.
        kernel: how the crop is shrunk.
        scope: what goes through the round trip.
        face: which face, from 1; 0 takes the whole picture.

    Raises:
        gr.Error: a sentence for whoever asked.
    """
    about = asked("program", picture, k, method, zoo=handlers.toolbox.zoo)
    if not isinstance(picture, np.ndarray):
        Account(about).write("refused")
        sentence = picture.sentence if isinstance(picture, Unreadable) else EMPTY
        raise gr.Error(sentence, print_exception=False)

    def work(on_step: OnStep) -> tuple[Any, ...]:
        number = whole_number(face)
        whole = number == 0
        settings = Settings(k, method, kernel, scope, face=max(number - 1, 0), whole=whole)
        analysis = analyse(picture, settings, handlers.toolbox, on_step)
        on_step("Writing the answer", 1.0)
        return _answer(analysis, handlers)

    # A program may ask several things at once, so each is a visitor of its own.
    visitor = secrets.token_hex()
    try:
        answer = yield from handlers.runs.steps(
            visitor,
            Work(about, work, lambda answer: len(answer[0]["faces"])),
            lambda step: (gr.skip(),) * 4,
        )
        if answer is not None:
            yield answer
    except DemoError as problem:
        raise gr.Error(str(problem), print_exception=False) from None
    except Failed:
        raise gr.Error(BROKEN, print_exception=False) from None


def _answer(analysis: Analysis, handlers: Handlers) -> tuple[Any, ...]:
    result = analysis.chosen
    name = f"attacked-{analysis.settings.method}-k{analysis.settings.k:g}.png"
    png = handlers.keeping.write(name, encode_png(analysis.attacked, mark(analysis)))
    return json.loads(record_json(analysis)), png, result.clean, result.attacked


def whole_number(face: object) -> int:
    """The number of a face as a program gave it.

    Raises:
        SettingsError: it is no whole number.
    """
    if isinstance(face, bool) or not isinstance(face, int | float) or face % 1 != 0:
        raise SettingsError("The face is a whole number: 1 is the largest, 0 the whole picture.")
    return int(face)
