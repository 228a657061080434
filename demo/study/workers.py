"""The parts of a study, measured by several processes of this machine, each in one thread.

Workers measure and nothing else: the process that began the study writes the parts and holds its
folder. Where that one ends, however it ends, so do they.
"""

import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread

from demo.core.allocator import keep_large_buffers
from demo.core.errors import SettingsError
from demo.core.picture_attack import Toolbox
from demo.study.parts import Job, Part, begin_elsewhere, one_thread


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    pipe: Connection


def measure_in_processes(
    make: Callable[[], Toolbox],
    workers: int,
    say: Callable[[str], None],
    job: Job,
    parts: Sequence[Part],
) -> Generator[tuple[Part, str]]:
    """Hand parts out to workers; closing the generator ends them at once.

    Args:
        make: makes a worker's models; can be pickled.
        workers: how many processes; no more are started than there are parts.
        say: called with a sentence when a worker has died.
        job: of the study.
        parts: those to measure.

    Yields:
        Each part with what was measured, as they come in.

    Raises:
        SettingsError: all workers have died.
        DemoError: what a worker raises; any other error of a worker too, with its trace.
    """
    waiting = deque(parts)
    team = [_start(make, job) for _ in range(min(workers, len(parts)))]
    busy: dict[Connection, Part] = {}
    try:
        idle = [worker.pipe for worker in team]
        while waiting or busy:
            while waiting and idle:
                _hand_out(idle.pop(), waiting.popleft(), busy)
            if not busy:
                raise SettingsError(
                    "All workers have ended suddenly, most likely for want of memory. Run the "
                    "study again with fewer --workers: it goes on where it was."
                )
            for pipe in wait(list(busy)):
                assert isinstance(pipe, Connection)
                part = busy.pop(pipe)
                try:
                    answer = pipe.recv()
                except (EOFError, ConnectionError):
                    waiting.appendleft(part)
                    say(
                        "A worker has ended suddenly, most likely for want of memory. The others "
                        "do its part."
                    )
                    continue
                if isinstance(answer, Exception):
                    raise answer
                idle.append(pipe)
                yield part, answer
    finally:
        for worker in team:
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()


def _start(make: Callable[[], Toolbox], job: Job) -> _Worker:
    # A forked copy of a process in which torch has computed can hang.
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(make, job, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _hand_out(pipe: Connection, part: Part, busy: dict[Connection, Part]) -> None:
    busy[pipe] = part
    try:
        pipe.send(part)
    except ConnectionError:
        return  # It has died; reading from it will say so.


def _work(make: Callable[[], Toolbox], job: Job, pipe: Connection) -> None:
    # Ctrl-C reaches every process of a terminal; the one that began the study ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_large_buffers()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        with one_thread():
            measure = begin_elsewhere(job, make())
            while True:
                pipe.send(measure(pipe.recv()))
    except EOFError:
        return
    except Exception as failure:
        failure.add_note(traceback.format_exc())
        pipe.send(failure)


def _end_with_parent() -> None:
    """A process that was killed tells nobody: without this its workers would go on for a part."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
