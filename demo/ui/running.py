"""A visitor's work: it waits its turn, has its line in the log, and one replaces the one before."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Lock
from typing import Generic, Literal, TypeVar

from demo.core.errors import DemoError
from demo.ui.line import BusyError, Line
from demo.ui.request_log import Account, Asked
from demo.ui.stepping import OnStep, Step, Stopped, in_thread

Result = TypeVar("Result")
Shown = TypeVar("Shown")
Length = Literal["none", "short", "long"]

_LOOK_OUT = 0.25
_REMEMBERED = 1000
_WAITING = "Waiting for a turn"


class Failed(Exception):  # noqa: N818
    """The work ended with an exception that nobody foresaw; the log has its line."""


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
    left = Event()

    def perform(on_step: OnStep) -> Result:
        def wait_for_turn() -> None:
            told = -1
            while not place.turn.wait(_LOOK_OUT):
                if stop.is_set():
                    raise Stopped
                if told != (before := line.ahead(place)):
                    account.step(_WAITING)
                    on_step(f"{_WAITING}, {before or 'nobody'} before you", 0.0)
                    told = before

        def report(name: str, fraction: float) -> None:
            if work.length == "long":
                line.give_way(place)
                wait_for_turn()
            account.step(name)
            on_step(name, fraction)

        try:
            wait_for_turn()
            return work.perform(report)
        finally:
            line.leave(place)

    def accounted(on_step: OnStep) -> Result:
        try:
            result = perform(on_step)
        except Stopped:
            account.write("left" if left.is_set() else "stopped")
            raise
        except DemoError:
            account.write("refused")
            raise
        except BaseException as problem:
            account.write("failed", problem=problem)
            raise Failed from None
        account.write("done", work.faces(result))
        return result

    return (yield from in_thread(accounted, stop, left))


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
        self._moments: dict[str, float] = {}

    def steps(
        self,
        visitor: str,
        work: Work[Result],
        show: Callable[[Step], Shown],
        moment: float | None = None,
    ) -> Generator[Shown, None, Result | None]:
        """Does a visitor's work in place of what the visitor waited for so far, see ``in_steps``.

        Args:
            visitor: whose it is.
            work: what is to be done.
            show: turns each step into what is yielded.
            moment: when the visitor asked, see ``begin``.

        Returns:
            What the work returned; None when it was stopped, or came too late to begin.
        """
        stop = self.begin(visitor, moment)
        if stop.is_set():
            Account(work.asked).write("stopped")
            return None
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

    def begin(self, visitor: str, moment: float | None = None) -> Event:
        """Stops what the visitor waited for so far.

        Args:
            visitor: whose run it is.
            moment: when the visitor asked, by the clock of the visitor's page: requests that are
                sent one after the other may arrive in another order. None for now.

        Returns:
            The new run's stop signal; set already where something asked for later began before.
        """
        stop = Event()
        with self._lock:
            if moment is not None:
                latest = self._moments.pop(visitor, moment)
                self._moments[visitor] = max(latest, moment)
                if len(self._moments) > _REMEMBERED:
                    del self._moments[next(iter(self._moments))]
                if moment < latest:
                    stop.set()
                    return stop
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
