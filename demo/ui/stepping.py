"""Work in a thread of its own: it reports its steps, and stops when nobody waits for it."""

import os
import sys
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread, get_native_id
from typing import TypeVar

Result = TypeVar("Result")
OnStep = Callable[[str, float], None]

# Every heartbeat of every visitor who waits costs the page's own thread some milliseconds.
HEARTBEAT = 1.0
_NICENESS = 5


class Stopped(Exception):  # noqa: N818
    """Raised inside the work when nobody waits for its result any more."""


@dataclass(frozen=True)
class Step:
    """How far the work is: the stage in words, and a fraction from 0 to 1."""

    name: str
    fraction: float


def in_thread(
    work: Callable[[OnStep], Result], stop: Event, left: Event
) -> Generator[Step, None, Result | None]:
    """Runs work in a thread of its own and yields where it is, several times a second.

    Closing the generator, as Gradio does when the visitor leaves, or setting ``stop`` ends the
    work at its next step.

    Args:
        work: takes the function that it reports its steps to.
        stop: set from outside when the result is wanted no more.
        left: set here, before ``stop``, when the generator is closed.

    Returns:
        What the work returned; None when it was stopped.

    Raises:
        Exception: whatever the work raised.
    """
    steps: SimpleQueue[Step] = SimpleQueue()
    outcome: Future[Result | None] = Future()

    def report(name: str, fraction: float) -> None:
        if stop.is_set():
            raise Stopped
        steps.put(Step(name, fraction))

    def perform() -> None:
        step_back(_NICENESS)
        try:
            outcome.set_result(work(report))
        except Stopped:
            outcome.set_result(None)
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
                step = steps.get(timeout=HEARTBEAT)
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
