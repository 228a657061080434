"""What happens in the Defences tab: the face on show through every defence that is chosen."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import gradio as gr
import numpy as np

from demo.core.analysis import Toolbox
from demo.core.defences import Defence, clean_auc, defences
from demo.core.defending import DefendedScore, Defending, ask_defences
from demo.core.errors import DemoError
from demo.core.images import digest
from demo.core.settings import Settings
from demo.study.bundled_tables import read_defence_tables
from demo.ui import defences_view as view
from demo.ui import wording
from demo.ui.handlers import BROKEN, Given, visitor_of
from demo.ui.panel import Study
from demo.ui.request_log import asked as described
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep, Step

SKIP: Final = gr.skip()
DEFENCES: Final = "defences"


class Kept(NamedTuple):
    """A visitor's last answers, and what they are about; no pixel of the picture is among them.

    Attributes:
        digest: of the picture.
        settings: of the analysis.
        asked: names of the defences that were asked.
        white_box: whether each network was also attacked along its own gradient.
        scores: of those that answered.
        problems: sentences about the others.
    """

    digest: str
    settings: Settings
    asked: frozenset[str]
    white_box: bool
    scores: tuple[DefendedScore, ...]
    problems: tuple[str, ...]

    def holds(self, names: frozenset[str], white_box: bool) -> bool:
        """Whether these defences were asked, and attacked along their gradients if so wished."""
        return self.asked >= names and (self.white_box or not white_box)


class Shown(NamedTuple):
    """A value for each output of the tab, in their order there."""

    progress: Any = SKIP
    problem: Any = SKIP
    outcome: Any = SKIP
    face: Any = SKIP
    answers: Any = SKIP
    kept: Any = SKIP


@dataclass(frozen=True)
class DefencesHandlers:
    """The tab's events. Answers are kept for their visitor alone."""

    toolbox: Toolbox
    runs: Runs
    bundled: Path

    def open(
        self, kinds: Sequence[str], white_box: bool, study: Study | None, kept: Kept | None
    ) -> Shown:
        """Shows the face on show in the Analyse tab, and what is known about it already."""
        if study is None:
            said = wording.problem(view.NOTHING)
            return Shown("", said, "", "", "", SKIP)
        return self._known(kinds, white_box, study, kept)._replace(face=view.face(study))

    def studied(self) -> str:
        """The bundled study's tables."""
        return view.studied(read_defence_tables(self.bundled))

    def run(
        self,
        picture: Given,
        kinds: Sequence[str],
        white_box: bool,
        study: Study | None,
        kept: Kept | None,
        request: gr.Request,
    ) -> Generator[Shown, None, None]:
        """Asks the chosen defences about the face on show."""
        asked = self._chosen(kinds)
        if study is None or not isinstance(picture, np.ndarray):
            yield Shown("", wording.problem(view.NOTHING), "", "", "")
            return
        if digest(picture) != study.digest:
            yield Shown(problem=wording.problem(view.CHANGED))
            return
        if not asked:
            yield Shown("", wording.problem(view.UNTICKED), "", SKIP, "")
            return
        names = frozenset(one.name for one in asked)
        if kept is not None and _is_of(kept, study) and kept.holds(names, white_box):
            yield self._known(kinds, white_box, study, kept)
            return

        def work(on_step: OnStep) -> Defending:
            return ask_defences(picture, study.settings, asked, self.toolbox, on_step, white_box)

        def faces(made: Defending) -> int:
            return len(made.attack.faces)

        def show(step: Step) -> Shown:
            return Shown(progress=wording.progress(step))

        settings, zoo = study.settings, self.toolbox.zoo
        about = described("defences", picture, settings.k, settings.method, zoo=zoo)
        try:
            made = yield from self.runs.steps(
                visitor_of(request), Work(about, work, faces, "long"), show
            )
            if made is None:
                yield Shown(progress="")
                return
            done = Kept(study.digest, settings, names, white_box, made.scores, made.problems)
            shown = self._known(kinds, white_box, study, done)
            yield shown._replace(face=view.face(study), kept=done)
        except DemoError as problem:
            yield Shown("", wording.problem(str(problem)), "", SKIP, "")
        except Failed:
            yield Shown("", wording.problem(BROKEN), "", SKIP, "")

    def halt(self, request: gr.Request) -> None:
        """Stops the visitor's asking."""
        self.runs.stop(visitor_of(request))

    def _known(
        self, kinds: Sequence[str], white_box: bool, study: Study, kept: Kept | None
    ) -> Shown:
        """The answers about this face, of the chosen kinds, with or without gradients."""
        if kept is None or not _is_of(kept, study):
            return Shown("", "", view.INVITATION, SKIP, "")
        scores = [one for one in kept.scores if one.defence.kind in kinds]
        if not white_box:
            scores = [replace(one, gradient=None, plain_gradient=None) for one in scores]
        figures = {
            one.defence.name: found
            for one in scores
            if (found := clean_auc(one.defence, self.toolbox.zoo)) is not None
        }
        not_yet = view.NOT_YET if white_box and not kept.white_box else ""
        return Shown(
            progress="",
            problem=wording.problem(*kept.problems) if kept.problems else "",
            outcome=view.outcome(scores) + not_yet,
            answers=view.answers(scores, figures),
        )

    def _chosen(self, kinds: Sequence[str]) -> tuple[Defence, ...]:
        return tuple(one for one in defences(self.toolbox.zoo) if one.kind in kinds)


def _is_of(kept: Kept, study: Study) -> bool:
    return (kept.digest, kept.settings) == (study.digest, study.settings)
