"""Long work behind a page: it reports its steps, and stops when nobody waits for it."""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TypeVar

Result = TypeVar("Result")
OnStep = Callable[[str, float], None]

_HEARTBEAT = 0.25


class Stopped(Exception):  # noqa: N818
    """Raised inside the work when nobody waits for its result any more."""


@dataclass(frozen=True)
class Step:
    """How far the work is: the stage in words, and a fraction from 0 to 1."""

    name: str
    fraction: float


def in_steps(work: Callable[[OnStep], Result], stop: Event) -> Generator[Step, None, Result | None]:
    """Runs work in a thread of its own and yields where it is, several times a second.

    Closing the generator, as Gradio does when the visitor leaves, or setting ``stop`` ends the
    work at its next step.

    Args:
        work: takes the function that it reports its steps to.
        stop: set from outside when the result is wanted no more.

    Returns:
        What the work returned; None when it was stopped.

    Raises:
        Exception: whatever the work raised.
    """
    steps: SimpleQueue[Step] = SimpleQueue()
    outcome: Future[Result] = Future()

    def report(name: str, fraction: float) -> None:
        if stop.is_set():
            raise Stopped
        steps.put(Step(name, fraction))

    def perform() -> None:
        try:
            outcome.set_result(work(report))
        except BaseException as problem:
            outcome.set_exception(problem)
        steps.put(Step("", 1.0))

    # The context says which visitor asks, for whom a GPU may be borrowed.
    Thread(target=copy_context().run, args=(perform,), daemon=True).start()
    step = Step("Starting", 0.0)
    try:
        while not outcome.done() and not stop.is_set():
            yield step
            try:
                step = steps.get(timeout=_HEARTBEAT)
            except Empty:
                continue
        return outcome.result() if not stop.is_set() else None
    except Stopped:
        return None
    finally:
        stop.set()


class Runs:
    """Which analysis each visitor waits for: starting a new one stops the one before it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stops: dict[str, Event] = {}

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
