"""What happens on the page: each event runs the core and shows what came out."""

import logging
import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
import numpy as np

from demo import views
from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.errors import DemoError, NoFaceError, SettingsError
from demo.core.faces import Box
from demo.core.images import Picture, read_picture
from demo.core.settings import Settings
from demo.examples import EXAMPLES
from demo.ui import wording
from demo.ui.first_look import FirstLook
from demo.ui.keeping import Keeping
from demo.ui.link import Link, read_link
from demo.ui.panel import (
    OWN_BOX,
    Controls,
    Crops,
    Panel,
    finished,
    middle,
    nothing,
    running,
    without_result,
)
from demo.ui.picture_input import Unreadable
from demo.ui.running import OnStep, Runs, in_steps

Given = Picture | Unreadable | None
Panels = Generator[Panel, None, None]

EMPTY = "Choose a picture: upload one, paste it, take it with the webcam, or start from an example."
BROKEN = "Something went wrong on the server. Try other settings or another picture."
DIFFERENCE_SIZE = 768
ZOOM_SIZE = 384


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
            link = read_link(dict(request.query_params))
        except DemoError:
            return (gr.skip(),) * 5
        if link is None:
            return (gr.skip(),) * 5
        asked = link.settings
        path = str(EXAMPLES[link.example].path) if link.example else gr.skip()
        return path, asked.k, asked.method, asked.kernel, asked.scope

    def welcome(self, request: gr.Request) -> Panels:
        """Shows the first example, analysed once for all visitors, or what the link asks for.

        Another example is a new picture on the page, and so analysed like any other.
        """
        visitor = _visitor(request)
        try:
            link = read_link(dict(request.query_params))
        except DemoError as problem:
            yield nothing(str(problem))
            return
        if link is None or link == Link(0, Settings()):
            yield from self._run(self.first_look.analysis, visitor, _cleared)
        elif link.example == 0:
            yield from self._run(partial(self._first_example, link.settings), visitor, _cleared)

    def start(
        self, picture: Given, k: float, method: str, kernel: str, scope: str, request: gr.Request
    ) -> Panels:
        """Analyses the largest face of a picture that is new on the page."""
        if isinstance(picture, np.ndarray):
            left, top, right, bottom = middle(picture)
            yield Panel(left=left, top=top, right=right, bottom=bottom, corner=None)
        yield from self._analyse(picture, Controls(k, method, kernel, scope), request)

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
    ) -> Panels:
        """Analyses the picture on the page under changed settings."""
        controls = Controls(k, method, kernel, scope, subject, left, top, right, bottom)
        yield from self._analyse(picture, controls, request)

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
    ) -> Panels:
        """Takes a click in the numbered picture: it chooses a face, or sets a box's corner."""
        point = _point(event)
        if point is None or not isinstance(picture, np.ndarray):
            return
        scale = views.frame_scale(picture)
        x, y = point[0] / scale, point[1] / scale
        controls = Controls(k, method, kernel, scope, subject)
        if subject != OWN_BOX:
            face = _face_at(boxes, x, y)
            if face is not None:
                yield from self._analyse(picture, controls._replace(subject=str(face)), request)
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
            yield from self._analyse(picture, controls, request)

    def halt(self, request: gr.Request) -> str:
        """Stops the visitor's analysis; the last result stays."""
        self.runs.stop(_visitor(request))
        return ""

    def closer(
        self, crops: Crops | None, gain: float, across: float, down: float, window: float
    ) -> tuple[Any, ...]:
        """Shows the amplified difference with its window, and the window three times enlarged.

        Args:
            crops: what the page shows now.
            gain: factor on the difference.
            across: the window's centre from the left, in per cent of the crop.
            down: the window's centre from the top, in per cent of the crop.
            window: the window's side in pixels of the crop.
        """
        if crops is None:
            return (gr.skip(),) * 5
        try:
            return _closer(crops, gain, across, down, window)
        except DemoError as problem:
            raise gr.Error(str(problem), print_exception=False) from None

    def place(self, crops: Crops | None, event: gr.SelectData) -> tuple[Any, Any]:
        """Moves the zoomed window to where the difference was clicked, in per cent of the crop."""
        point = _point(event)
        if crops is None or point is None:
            return gr.skip(), gr.skip()
        height, width = crops.clean.shape[:2]
        factor = views.whole_factor(crops.clean, DIFFERENCE_SIZE)
        return _per_cent(point[0] / factor / width), _per_cent(point[1] / factor / height)

    def _first_example(self, settings: Settings, on_step: OnStep) -> Analysis:
        return analyse(read_picture(EXAMPLES[0].path), settings, self.toolbox, on_step)

    def _analyse(self, picture: Given, controls: Controls, request: gr.Request) -> Panels:
        visitor = _visitor(request)
        if not isinstance(picture, np.ndarray):
            self.runs.stop(visitor)
            yield nothing(picture.sentence if isinstance(picture, Unreadable) else EMPTY)
            return

        def work(on_step: OnStep) -> Analysis:
            return analyse(picture, controls.settings(), self.toolbox, on_step)

        def refused(sentence: str, no_face: bool) -> Panel:
            return without_result(picture, None if no_face else controls.subject, sentence)

        yield from self._run(work, visitor, refused)

    def _run(
        self,
        work: Callable[[OnStep], Analysis],
        visitor: str,
        refused: Callable[[str, bool], Panel],
    ) -> Panels:
        stop = self.runs.begin(visitor)
        try:
            steps = in_steps(work, stop)
            while True:
                yield running(next(steps))
        except StopIteration as end:
            if end.value is not None:
                yield finished(end.value, self.keeping, self.toolbox.zoo)
        except DemoError as problem:
            yield refused(str(problem), isinstance(problem, NoFaceError))
        except Exception:
            logging.getLogger(__name__).exception("An analysis failed.")
            yield refused(BROKEN, False)
        finally:
            self.runs.end(visitor, stop)


def _closer(
    crops: Crops, gain: float, across: float, down: float, window: float
) -> tuple[Any, ...]:
    if not all(math.isfinite(number) for number in (gain, across, down, window)):
        raise SettingsError("Gain, place and window have to be numbers. Move their sliders.")
    height, width = crops.clean.shape[:2]
    centre = (across / 100 * width, down / 100 * height)
    changed = views.difference(crops.clean, crops.attacked, gain)
    box = views.window_box(changed, centre, round(window))
    framed = views.outline(changed, box, views.whole_factor(changed, DIFFERENCE_SIZE))
    zoomed = (
        views.zoom(picture, centre, round(window), ZOOM_SIZE)
        for picture in (crops.clean, crops.attacked, changed)
    )
    before, after, apart = zoomed
    times = f"×{gain:g}"
    return (
        gr.update(value=framed, label=f"Artifact difference, amplified {times}"),
        before,
        after,
        gr.update(value=apart, label=f"Difference {times}"),
        wording.window(
            box, views.whole_factor(crops.clean[box[1] : box[3], box[0] : box[2]], ZOOM_SIZE)
        ),
    )


def _cleared(sentence: str, no_face: bool) -> Panel:
    return nothing(sentence)


def _visitor(request: gr.Request) -> str:
    return str(request.session_hash)


def _point(event: gr.SelectData) -> tuple[float, float] | None:
    place = event.index
    if not isinstance(place, Sequence) or len(place) != 2:
        return None
    if not all(isinstance(part, int | float) and math.isfinite(part) for part in place):
        return None
    return float(place[0]), float(place[1])


def _per_cent(part: float) -> float:
    return round(100 * min(max(part, 0.0), 1.0), 1)


def _face_at(boxes: Sequence[Box], x: float, y: float) -> int | None:
    hit = [index for index, (x0, y0, x1, y1) in enumerate(boxes) if x0 <= x < x1 and y0 <= y < y1]
    return hit[-1] if hit else None
