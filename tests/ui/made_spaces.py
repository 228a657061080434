"""Stand-ins for the package `spaces`: they lend no GPU, but do all else that it does."""

import multiprocessing
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.core.carrying_out import Job
from demo.ui.gpu_time import Task, Told

FORK = multiprocessing.get_context("fork")


@dataclass
class ForkingSpaces:
    """Runs each job in a process forked for it; all that goes there and back is pickled.

    Attributes:
        asked_for: the seconds that each job asked for.
        processes: those that were forked.
    """

    asked_for: list[int] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)

    def GPU(self, task: Task, *, duration: Callable[[Job[Any]], int]) -> Task:  # noqa: N802
        def lent(job: Job[Any]) -> Generator[Told, None, None]:
            self.asked_for.append(duration(job))
            jobs, answers, stop = FORK.SimpleQueue(), FORK.SimpleQueue(), FORK.Event()
            process = FORK.Process(target=_serve, args=(task, jobs, answers, stop), daemon=True)
            process.start()
            self.processes.append(process)
            jobs.put(job)
            try:
                while (answer := answers.get()) is not None:
                    if isinstance(answer, gr.Error):
                        raise answer
                    yield answer
            finally:
                stop.set()
                process.join(20)

        return lent


class EmptySpaces:
    """Has no GPU left for anybody."""

    def GPU(self, task: Task, *, duration: Callable[[Job[Any]], int]) -> Task:  # noqa: N802
        def lent(job: Job[Any]) -> Generator[Told, None, None]:
            raise gr.Error("You have exceeded your ZeroGPU quota.", print_exception=False)
            yield

        return lent


def _serve(task: Task, jobs: Any, answers: Any, stop: Any) -> None:
    """What the forked process does: the task runs in a thread, as there."""

    def iterate() -> None:
        steps = task(jobs.get())
        try:
            for told in steps:
                if stop.is_set():
                    steps.close()
                    break
                answers.put(told)
        except Exception as problem:
            name = type(problem).__name__
            answers.put(gr.Error(name, title="ZeroGPU worker error", print_exception=False))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(iterate)
    answers.put(None)
