"""What happens on the page: each event runs the core and shows what came out."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from demo import views
from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.errors import DemoError, NoFaceError
from demo.core.faces import Box
from demo.core.images import Picture, read_picture
from demo.core.restoring import methods
from demo.core.settings import Settings
from demo.examples import EXAMPLES
from demo.ui import wording
from demo.ui.first_look import FirstLook
from demo.ui.keeping import Keeping
from demo.ui.line import BusyError
from demo.ui.link import Link, read_link
from demo.ui.looking_closer import point_of
from demo.ui.panel import (
    OWN_BOX,
    UNCHANGED,
    Controls,
    Panel,
    finished,
    new_picture,
    nothing,
    refused_setting,
    running,
    turned_to,
    without_result,
)
from demo.ui.picture_input import Unreadable
from demo.ui.request_log import Account, Asked, asked
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep

Given = Picture | Unreadable | None
Panels = Generator[Panel, None, None]

EMPTY = "Choose a picture: upload one, paste it, take it with the webcam, or start from an example."
BROKEN = "Something went wrong on the server. Try other settings or another picture."


@dataclass(frozen=True)
class Handlers:
    """The page's events. Nothing of a visitor's picture is kept here between two of them."""

    toolbox: Toolbox
    keeping: Keeping
    runs: Runs
    first_look: FirstLook

    def follow(self, request: gr.Request) -> tuple[Any, ...]:
        """Sets picture, K, method, kernel and scope to what the visitor's link asks for."""
        try:
            link = read_link(dict(request.query_params), methods(self.toolbox.zoo))
        except DemoError:
            return (gr.skip(),) * 5
        if link is None:
            return (gr.skip(),) * 5
        asked = link.settings
        path = str(EXAMPLES[link.example].path) if link.example else gr.skip()
        return path, asked.k, asked.method, asked.kernel, asked.scope

    def welcome(self, request: gr.Request, moment: float | None = None) -> Panels:
        """Shows the first example, analysed once for all visitors, or what the link asks for.

        Another example is a new picture on the page, and so analysed like any other.
        """
        visitor = visitor_of(request)
        try:
            link = read_link(dict(request.query_params), methods(self.toolbox.zoo))
        except DemoError as problem:
            yield nothing(str(problem))
            return
        if link is None or link.example == 0:
            yield new_picture(self.first_look.picture)
        if link is None or link == Link(0, Settings()):
            about = self.asked("open", self.first_look.picture, Settings())
            look = Work(about, self.first_look.analysis, length="none")
            yield from self.run(look, visitor, _cleared, moment=moment)
        elif link.example == 0:
            about = self.asked("open", self.first_look.picture, link.settings)
            opened = Work(about, partial(self._first_example, link.settings))
            yield from self.run(opened, visitor, _cleared, moment=moment)
        else:
            yield UNCHANGED

    def start(
        self,
        picture: Given,
        k: float,
        method: str,
        kernel: str,
        scope: str,
        request: gr.Request,
        moment: float | None = None,
    ) -> Panels:
        """Analyses the largest face of a picture that is new on the page."""
        if isinstance(picture, np.ndarray):
            yield new_picture(picture)
        controls = Controls(k, method, kernel, scope)
        yield from self._analyse(picture, controls, request, moment, new=True)

    def again(
        self,
        picture: Given,
        k: float,
        method: str,
        kernel: str,
        scope: str,
        subject: str | None,
        left: float | None,
        top: float | None,
        right: float | None,
        bottom: float | None,
        request: gr.Request,
        together: Analysis | None = None,
        moment: float | None = None,
    ) -> Panels:
        """Analyses the picture on the page under changed settings.

        Another face of those that were analysed ``together`` is only shown.
        """
        controls = Controls(k, method, kernel, scope, subject, left, top, right, bottom)
        yield from self._analyse(picture, controls, request, moment, together)

    def click(
        self,
        picture: Given,
        k: float,
        method: str,
        kernel: str,
        scope: str,
        subject: str | None,
        boxes: tuple[Box, ...],
        corner: tuple[float, float] | None,
        event: gr.SelectData,
        request: gr.Request,
        together: Analysis | None = None,
        moment: float | None = None,
    ) -> Panels:
        """Takes a click in the numbered picture: it chooses a face, or sets a box's corner."""
        point = point_of(event)
        if point is None or not isinstance(picture, np.ndarray):
            yield UNCHANGED
            return
        scale = views.frame_scale(picture)
        x, y = point[0] / scale, point[1] / scale
        controls = Controls(k, method, kernel, scope, subject)
        if subject != OWN_BOX:
            face = _face_at(boxes, x, y)
            if face is None:
                yield UNCHANGED
                return
            controls = controls._replace(subject=str(face))
            yield from self._analyse(picture, controls, request, moment, together)
        elif corner is None:
            names = {str(index + 1): box for index, box in enumerate(boxes)}
            yield Panel(
                frame=views.marked_frame(picture, names, None, corner=(x, y)),
                hint=wording.hint(len(boxes), subject, corner=True),
                corner=(x, y),
            )
        else:
            left, right = sorted((round(corner[0]), round(x)))
            top, bottom = sorted((round(corner[1]), round(y)))
            yield Panel(corner=None, left=left, top=top, right=right, bottom=bottom)
            controls = controls._replace(left=left, top=top, right=right, bottom=bottom)
            yield from self._analyse(picture, controls, request, moment)

    def halt(self, request: gr.Request) -> str:
        """Stops the visitor's analysis; the last result stays."""
        self.runs.stop(visitor_of(request))
        return ""

    def _first_example(self, settings: Settings, on_step: OnStep) -> Analysis:
        return analyse(read_picture(EXAMPLES[0].path), settings, self.toolbox, on_step)

    def _analyse(
        self,
        picture: Given,
        controls: Controls,
        request: gr.Request,
        moment: float | None,
        together: Analysis | None = None,
        new: bool = False,
    ) -> Panels:
        visitor = visitor_of(request)
        about = self.asked("analyse", picture, controls)
        if not isinstance(picture, np.ndarray):
            self.runs.stop(visitor)
            if picture is not None:
                Account(about).write("refused")
            yield nothing(picture.sentence if isinstance(picture, Unreadable) else EMPTY)
            return

        def work(on_step: OnStep) -> Analysis:
            settings = controls.settings()
            made = turned_to(together, picture, settings)
            return made or analyse(picture, settings, self.toolbox, on_step)

        def refused(problem: DemoError) -> Panel:
            if new and isinstance(problem, BusyError):
                # Nothing is drawn for those who cannot be served just now: they are many.
                return nothing(str(problem))
            if new or isinstance(problem, NoFaceError):
                return without_result(picture, None, str(problem))
            return refused_setting(str(problem))

        yield from self.run(Work(about, work), visitor, refused, moment=moment)

    def asked(self, event: str, picture: Given, by: Controls | Settings) -> Asked:
        """What a request asks for, for the log."""
        return asked(event, picture, by.k, by.method, zoo=self.toolbox.zoo)

    def run(
        self,
        work: Work[Analysis],
        visitor: str,
        refused: Callable[[DemoError], Panel],
        told: Callable[[Analysis], str] = lambda analysis: "",
        moment: float | None = None,
    ) -> Panels:
        """Shows where an analysis is, and at the end what came of it.

        Args:
            work: makes the analysis.
            visitor: whose older analysis ends here.
            refused: what to show in place of a result, and why.
            told: what to say about the analysis as a repeated one, as HTML.
            moment: when the visitor asked, see ``Runs.begin``.
        """

        def answer(on_step: OnStep) -> Panel:
            analysis = work.perform(on_step)
            on_step("Showing the result", 1.0)
            done = finished(analysis, self.keeping, self.toolbox.zoo)
            return done._replace(reproduced=told(analysis))

        answering = Work(work.asked, answer, lambda panel: len(panel.boxes), work.length)
        try:
            answered = yield from self.runs.steps(visitor, answering, running, moment)
            yield UNCHANGED if answered is None else answered
        except BusyError as busy:
            yield refused(busy)._replace(problem=wording.busy(str(busy)))
        except DemoError as problem:
            yield refused(problem)
        except Failed:
            yield refused(DemoError(BROKEN))


def _cleared(problem: DemoError) -> Panel:
    return nothing(str(problem))


def visitor_of(request: gr.Request) -> str:
    """The name of a visit to the page."""
    return str(request.session_hash)


def _face_at(boxes: Sequence[Box], x: float, y: float) -> int | None:
    hit = [index for index, (x0, y0, x1, y1) in enumerate(boxes) if x0 <= x < x1 and y0 <= y < y1]
    return hit[-1] if hit else None
