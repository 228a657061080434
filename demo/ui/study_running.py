"""The one study that runs on the server: it goes on when its visitor leaves, until it is stopped.

Whoever opens the page sees how far it is. Its folder is named by what is asked, so the same
settings go on where they were stopped, also after the server was started anew.
"""

import atexit
import time
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Literal

from demo.core.analysis import Toolbox
from demo.core.errors import DemoError, SettingsError
from demo.core.images import Picture
from demo.study.run import Plan, run_study, study_name
from demo.study.samples import DataSet, Sample
from demo.ui.request_log import Account, Asked
from demo.ui.stepping import Stopped, step_back

FAILED = "Something went wrong on the server, and the study ended. Run it again: it goes on."
_NICENESS = 10
_LAST_SECONDS = 10.0


@dataclass(frozen=True)
class Running:
    """How far the server's study is.

    Attributes:
        data: what it is run on, in words.
        plan: what is asked.
        done: pictures measured, the one in hand among them.
        total: pictures in all.
        rate: pictures a second since this start; None until there is one.
        stage: "measuring", then "writing" the report; "stopping" once that is asked for.
    """

    data: str
    plan: Plan
    done: int
    total: int
    rate: float | None = None
    stage: Literal["measuring", "stopping", "writing"] = "measuring"


@dataclass(frozen=True)
class Ended:
    """How the server's last study ended.

    Attributes:
        last: where it was then.
        folder: of the study, where its report is written; None where it is not.
        refusal: the sentence that says why it could not go on; "" where nothing was refused.
    """

    last: Running
    folder: Path | None = None
    refusal: str = ""


class StudyRun:
    """At most one study at a time, in a thread that leaves the analyses of visitors the way."""

    def __init__(self, toolbox: Toolbox, shelf: Path) -> None:
        """Begin nothing yet.

        Args:
            toolbox: the models.
            shelf: the folder that takes a folder for each study.
        """
        self._toolbox = toolbox
        self._shelf = shelf
        self._lock = Lock()
        self._stop = Event()
        self._thread: Thread | None = None
        self._state: Running | Ended | None = None
        atexit.register(self._leave)

    def state(self) -> Running | Ended | None:
        """The study that runs, or how the last one ended; None where there was none."""
        with self._lock:
            return self._state

    def begin(self, data: DataSet, plan: Plan) -> None:
        """Start a study, or go on with it, and return at once.

        Raises:
            SettingsError: another one runs, or the plan cannot be carried out.
        """
        plan.round_trips(data.crops)
        with self._lock:
            if isinstance(self._state, Running):
                raise SettingsError(
                    "One study runs on this server at a time, and one is running. Wait for its "
                    "end, or stop it."
                )
            self._stop.clear()
            self._state = Running(data.name, plan, 0, len(data.samples))
            self._thread = Thread(target=self._work, args=(data, plan), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Have the study end before its next picture, if one runs; its whole parts are kept."""
        with self._lock:
            if isinstance(self._state, Running) and self._state.stage == "measuring":
                self._stop.set()
                self._state = replace(self._state, stage="stopping")

    def _leave(self) -> None:
        """Let the thread end before the process does, which would abort it inside a network."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_LAST_SECONDS)

    def _work(self, data: DataSet, plan: Plan) -> None:
        step_back(_NICENESS)
        folder, refusal, account = None, "", Account(Asked("study"))
        try:
            account.step("Measuring")
            out = self._shelf / study_name(data, plan, self._toolbox)
            run_study(self._counted(data), plan, self._toolbox, out, self._on_part)
            with self._lock:
                self._state = replace(self._running(), stage="writing")
            # Only here: a report brings matplotlib and scikit-learn, seconds to import.
            from demo.study.report import write_report

            account.step("Writing the report")
            write_report(out)
            folder = out
            account.write("done")
        except Stopped:
            account.write("stopped")
        except DemoError as refused:
            refusal = str(refused)
            account.write("refused")
        except Exception as problem:
            refusal = FAILED
            account.write("failed", problem=problem)
        with self._lock:
            self._state = Ended(self._running(), folder, refusal)

    def _counted(self, data: DataSet) -> DataSet:
        """The same data, which tell every picture that is read, and can be stopped there."""
        times: list[float] = []

        def read(sample: Sample) -> Picture:
            if self._stop.is_set():
                raise Stopped
            times.append(time.monotonic())
            passed = times[-1] - times[0]
            with self._lock:
                state = self._running()
                self._state = replace(
                    state,
                    done=min(state.done + 1, state.total),
                    rate=(len(times) - 1) / passed if passed else None,
                )
            return data.read(sample)

        return replace(data, read=read)

    def _on_part(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped
        with self._lock:
            self._state = replace(self._running(), done=done)

    def _running(self) -> Running:
        assert isinstance(self._state, Running)
        return self._state
