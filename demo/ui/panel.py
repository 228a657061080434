"""What one event changes on the page: a value for each output, or nothing."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.core.analysis import Analysis, AskedCrops, FaceResult, asked_crops
from demo.core.errors import SettingsError
from demo.core.images import Picture, digest, encode_png
from demo.core.record import mark, record_json
from demo.core.settings import Settings
from demo.ui import wording
from demo.ui.faces_list import faces_list
from demo.ui.keeping import Keeping
from demo.ui.round_trip_wording import round_trips
from demo.ui.stepping import Step
from demo.views import marked_frame
from models.zoo import Zoo

SKIP = gr.skip()
OWN_BOX, WHOLE = "box", "whole"


@dataclass(frozen=True)
class Crops:
    """The two crops on show, kept for one visitor so that looking closer costs no analysis."""

    clean: Picture
    attacked: Picture


@dataclass(frozen=True)
class Study:
    """What the studio looks into: the result on show, kept for one visitor.

    Attributes:
        digest: of the picture.
        settings: of the analysis, with the face on show as the chosen one.
        clean: crop before.
        attacked: crop after.
        asked: what each detector was asked about.
    """

    digest: str
    settings: Settings
    clean: Picture
    attacked: Picture
    asked: tuple[AskedCrops, ...]


class Controls(NamedTuple):
    """The page's controls as they stand; None where a number field is empty."""

    k: float
    method: str
    kernel: str
    scope: str
    subject: str | None = "0"
    left: float | None = None
    top: float | None = None
    right: float | None = None
    bottom: float | None = None

    def settings(self) -> Settings:
        """Turns the controls into settings.

        Raises:
            SettingsError: a control holds something that cannot be carried out.
        """
        asked = partial(Settings, self.k, self.method, self.kernel, self.scope)
        if self.subject == OWN_BOX:
            return asked(box=self._box())
        if self.subject == WHOLE:
            return asked(whole=True)
        if not (self.subject or "0").isdecimal():
            raise SettingsError(
                "A face number, your own box or the whole picture was expected. Choose one of them."
            )
        return asked(face=int(self.subject or 0))

    def _box(self) -> tuple[float, float, float, float]:
        if self.left is None or self.top is None or self.right is None or self.bottom is None:
            raise SettingsError(
                "Your own box needs four numbers: left, top, right and bottom. Fill them in, or "
                "click two opposite corners in the picture."
            )
        across, down = sorted((self.left, self.right)), sorted((self.top, self.bottom))
        return across[0], down[0], across[1], down[1]


class Panel(NamedTuple):
    """One value for each output of the page, in their order there; ``SKIP`` leaves it as it is."""

    progress: Any = SKIP
    problem: Any = SKIP
    results: Any = SKIP
    verdict: Any = SKIP
    detectors: Any = SKIP
    quality: Any = SKIP
    comparison: Any = SKIP
    attacked: Any = SKIP
    frame: Any = SKIP
    subject: Any = SKIP
    hint: Any = SKIP
    hand: Any = SKIP
    left: Any = SKIP
    top: Any = SKIP
    right: Any = SKIP
    bottom: Any = SKIP
    png: Any = SKIP
    record: Any = SKIP
    crops: Any = SKIP
    boxes: Any = SKIP
    corner: Any = SKIP
    study: Any = SKIP
    faces: Any = SKIP
    together: Any = SKIP
    reproduced: Any = SKIP
    pending: Any = SKIP


# A handler that shows nothing has to say so: Gradio takes its silence for a page to be emptied.
UNCHANGED = Panel()


def running(step: Step) -> Panel:
    """Shows where the analysis is, and leaves the last result standing, dimmed.

    What was refused before it is no longer said.
    """
    return Panel(progress=wording.progress(step), problem="")


def nothing(sentence: str = "") -> Panel:
    """Clears the page of every result, and says why."""
    return Panel(
        progress="",
        problem=wording.problem(sentence) if sentence else "",
        results=gr.update(visible=False),
        verdict="",
        detectors="",
        quality="",
        comparison=None,
        attacked=None,
        frame=gr.update(value=None, visible=False),
        subject=gr.update(choices=[], value=None, visible=False),
        hint="",
        hand=gr.update(visible=False),
        png=gr.update(value=None, interactive=False),
        record=gr.update(value=None, interactive=False),
        crops=None,
        boxes=(),
        corner=None,
        study=None,
        faces="",
        together=None,
        reproduced="",
        pending=None,
    )


def refused_setting(sentence: str) -> Panel:
    """Clears the result but leaves the faces that were found, so that one can be chosen again."""
    return nothing(sentence)._replace(frame=SKIP, subject=SKIP, hint=SKIP, hand=SKIP, boxes=SKIP)


def without_result(picture: Picture, subject: str | None, sentence: str) -> Panel:
    """Clears the result but keeps the picture, so that a box can be drawn in it."""
    return nothing(sentence)._replace(
        frame=gr.update(value=marked_frame(picture, {}, None), visible=True),
        subject=gr.update(choices=subjects(0), value=subject, visible=True),
        hint=wording.hint(0, subject),
        hand=gr.update(visible=subject == OWN_BOX),
    )


def finished(analysis: Analysis, keeping: Keeping, zoo: Zoo) -> Panel:
    """Shows an analysis: everything on the page comes from this one record."""
    result = analysis.chosen
    settings = analysis.settings
    # A box that reached out of the picture was cut to it, and so says the form.
    left, top, right, bottom = (SKIP,) * 4 if settings.box is None else result.face.box
    stem = f"{settings.method}-k{settings.k:g}"
    png = keeping.write(f"attacked-{stem}.png", encode_png(analysis.attacked, mark(analysis)))
    record = keeping.write(f"record-{stem}.json", record_json(analysis).encode())

    def shown(name: str, picture: Picture) -> str:
        # Gradio would encode an array itself, twice as slowly, to save a tenth of the bytes.
        return keeping.write(f"{name}.png", encode_png(picture, {}))

    return Panel(
        progress=wording.summary(result),
        problem=wording.problem(*analysis.problems) if analysis.problems else "",
        results=gr.update(visible=True),
        verdict=wording.verdict(analysis, result),
        detectors=wording.detectors(result.scores) + round_trips(result),
        quality=wording.quality(result),
        comparison=(shown("before", result.clean), shown("after", result.attacked)),
        attacked=png,
        frame=gr.update(value=shown("faces", _frame(analysis, result)), visible=True),
        subject=gr.update(
            choices=subjects(len(analysis.faces)), value=subject_of(settings), visible=True
        ),
        hint=wording.hint(len(analysis.faces), subject_of(settings)),
        hand=gr.update(visible=settings.box is not None),
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        png=gr.update(value=png, interactive=True),
        record=gr.update(value=record, interactive=True),
        crops=Crops(result.clean, result.attacked),
        boxes=tuple(face.box for face in analysis.faces),
        corner=None,
        study=Study(
            digest=digest(analysis.picture),
            settings=settings,
            clean=result.clean,
            attacked=result.attacked,
            asked=asked_crops(analysis, result, zoo),
        ),
        faces=faces_list(analysis, result),
        together=analysis if len(analysis.results) > 1 else None,
        reproduced="",
        pending=None,
    )


def turned_to(together: Analysis | None, picture: Picture, settings: Settings) -> Analysis | None:
    """The analysis of several faces, turned to the face that the settings choose.

    Args:
        together: the visitor's last one, if there is one.
        picture: uint8 RGB, on the page now.
        settings: wanted now.

    Returns:
        None where the picture or any other setting differs: it has to be analysed.
    """
    if together is None or settings != replace(together.settings, face=settings.face):
        return None
    if settings.face >= len(together.results) or not np.array_equal(picture, together.picture):
        return None
    return replace(together, settings=settings)


def subjects(faces: int) -> list[tuple[str, str]]:
    """The choices of what is taken as the face: (words, value), found faces first."""
    numbered = [(f"Face {index + 1}", str(index)) for index in range(faces)]
    return [*numbered, ("My own box", OWN_BOX), ("Whole picture", WHOLE)]


def subject_of(settings: Settings) -> str:
    """The choice that leads to these settings."""
    if settings.box is not None:
        return OWN_BOX
    return WHOLE if settings.whole else str(settings.face)


def new_picture(picture: Picture) -> Panel:
    """Starts a hand-drawn box in the middle half of a picture that is new on the page."""
    height, width = picture.shape[:2]
    return Panel(
        left=width // 4,
        top=height // 4,
        right=width - width // 4,
        bottom=height - height // 4,
        corner=None,
    )


def _frame(analysis: Analysis, result: FaceResult) -> Picture:
    boxes = {str(index + 1): face.box for index, face in enumerate(analysis.faces)}
    if result.face.source == "mtcnn":
        chosen = str(analysis.faces.index(result.face) + 1)
    else:
        chosen = "box" if result.face.source == "hand" else "all"
        boxes[chosen] = result.face.box
    return marked_frame(analysis.picture, boxes, chosen)
