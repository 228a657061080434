"""What happens in the studio: a sweep on request, the other views when they are opened."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from demo.core.analysis import Toolbox
from demo.core.errors import DemoError
from demo.core.images import digest
from demo.core.restoring import methods
from demo.core.settings import Settings
from demo.core.spectrum import compare_spectra
from demo.core.sweep import Sweep, sweep, swept
from demo.ui import wording
from demo.ui.handlers import BROKEN, Given
from demo.ui.panel import Study
from demo.ui.request_log import asked
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep, Step
from demo.ui.studio_tab import LOOK, SPECTRUM
from demo.ui.study_pictures import looks, spectra_shown
from demo.ui.sweep_chart import sweep_chart

INVITATION = (
    '<p class="under">At which K does each detector give up, and is it super-resolution or only '
    "blur? The sweep asks every detector at seven K, restored by EDSR, bicubic and Lanczos.</p>"
)
NOTHING = wording.problem("No result is on show. Choose a picture first, then look into it here.")
CHANGED = wording.problem("The picture has just changed. Wait for its analysis, then sweep again.")


class Kept(NamedTuple):
    """A visitor's last sweep, and what it is of: the picture's digest and the settings."""

    digest: str
    settings: Settings
    sweep: Sweep


@dataclass(frozen=True)
class StudioHandlers:
    """The studio's events. A sweep is kept for its visitor alone."""

    toolbox: Toolbox
    runs: Runs

    def run(
        self, picture: Given, study: Study | None, kept: Kept | None, request: gr.Request
    ) -> Generator[tuple[Any, Any], None, None]:
        """Sweeps the face on show: its chart, and the sweep to be kept."""
        if study is None or not isinstance(picture, np.ndarray):
            yield NOTHING, gr.skip()
            return
        if digest(picture) != study.digest:
            yield CHANGED, gr.skip()
            return
        if _is_of(kept, study):
            yield gr.skip(), gr.skip()
            return

        def work(on_step: OnStep) -> Kept:
            made = sweep(picture, study.settings, self.toolbox, on_step)
            return Kept(study.digest, swept(study.settings), made)

        def show(step: Step) -> tuple[Any, Any]:
            return wording.progress(step), gr.skip()

        about = asked("sweep", picture, zoo=self.toolbox.zoo)
        try:
            made = yield from self.runs.steps(
                str(request.session_hash), Work(about, work, length="long"), show
            )
            yield (INVITATION, gr.skip()) if made is None else (sweep_chart(made.sweep), made)
        except DemoError as problem:
            yield wording.problem(str(problem)), gr.skip()
        except Failed:
            yield wording.problem(BROKEN), gr.skip()

    def halt(self, request: gr.Request) -> None:
        """Stops the visitor's sweep."""
        self.runs.stop(str(request.session_hash))

    def show(self, opened: str, study: Study | None, kept: Kept | None) -> tuple[Any, Any, Any]:
        """Chart, looks and spectrum for the result on show; only what is open is computed."""
        if study is None:
            return INVITATION, NOTHING, NOTHING
        return (
            sweep_chart(kept.sweep) if kept is not None and _is_of(kept, study) else INVITATION,
            self._looks(study) if opened == LOOK else gr.skip(),
            self._spectrum(study) if opened == SPECTRUM else gr.skip(),
        )

    def set_to(self, event: gr.EventData) -> tuple[Any, Any]:
        """K and method of a point that was clicked; nothing where it is none of the sweep's."""
        k, method = event._data.get("k"), event._data.get("method")
        if not isinstance(k, int | float) or method not in methods(self.toolbox.zoo):
            return gr.skip(), gr.skip()
        return k, method

    def _looks(self, study: Study) -> str:
        # Only here: grad-cam brings scikit-learn, seconds for a view that few open.
        from demo.core.attention import attend_each

        try:
            return looks(study, attend_each(study.asked, self.toolbox))
        except DemoError as problem:
            return wording.problem(str(problem))

    def _spectrum(self, study: Study) -> str:
        try:
            return spectra_shown(compare_spectra(study.clean, study.attacked, study.settings.k))
        except DemoError as problem:
            return wording.problem(str(problem))


def _is_of(kept: Kept | None, study: Study | None) -> bool:
    return (
        kept is not None
        and study is not None
        and (kept.digest, kept.settings) == (study.digest, swept(study.settings))
    )
