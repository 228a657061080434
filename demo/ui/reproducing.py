"""What happens when a record is given: the page is set to it, and its analysis repeated."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import gradio as gr
import numpy as np

from demo.core.analysis import Analysis, analyse
from demo.core.errors import DemoError, NoFaceError, RecordError, SettingsError
from demo.core.images import Picture, digest
from demo.core.record_reading import Recorded
from demo.core.replay import check_is_of, compare
from demo.core.restoring import check_choice, methods
from demo.examples import example_of
from demo.ui import wording
from demo.ui.handlers import Given, Handlers, Panels, visitor_of
from demo.ui.panel import SKIP, UNCHANGED, Panel, new_picture, subject_of, without_result
from demo.ui.picture_input import Unreadable
from demo.ui.replay_wording import told
from demo.ui.running import Work
from demo.ui.stepping import OnStep

_FIRST_THE_PICTURE = "Put it on the page first, then give the record again."


class Pending(NamedTuple):
    """A record that is about to be repeated.

    Attributes:
        recorded: what it says.
        opened: whether its picture, an example, is being put on the page. Then that picture's
            coming starts the analysis, else the record's.
    """

    recorded: Recorded
    opened: bool


class Taken(NamedTuple):
    """What a record that is given changes on the page; ``SKIP`` leaves it as it is.

    The record's own field is emptied, so that another one can be dropped there.
    """

    given: None = None
    picture: Any = SKIP
    k: Any = SKIP
    method: Any = SKIP
    kernel: Any = SKIP
    scope: Any = SKIP
    reproduced: str = ""
    pending: Pending | None = None


@dataclass(frozen=True)
class Reproducing:
    """The events of reproducing. They know of nothing but the record and the page."""

    handlers: Handlers

    def take(self, given: Recorded | Unreadable | None, picture: Given) -> Taken:
        """Sets the controls, and where it is an example the picture, to those of the record."""
        if not isinstance(given, Recorded):
            return Taken(reproduced=wording.problem(given.sentence) if given else "")
        settings = given.settings.settings()
        try:
            check_choice("restoring method", settings.method, methods(self.handlers.toolbox.zoo))
        except SettingsError as refused:
            return Taken(reproduced=wording.problem(str(refused)))
        controls = Taken(
            k=settings.k, method=settings.method, kernel=settings.kernel, scope=settings.scope
        )
        if _shows(picture, given):
            return controls._replace(pending=Pending(given, opened=False))
        example = example_of(given.picture.sha256)
        if example is not None:
            return controls._replace(picture=str(example.path), pending=Pending(given, opened=True))
        return Taken(reproduced=wording.problem(_another_picture(given, picture)))

    def repeat(
        self,
        picture: Given,
        pending: Pending | None,
        request: gr.Request,
        moment: float | None = None,
    ) -> Panels:
        """Repeats the record's analysis of the picture on show."""
        if pending is not None and not pending.opened and _shows(picture, pending.recorded):
            yield from self._repeat(picture, pending.recorded, request, moment)
        else:
            yield UNCHANGED

    def start(
        self,
        picture: Given,
        k: float,
        method: str,
        kernel: str,
        scope: str,
        pending: Pending | None,
        request: gr.Request,
        moment: float | None = None,
    ) -> Panels:
        """Analyses a picture that is new on the page: as a record asks that opened it, if any."""
        if pending is not None and pending.opened and _shows(picture, pending.recorded):
            yield from self._repeat(picture, pending.recorded, request, moment)
        else:
            yield from self.handlers.start(picture, k, method, kernel, scope, request, moment)

    def _repeat(
        self, picture: Picture, recorded: Recorded, request: gr.Request, moment: float | None
    ) -> Panels:
        settings = recorded.settings.settings()
        yield new_picture(picture)
        if settings.box is not None:
            left, top, right, bottom = settings.box
            yield Panel(left=left, top=top, right=right, bottom=bottom)

        def work(on_step: OnStep) -> Analysis:
            return analyse(picture, settings, self.handlers.toolbox, on_step)

        def refused(problem: DemoError) -> Panel:
            subject = None if isinstance(problem, NoFaceError) else subject_of(settings)
            return without_result(picture, subject, str(problem))._replace(
                reproduced=wording.problem("The analysis could not be repeated.", str(problem))
            )

        yield from self.handlers.run(
            Work(self.handlers.asked("reproduce", picture, settings), work),
            visitor_of(request),
            refused,
            lambda analysis: told(compare(recorded, analysis)),
            moment,
        )


def _shows(picture: Given, recorded: Recorded) -> TypeGuard[Picture]:
    return isinstance(picture, np.ndarray) and digest(picture) == recorded.picture.sha256


def _another_picture(recorded: Recorded, picture: Given) -> str:
    wanted = recorded.picture
    if not isinstance(picture, np.ndarray):
        return (
            f"The record is of a picture of {wanted.width}×{wanted.height} px, and no picture is "
            f"on the page. {_FIRST_THE_PICTURE}"
        )
    try:
        check_is_of(recorded, picture)
    except RecordError as refused:
        return f"{refused} {_FIRST_THE_PICTURE}"
    return ""
