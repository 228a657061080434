"""A GPU that is lent for seconds, as on Hugging Face ZeroGPU: jobs go to the process that has it.

The package ``spaces``, which that platform installs, forks a process for the GPU and keeps it for a
while. The process knows the networks as they were when the page was launched; whatever it learns
later stays there. So the networks are loaded before, and a job, its steps and its outcome go to and
fro as pickles. Elsewhere nothing of this is used.
"""

import importlib
import logging
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial
from threading import Event
from typing import Any, Final, Protocol, TypeVar, cast

import gradio as gr

from demo.core.carrying_out import Elsewhere, Job, here
from demo.core.errors import DemoError
from demo.ui.stepping import OnStep, Step, in_thread
from models.zoo import Zoo

Result = TypeVar("Result")
Carried = tuple[Any, tuple[str, ...]]
Told = Step | DemoError | Carried
Task = Callable[[Job[Any]], Generator[Told, None, None]]

# The title of the package's errors about the other process, whose text is for the log alone.
WORKER_FAILED: Final = "ZeroGPU worker error"
NO_GPU: Final = "The GPU that is lent for this could not be had, so it was done on the CPU."

# Seconds to ask for, generous: of a GPU that is held, only the time that it took is charged, but
# work that takes longer than it asked for may be ended. Comparing takes one core about 0.6 s per
# megapixel; the others are guesses, for nobody has measured them there.
STARTING: Final = 15.0
A_MEGAPIXEL_COMPARED: Final = 1.5
A_MEGAPIXEL_RESTORED: Final = 2.0
A_CROP: Final = 0.05
LONGEST: Final = 120


class Spaces(Protocol):
    """What is used of the package ``spaces``."""

    def GPU(self, task: Task, *, duration: Callable[[Job[Any]], int]) -> Task:  # noqa: N802
        """Return the same function, which has a GPU for the seconds that ``duration`` says."""


def lender(environment: Mapping[str, str]) -> Spaces | None:
    """Return the package ``spaces`` on ZeroGPU, and None everywhere else.

    Call it before anything asks for a GPU, and in the thread that loads the networks: there the
    package pretends from now on that a GPU is at hand.
    """
    if environment.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    return cast(Spaces, importlib.import_module("spaces"))


def seconds_for(job: Job[Any]) -> int:
    """Return the seconds of a GPU to ask for, from K, the faces' pixels, and how many are asked."""
    megapixels = job.pixels / 1e6
    seconds = STARTING + A_CROP * job.crops
    for k in job.factors:
        seconds += A_MEGAPIXEL_COMPARED * megapixels + A_MEGAPIXEL_RESTORED * megapixels / k**2
    return min(math.ceil(seconds), LONGEST)


def on_lent_gpu(spaces: Spaces, zoo: Zoo, spare: Zoo) -> Elsewhere:
    """Have jobs carried out on a GPU that is lent for each.

    Call it before the page is launched, in the thread that called ``lender``.

    Args:
        spaces: who lends it.
        zoo: the networks, on the device "cuda"; all are loaded now.
        spare: the same on the CPU, for when no GPU is to be had.

    Returns:
        What ``Toolbox.elsewhere`` takes. Without a GPU it has the job done by ``spare``, and the
        sentence that says so is among the notices.
    """
    zoo.load()

    def work(job: Job[Any]) -> Generator[Told, None, None]:
        # In a thread of its own: libraries whose threads were running when the process was forked
        # wait for ever for these in the thread that forked, and begin new ones in another.
        try:
            outcome = yield from in_thread(partial(here, job, zoo), Event(), Event())
            if outcome is not None:
                yield outcome
        except DemoError as refused:
            yield refused

    lent = spaces.GPU(work, duration=seconds_for)

    def elsewhere(job: Job[Result], on_step: OnStep) -> tuple[Result, tuple[str, ...]]:
        reason = ""
        with closing(lent(job)) as steps:
            while True:
                try:
                    told = next(steps)
                except StopIteration:
                    break
                except Exception as problem:
                    reason = _reason(problem)
                    break
                if isinstance(told, DemoError):
                    raise told
                if not isinstance(told, Step):
                    return cast(tuple[Result, tuple[str, ...]], told)
                on_step(told.name, told.fraction)
        on_step("Starting on the CPU", 0.0)
        result, notices = here(job, spare, on_step)
        return result, (f"{NO_GPU} {reason}".strip(), *notices)

    return elsewhere


def _reason(problem: Exception) -> str:
    """What the lender says to the visitor, such as that the day's share is used up, if anything."""
    logging.getLogger(__name__).warning("No GPU was lent: %s", problem)
    told = isinstance(problem, gr.Error) and problem.title != WORKER_FAILED
    return str(cast(gr.Error, problem).message) if told else ""
