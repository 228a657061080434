"""What happens in the Compare tab: pictures in, a row each, and any of them to the Analyse tab."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.compare import Row, compared, comparison_csv
from demo.core.errors import DemoError, ImageError
from demo.core.images import encode_png, read_picture
from demo.core.record import mark
from demo.core.settings import Settings
from demo.ui import wording
from demo.ui.compare_view import Entry, comparison, outcome
from demo.ui.handlers import BROKEN
from demo.ui.keeping import Keeping, RoomError
from demo.ui.panel import SKIP
from demo.ui.pictures_input import Upload
from demo.ui.request_log import asked
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep, Step

MOST = 6
ANALYSE, COMPARE = "analyse", "compare"
GONE = "This picture is no longer on the server. Send it again."


class Shown(NamedTuple):
    """One value for each output of the tab, in their order there; ``SKIP`` leaves it as it is."""

    progress: Any = SKIP
    problem: Any = SKIP
    outcome: Any = SKIP
    view: Any = SKIP
    csv: Any = SKIP
    kept: Any = SKIP


class Opened(NamedTuple):
    """What opening a row changes: the tab on show, and the Analyse tab's controls."""

    pages: gr.Tabs
    picture: str
    k: float
    method: str
    kernel: str
    scope: str


@dataclass(frozen=True)
class CompareHandlers:
    """The tab's events. What is compared is kept for its visitor alone."""

    toolbox: Toolbox
    keeping: Keeping
    runs: Runs

    def run(
        self,
        uploads: tuple[Upload, ...],
        k: float,
        method: str,
        kernel: str,
        scope: str,
        kept: Sequence[Entry],
        request: gr.Request,
        moment: float | None = None,
    ) -> Generator[Shown, None, None]:
        """Compares what was sent, a row as soon as it is there; what is known is not done again."""
        try:
            settings = Settings(k, method, kernel, scope)
        except DemoError as problem:
            yield _cleared(str(problem))
            return
        if not uploads:
            self.halt(request)
            yield _cleared("")
            return
        taken, problems = uploads[:MOST], _too_many(uploads[MOST:])
        known = {entry.upload: entry for entry in kept if entry.row.settings == settings}
        entries: list[Entry] = []

        def work(on_step: OnStep) -> Shown:
            for number, upload in enumerate(taken):
                entry = known.get(upload)
                if entry is None or not _crops_there(entry):
                    entry = self._entry(upload, settings, _part(on_step, number, taken))
                entries.append(entry)
            return self._finished(entries, (), settings, problems)

        shown = -1

        def show(step: Step) -> Shown:
            nonlocal shown
            now = Shown(progress=wording.progress(step))
            if len(entries) == shown:
                return now
            shown = len(entries)
            rows = _so_far(entries[:shown], taken[shown:], settings, problems)
            return rows._replace(progress=now.progress)

        about = asked("compare", None, k, method, zoo=self.toolbox.zoo)
        try:
            made = yield from self.runs.steps(
                str(request.session_hash), Work(about, work, length="long"), show, moment
            )
            yield Shown(progress="") if made is None else made
        except DemoError as problem:
            yield _cleared(str(problem))
        except Failed:
            yield _cleared(BROKEN)

    def halt(self, request: gr.Request) -> None:
        """Stops the visitor's comparison."""
        self.runs.stop(str(request.session_hash))

    def settle(
        self, uploads: tuple[Upload, ...], kept: Sequence[Entry], request: gr.Request
    ) -> Shown:
        """Stops the visitor's comparison; the pictures that are done stay and can be saved."""
        self.halt(request)
        if not kept:
            return Shown(progress="")
        left = [one for one in uploads[:MOST] if one not in {entry.upload for entry in kept}]
        try:
            return self._finished(kept, left, kept[0].row.settings, _too_many(uploads[MOST:]))
        except RoomError as full:
            return Shown(progress="", problem=wording.problem(str(full)))

    def open(self, kept: Sequence[Entry], event: gr.EventData) -> Opened:
        """Sets the Analyse tab to a row's picture and settings, and shows it.

        The picture goes there as a copy of its own, so that it is new there even if it was opened
        before, and is analysed under the settings that come with it.
        """
        number = event._data.get("row")
        if not isinstance(number, int) or not 0 <= number < len(kept):
            raise gr.Error(GONE, print_exception=False)
        entry = kept[number]
        settings = entry.row.settings
        if entry.upload.path is None or not entry.upload.path.is_file():
            raise gr.Error(GONE, print_exception=False)
        try:
            copy = self.keeping.write(entry.upload.path.name, entry.upload.path.read_bytes())
        except RoomError as full:
            raise gr.Error(str(full), print_exception=False) from None
        return Opened(
            pages=gr.Tabs(selected=ANALYSE),
            picture=copy,
            k=settings.k,
            method=settings.method,
            kernel=settings.kernel,
            scope=settings.scope,
        )

    def _entry(self, upload: Upload, settings: Settings, on_step: OnStep) -> Entry:
        readable = False
        try:
            if upload.path is None:
                raise ImageError(upload.refusal)
            picture = read_picture(upload.path)
            readable = True
            analysis = analyse(picture, settings, self.toolbox, on_step)
        except DemoError as refused:
            row = Row(upload.name, settings, None, str(refused))
            return Entry(upload, row, None, readable)
        return Entry(upload, compared(upload.name, analysis), self._crops(analysis), readable)

    def _crops(self, analysis: Analysis) -> tuple[str, str]:
        result = analysis.results[0]
        return (
            self.keeping.write("before.png", encode_png(result.clean, {})),
            self.keeping.write("after.png", encode_png(result.attacked, mark(analysis))),
        )

    def _finished(
        self,
        entries: Sequence[Entry],
        left: Sequence[Upload],
        settings: Settings,
        problems: Sequence[str],
    ) -> Shown:
        table = comparison_csv([entry.row for entry in entries]).encode()
        file = self.keeping.write(f"compare-{settings.method}-k{settings.k:g}.csv", table)
        return _so_far(entries, left, settings, problems, "Stopped before its turn.")._replace(
            progress="", csv=gr.update(value=file, interactive=True, visible=True)
        )


def _so_far(
    entries: Sequence[Entry],
    left: Sequence[Upload],
    settings: Settings,
    problems: Sequence[str],
    said: str = "Waiting for its turn.",
) -> Shown:
    rows = [entry.row for entry in entries]
    silent = [line for row in rows if row.reading for line in row.reading.problems]
    every = tuple(dict.fromkeys((*problems, *silent)))
    return Shown(
        problem=wording.problem(*every) if every else "",
        outcome=outcome(rows, len(left), settings),
        view=comparison(entries, left, said),
        csv=gr.update(value=None, interactive=False, visible=False),
        kept=tuple(entries),
    )


def _cleared(sentence: str) -> Shown:
    return Shown(
        progress="",
        problem=wording.problem(sentence) if sentence else "",
        outcome="",
        view="",
        csv=gr.update(value=None, interactive=False, visible=False),
        kept=(),
    )


def _too_many(left_out: Sequence[Upload]) -> tuple[str, ...]:
    if not left_out:
        return ()
    names = ", ".join(upload.name for upload in left_out[:MOST])
    more = f" and {len(left_out) - MOST} more" if len(left_out) > MOST else ""
    return (
        f"At most {MOST} pictures are compared, but {MOST + len(left_out)} came: the first {MOST} "
        f"are taken, and {names}{more} left out. Take some away to make room.",
    )


def _part(on_step: OnStep, number: int, taken: Sequence[Upload]) -> OnStep:
    """Tells one picture's steps as a part of all of them."""

    def on_own_step(stage: str, fraction: float) -> None:
        name = f"Picture {number + 1} of {len(taken)}, {taken[number].name}: {stage}"
        on_step(name, (number + fraction) / len(taken))

    return on_own_step


def _crops_there(entry: Entry) -> bool:
    return entry.crops is not None and all(Path(crop).is_file() for crop in entry.crops)
