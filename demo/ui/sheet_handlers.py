"""What happens at the figure sheet's form: one is made on request, and goes with its picture."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.errors import DemoError, SettingsError
from demo.core.images import Picture, digest
from demo.core.settings import Settings
from demo.core.sweep import swept
from demo.sheet.settings import ROWS, PictureShown, SheetSettings
from demo.ui import wording
from demo.ui.handlers import BROKEN, Given
from demo.ui.keeping import Keeping
from demo.ui.looking_closer import check_look
from demo.ui.panel import Study
from demo.ui.request_log import asked as described
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep, Step
from demo.ui.studio_handlers import NOTHING
from models.cards import DETECTOR_NAMES

STEM = "figure-sheet"
# What an upload was called is not known here, and nobody else's business in a figure.
NAME = "PICTURE"
CHANGED = wording.problem(
    "The picture has just changed. Wait for its analysis, then make the sheet again."
)
SKIP = gr.skip()

Subject = tuple[str, Settings]


class Shown(NamedTuple):
    """One value for each output of the form, in their order there; ``SKIP`` leaves it."""

    status: Any = SKIP
    preview: Any = SKIP
    download: Any = SKIP
    made: Any = SKIP


NONE = Shown("", gr.update(value=None, visible=False), gr.update(value=None, visible=False), None)


class Asked(NamedTuple):
    """The form's values, and those of the window and gain that the page shows."""

    factors: list[float]
    methods: list[str]
    rows: list[str]
    width: int
    kind: str
    gain: float
    across: float
    down: float
    window: float


@dataclass(frozen=True)
class SheetHandlers:
    """The form's events. A visitor's sheet lies in the page's own folder, for a short while."""

    toolbox: Toolbox
    keeping: Keeping
    runs: Runs

    def make(
        self,
        picture: Given,
        study: Study | None,
        factors: list[float],
        methods: list[str],
        rows: list[str],
        width: int,
        kind: str,
        gain: float,
        across: float,
        down: float,
        window: float,
        request: gr.Request,
    ) -> Generator[Shown, None, None]:
        """Makes a sheet of the face on show and offers it."""
        asked = Asked(factors, methods, rows, width, kind, gain, across, down, window)
        if study is None or not isinstance(picture, np.ndarray):
            yield Shown(status=NOTHING)
            return
        if digest(picture) != study.digest:
            yield Shown(status=CHANGED)
            return
        yield from self._make(picture, study, asked, str(request.session_hash))

    def halt(self, request: gr.Request) -> None:
        """Stops making the visitor's sheet."""
        self.runs.stop(str(request.session_hash))

    def still(self, study: Study | None, made: Subject | None) -> Shown:
        """Leaves a sheet of the face on show, and takes away one of anything else."""
        return Shown() if study is not None and made == _subject(study) else NONE

    def _make(
        self, picture: Picture, study: Study, asked: Asked, visitor: str
    ) -> Generator[Shown, None, None]:
        def work(on_step: OnStep) -> Shown:
            return self._finished(self._sheet(picture, study, asked, on_step), study, asked)

        def show(step: Step) -> Shown:
            return Shown(status=wording.progress(step))

        about = described("sheet", picture, zoo=self.toolbox.zoo)
        try:
            made = yield from self.runs.steps(visitor, Work(about, work, length="long"), show)
            yield Shown(status="") if made is None else made
        except DemoError as problem:
            yield NONE._replace(status=wording.problem(str(problem)))
        except Failed:
            yield NONE._replace(status=wording.problem(BROKEN))

    def _sheet(
        self, picture: Picture, study: Study, asked: Asked, on_step: OnStep
    ) -> tuple[bytes, bytes]:
        """The file asked for, and the sheet as PNG for looking at."""
        chosen = _sheet_settings(study, asked)
        pairs = list(product(asked.methods, asked.factors))
        if not pairs:
            raise SettingsError("A figure sheet needs one K or more, and who restores. Tick them.")
        analyses: list[Analysis] = []
        for number, (method, k) in enumerate(pairs):

            def report(stage: str, fraction: float, number: int = number) -> None:
                on_step(stage, 0.9 * (number + fraction) / len(pairs))

            settings = replace(study.settings, k=k, method=method)
            analyses.append(analyse(picture, settings, self.toolbox, report))
        # Only here: matplotlib takes a second to import.
        from demo.sheet.figure import figure_sheet

        on_step("Drawing the sheet", 0.9)
        shown = [PictureShown(NAME, tuple(analyses))]
        more = self._more_options()
        png = figure_sheet(shown, chosen, f"{STEM}.png", more)
        if asked.kind == "png":
            return png, png
        return figure_sheet(shown, chosen, f"{STEM}.{asked.kind}", more), png

    def _more_options(self) -> list[str]:
        """The precision, and the operator's networks, whose files are nobody else's business."""
        zoo = self.toolbox.zoo
        words = [] if zoo.precision == "float32" else ["--precision", zoo.precision]
        for name in zoo.detector_names:
            words += [] if name in DETECTOR_NAMES else ["--detector", f"{name}=FILE"]
        for name in zoo.restorer_names:
            words += ["--super-resolution", f"{name}=FILE"]
        return words

    def _finished(self, made: tuple[bytes, bytes], study: Study, asked: Asked) -> Shown:
        file, png = made
        path = self.keeping.write(f"{STEM}.{asked.kind}", file)
        preview = path if asked.kind == "png" else self.keeping.write(f"{STEM}.png", png)
        size = f"{len(file) / 2**20:.1f} MB"
        return Shown(
            status='<p class="under">The figure sheet is ready.</p>',
            preview=gr.update(value=preview, visible=True),
            download=gr.update(
                value=path, visible=True, label=f"Figure sheet ({asked.kind.upper()}, {size})"
            ),
            made=_subject(study),
        )


def _subject(study: Study) -> Subject:
    return study.digest, swept(study.settings)


def _sheet_settings(study: Study, asked: Asked) -> SheetSettings:
    check_look(asked.gain, asked.across, asked.down, asked.window)
    height, width = study.clean.shape[:2]
    return SheetSettings(
        rows=tuple(row for row in ROWS if row in asked.rows),
        width_mm=asked.width,
        gain=asked.gain,
        window=round(asked.window),
        at=(round(asked.across / 100 * width, 2), round(asked.down / 100 * height, 2)),
    )
