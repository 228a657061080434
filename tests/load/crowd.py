"""Many visitors at the same moment: ``make visitors``.

Pins itself and the real program to two cores. First ten visitors click at once, several times
over; then fifty do, more than may wait: those who are told that the server is busy try again, as
its sentence says. Every answer is compared, bit for bit, with the one that the core gives alone.
Ends with status 1 where a promise is broken.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from threading import Barrier, Event, Thread

import httpx
import numpy as np
import torch

from demo.core.analysis import make_toolbox
from demo.ui.line import AT_ONCE
from tests.browser.serving import started
from tests.load.cases import Case, check_on_page, faces, put_on_page
from tests.load.visitor import Page, Visitor
from tests.load.watching import MIB, watched

CORES = 2
FEW, FEW_SECONDS = 10, 6.0
MANY, BUSY_SECONDS, MEMORY = 50, 1.0, 3072
PATIENCE = 300.0
BUSY = "The server is busy"


@dataclass(frozen=True)
class Served:
    """What one visitor got.

    Attributes:
        seconds: from the last click to the result.
        busy: how long each answer took that the server is busy, s.
        wrong: what was wrong with the result; "" for nothing.
    """

    seconds: float
    busy: tuple[float, ...]
    wrong: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Sends the crowds; returns 1 where a promise was broken."""
    given = _parser().parse_args(arguments)
    served = ["--device", "cpu", "--at-once", str(given.at_once)]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    torch.set_num_threads(given.threads)
    cases = faces(make_toolbox("cpu"))
    with (
        tempfile.TemporaryDirectory() as folder,
        open(os.devnull, "wb") as errors,
        started(served, {"TMPDIR": folder}, errors) as server,
        watched(server.process.pid, Path(folder)) as seen,
    ):
        page = Page(server.address)
        crowd(page, cases[:1])
        few = [one for _ in range(given.rounds) for one in crowd(page, islice(cycle(cases), FEW))]
        few_memory = max(seen.memory)
        with asked_for_health(server.address) as health:
            many = crowd(page, islice(cycle(cases), MANY))
    p50, p95 = np.percentile([one.seconds for one in few], [50, 95])
    busy = [seconds for one in many for seconds in one.busy]
    wrong = [one.wrong for one in (*few, *many) if one.wrong]
    waited = max(busy, default=0.0)
    print(
        f"""{CORES} cores, {given.at_once} analyses at once of {given.threads} threads each

| | {FEW} at once, {given.rounds} times | {MANY} at once |
| --- | ---: | ---: |
| right results | {_right(few)} | {_right(many)} |
| wrong, lost or mixed up | {len(few) - _right(few)} | {len(many) - _right(many)} |
| click to result, p50 | {p50:.1f} s | |
| click to result, p95 | {p95:.1f} s | |
| told that it is busy | {sum(len(one.busy) for one in few)} times | {len(busy)} times |
| told so within | | {waited:.2f} s |
| most memory | {few_memory / MIB:.0f} MiB | {max(seen.memory) / MIB:.0f} MiB |
| `/health` answered within | | {max(health):.2f} s |"""
    )
    problems = [f"A visitor got {one}." for one in wrong]
    if p95 > FEW_SECONDS:
        problems.append(f"p95 is {p95:.1f} s, and {FEW_SECONDS} s may be.")
    if waited > BUSY_SECONDS:
        problems.append(f"It took {waited:.2f} s to say busy, and {BUSY_SECONDS} s may be.")
    if max(seen.memory) > MEMORY * MIB:
        problems.append(f"The server took more than {MEMORY} MiB.")
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="analyses at the same time")
    threads = CORES // AT_ONCE
    parser.add_argument("--threads", type=int, default=threads, help="threads of each analysis")
    parser.add_argument("--rounds", type=int, default=5, help=f"how often {FEW} visitors click")
    return parser


def crowd(page: Page, cases: Iterator[Case] | Sequence[Case]) -> list[Served]:
    """Lets a visitor for each case click at the same moment."""
    wanted = list(cases)
    together = Barrier(len(wanted))
    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(partial(_click, page, together), wanted))


def _click(page: Page, together: Barrier, case: Case) -> Served:
    busy: list[float] = []
    chance = random.Random()
    changed = page.event("picture", "change")
    with Visitor(page) as visitor:
        put_on_page(visitor, case.sent)
        together.wait(PATIENCE)
        came = time.monotonic()
        while True:
            began = time.monotonic()
            try:
                outputs = visitor.do(changed)
            except Exception as problem:
                return Served(0.0, tuple(busy), f"{type(problem).__name__}: {problem}")
            seconds = time.monotonic() - began
            if not any(BUSY in one for one in outputs if isinstance(one, str)):
                return Served(seconds, tuple(busy), check_on_page(visitor, case))
            busy.append(seconds)
            if time.monotonic() - came > PATIENCE:
                return Served(seconds, tuple(busy), "nothing but that the server is busy")
            time.sleep(chance.uniform(1.0, 3.0))


@contextmanager
def asked_for_health(address: str) -> Iterator[list[float]]:
    """Ask ``/health`` five times a second while the block runs; yields how long each took, s."""
    took, done = [], Event()

    def ask() -> None:
        while not done.wait(0.2):
            began = time.monotonic()
            httpx.get(f"{address}/health", timeout=PATIENCE).raise_for_status()
            took.append(time.monotonic() - began)

    thread = Thread(target=ask, daemon=True)
    thread.start()
    yield took
    done.set()
    thread.join()


def _right(served: Sequence[Served]) -> int:
    return sum(not one.wrong for one in served)


if __name__ == "__main__":
    sys.exit(main())
