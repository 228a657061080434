"""Long work behind a page: it waits its turn, reports its steps, and stops when nobody waits."""

import os
import sys
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread, get_native_id
from typing import Generic, Literal, TypeVar

from demo.core.errors import DemoError
from demo.ui.line import BusyError, Line
from demo.ui.request_log import Account, Asked

Result = TypeVar("Result")
Shown = TypeVar("Shown")
OnStep = Callable[[str, float], None]
Length = Literal["none", "short", "long"]

# Every heartbeat of every visitor who waits costs the page's own thread some milliseconds.
_HEARTBEAT = 1.0
_LOOK_OUT = 0.25
_NICENESS = 5
_WAITING = "Waiting for a turn"


class Stopped(Exception):  # noqa: N818
    """Raised inside the work when nobody waits for its result any more."""


class Failed(Exception):  # noqa: N818
    """The work ended with an exception that nobody foresaw; the log has its line."""


@dataclass(frozen=True)
class Step:
    """How far the work is: the stage in words, and a fraction from 0 to 1."""

    name: str
    fraction: float


def _unknown(result: object) -> int | None:
    return None


@dataclass(frozen=True)
class Work(Generic[Result]):
    """What a visitor asks the server to do.

    Attributes:
        asked: the same for the log.
        perform: does it; takes the function that it reports its steps to.
        faces: counts the faces in what came out, for the log.
        length: "short" work goes through the line and then to its end; "long" work lets others
            before it at each of its steps; with "none" there is nothing to compute and no line.
    """

    asked: Asked
    perform: Callable[[OnStep], Result]
    faces: Callable[[Result], int | None] = _unknown
    length: Length = "short"


def in_steps(work: Work[Result], stop: Event, line: Line) -> Generator[Step, None, Result | None]:
    """Has work wait its turn and runs it in a thread of its own; yields where it is meanwhile.

    Closing the generator, as Gradio does when the visitor leaves, or setting ``stop`` ends the
    work at its next step. Its place in the line is free once its thread has ended, and exactly one
    line is written to the log.

    Args:
        work: what is to be done.
        stop: set from outside when the result is wanted no more.
        line: where it waits.

    Returns:
        What the work returned; None when it was stopped.

    Raises:
        BusyError: the line is full; nothing was begun.
        DemoError: what the work refused.
        Failed: it raised anything else.
    """
    account = Account(work.asked)
    try:
        place = line.pass_by(stop) if work.length == "none" else line.join(stop)
    except BusyError:
        account.write("busy")
        raise
    steps: SimpleQueue[Step] = SimpleQueue()
    outcome: Future[Result | None] = Future()
    left = Event()

    def wait_for_turn() -> None:
        told = -1
        while not place.turn.is_set():
            before = line.ahead(place)
            if before != told:
                account.step(_WAITING)
                steps.put(Step(f"{_WAITING}, {before or 'nobody'} before you", 0.0))
                told = before
            place.turn.wait(_LOOK_OUT)
            _check(stop)

    def report(name: str, fraction: float) -> None:
        _check(stop)
        if work.length == "long":
            line.give_way(place)
            wait_for_turn()
        account.step(name)
        steps.put(Step(name, fraction))

    def work_it() -> Result:
        try:
            wait_for_turn()
            return work.perform(report)
        finally:
            line.leave(place)

    def perform() -> None:
        step_back(_NICENESS)
        try:
            result = work_it()
        except Stopped:
            account.write("left" if left.is_set() else "stopped")
            outcome.set_result(None)
        except DemoError as refusal:
            account.write("refused")
            outcome.set_exception(refusal)
        except BaseException as problem:
            account.write("failed", problem=problem)
            outcome.set_exception(Failed())
        else:
            account.write("done", work.faces(result))
            outcome.set_result(result)
        steps.put(Step("", 1.0))

    Thread(target=perform, daemon=True).start()
    step = Step("Starting", 0.0)
    try:
        while not outcome.done() and not stop.is_set():
            yield step
            try:
                step = steps.get(timeout=_HEARTBEAT)
            except Empty:
                continue
        return outcome.result() if not stop.is_set() else None
    except GeneratorExit:
        left.set()
        raise
    finally:
        stop.set()


def step_back(niceness: int) -> None:
    """Lowers this thread's priority, and so that of the threads that compute for it.

    The threads that answer the page stay before it, however much there is to compute.
    """
    # Elsewhere a priority belongs to the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), niceness)


def _check(stop: Event) -> None:
    if stop.is_set():
        raise Stopped


class Runs:
    """Which work each visitor waits for in one place of the page: a new one ends the one before."""

    def __init__(self, line: Line | None = None) -> None:
        """Begin with none.

        Args:
            line: where all the server's work waits; a line of its own where none is given.
        """
        self.line = line or Line()
        self._lock = Lock()
        self._stops: dict[str, Event] = {}

    def steps(
        self, visitor: str, work: Work[Result], show: Callable[[Step], Shown]
    ) -> Generator[Shown, None, Result | None]:
        """Does a visitor's work in place of what the visitor waited for so far, see ``in_steps``.

        Args:
            visitor: whose it is.
            work: what is to be done.
            show: turns each step into what is yielded.

        Returns:
            What the work returned; None when it was stopped.
        """
        stop = self.begin(visitor)
        try:
            steps = in_steps(work, stop, self.line)
            with closing(steps):
                while True:
                    try:
                        step = next(steps)
                    except StopIteration as end:
                        result: Result | None = end.value
                        return result
                    yield show(step)
        finally:
            self.end(visitor, stop)

    def begin(self, visitor: str) -> Event:
        """Stops what the visitor waited for so far; returns the new run's stop signal."""
        stop = Event()
        with self._lock:
            former = self._stops.get(visitor)
            self._stops[visitor] = stop
        if former is not None:
            former.set()
        return stop

    def end(self, visitor: str, stop: Event) -> None:
        """Stops a run and forgets it, unless a newer one took its place."""
        stop.set()
        with self._lock:
            if self._stops.get(visitor) is stop:
                del self._stops[visitor]

    def stop(self, visitor: str) -> None:
        """Stops what the visitor waits for, if anything."""
        with self._lock:
            former = self._stops.pop(visitor, None)
        if former is not None:
            former.set()

    def __len__(self) -> int:
        """How many analyses run now."""
        with self._lock:
            return len(self._stops)
