"""What happens in the Study tab: a finished study is shown, another one run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from demo.core.errors import DemoError, SettingsError
from demo.study.finished import BUNDLED, FinishedStudy, archive, finished_studies
from demo.study.run import Plan
from demo.study.samples import DataSet, draw
from demo.ui import study_view as view
from demo.ui import wording
from demo.ui.handlers import BROKEN
from demo.ui.keeping import Keeping, RoomError
from demo.ui.panel import SKIP
from demo.ui.request_log import Account, Asked
from demo.ui.study_running import Ended, Running, StudyRun

STUDY = "study"
KERNEL = "area"


@dataclass(frozen=True)
class Studies:
    """What an operator gives the tab.

    Attributes:
        data: what visitors may run a study on.
        own: the folder with a folder for each study that is run; missing until there is one.
        bundled: the folder with the studies that ship.
    """

    data: tuple[DataSet, ...]
    own: Path
    bundled: Path = BUNDLED


class Seen(NamedTuple):
    """What a visitor has on show.

    Attributes:
        key: of the study; "" for none.
        began: whether the visitor began the study that runs, and waits for its report.
    """

    key: str = ""
    began: bool = False


class Shown(NamedTuple):
    """One value for each output of the tab, in their order there; ``SKIP`` leaves it as it is."""

    progress: Any = SKIP
    said: Any = SKIP
    problem: Any = SKIP
    choice: Any = SKIP
    headline: Any = SKIP
    html: Any = SKIP
    archive: Any = SKIP
    report: Any = SKIP
    timer: Any = SKIP
    seen: Any = SKIP


@dataclass(frozen=True)
class StudyHandlers:
    """The tab's events. Finished studies are named by their keys, never by where they lie."""

    studies: Studies
    keeping: Keeping
    run: StudyRun

    def open(self, seen: Seen | None) -> Shown:
        """Shows the list and the study that was on show, else the first; and what runs."""
        seen = seen or Seen()
        return self._listed(self._standing(), seen, seen.key)

    def show(self, key: str | None, seen: Seen | None) -> Shown:
        """Shows another study of the list."""
        return self._listed(Shown(), seen or Seen(), key or "")

    def start(
        self,
        place: int | None,
        factors: list[float],
        methods: list[str],
        limit: float | None,
        seed: float | None,
        seen: Seen | None,
    ) -> Shown:
        """Starts a study, or goes on with it."""
        try:
            whole_seed = _seed(seed)
            if place is None:
                raise SettingsError("A study needs data. Choose some.")
            data = self.studies.data[place]
            if limit is not None:
                data = draw(data, int(limit), whole_seed)
            self.run.begin(data, Plan(tuple(methods), tuple(factors), KERNEL, whole_seed))
        except DemoError as problem:
            return self._standing()._replace(problem=wording.problem(str(problem)))
        return self._standing()._replace(seen=(seen or Seen())._replace(began=True))

    def stop(self) -> Shown:
        """Stops the study that runs; its whole parts are kept."""
        self.run.stop()
        return self._standing()

    def tick(self, seen: Seen | None) -> Shown:
        """Shows how far the study is; at its end the list has it, and who began it sees it."""
        seen = seen or Seen()
        state, shown = self.run.state(), self._standing()
        if isinstance(state, Running):
            return shown
        key = seen.key
        if isinstance(state, Ended) and state.folder is not None and seen.began:
            key = next((one.key for one in self._own() if one.folder == state.folder), key)
        return self._listed(shown, seen._replace(began=False), key)

    def _standing(self) -> Shown:
        """How far the study is that runs, or how the last one ended."""
        state = self.run.state()
        refusal = state.refusal if isinstance(state, Ended) else ""
        return Shown(
            progress=view.progress(state) if isinstance(state, Running) else "",
            said=view.said(state) if state is not None else "",
            problem=wording.problem(refusal) if refusal else "",
            timer=gr.update(active=isinstance(state, Running)),
        )

    def _listed(self, shown: Shown, seen: Seen, key: str) -> Shown:
        """The same with the list as it is now, and the study of that key, else the first."""
        bundled = finished_studies(self.studies.bundled)
        listed = {one.key: one for one in (*bundled, *self._own())}
        if not listed:
            return shown._replace(choice=gr.update(visible=False), headline=view.NONE)
        chosen = listed.get(key) or next(iter(listed.values()))
        choices = [(view.label(one, one in bundled), one.key) for one in listed.values()]
        shown = shown._replace(choice=gr.update(choices=choices, value=chosen.key, visible=True))
        if chosen.key == seen.key:
            return shown._replace(seen=seen)
        try:
            return self._with_report(shown, chosen)._replace(seen=seen._replace(key=chosen.key))
        except RoomError as full:
            return shown._replace(problem=wording.problem(str(full)))
        except OSError as problem:
            Account(Asked("study report")).write("failed", problem=problem)
            return shown._replace(problem=wording.problem(BROKEN))

    def _with_report(self, shown: Shown, study: FinishedStudy) -> Shown:
        stem = re.sub(r"[^a-z0-9]+", "-", study.data.lower()).strip("-") or STUDY
        html = self.keeping.write(f"{stem}.html", study.report().encode())
        packed = self.keeping.write(f"{stem}.zip", archive(study))
        return shown._replace(
            headline=view.headline(study),
            html=gr.update(value=html, visible=True),
            archive=gr.update(value=packed, visible=True),
            report=view.framed(study),
        )

    def _own(self) -> Sequence[FinishedStudy]:
        """The operator's studies, the newest first."""
        found = finished_studies(self.studies.own)
        return sorted(found, key=lambda one: one.folder.stat().st_mtime, reverse=True)


def _seed(seed: float | None) -> int:
    if seed is None or not 0 <= seed < 2**32:
        raise SettingsError(
            "The seed must be a whole number from 0 to 4294967295. Write another one."
        )
    return int(seed)
