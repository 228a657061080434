"""How many threads a network gets, and how many analyses go at once: what serves two soonest?"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.pictures import frame_of_faces
from benchmarks.table import Say
from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.images import Picture
from demo.core.settings import Settings

ANALYSES = 4
ROUNDS = 2


def seconds(frame: Picture, toolbox: Toolbox, threads: int, at_once: int) -> float:
    """Time of some analyses of one face, so many at once, with so many threads each."""

    def one(number: int) -> Analysis:
        torch.set_num_threads(threads)
        return analyse(frame, Settings(), toolbox)

    with ThreadPoolExecutor(at_once) as visitors:
        list(visitors.map(one, range(at_once)))
        start = time.perf_counter()
        list(visitors.map(one, range(ANALYSES)))
        return time.perf_counter() - start


@pytest.mark.timeout(900)
def test_threads_and_concurrency(
    benchmark: BenchmarkFixture, astronaut: Picture, toolbox: Toolbox, say: Say
) -> None:
    """The arrangements take turns, and the best turn of each counts."""
    frame, cores = frame_of_faces(astronaut, 1), torch.get_num_threads()
    asked = sorted({(threads, at_once) for threads in (1, cores) for at_once in (1, 2, 3)})
    best = dict.fromkeys(asked, float("inf"))

    def measure() -> None:
        for _ in range(ROUNDS):
            for threads, at_once in asked:
                took = seconds(frame, toolbox, threads, at_once)
                best[threads, at_once] = min(best[threads, at_once], took)

    try:
        benchmark.pedantic(measure, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    finally:
        torch.set_num_threads(cores)
    for (threads, at_once), took in best.items():
        many = "thread" if threads == 1 else "threads"
        say(
            f"{ANALYSES} analyses of one face on 1080p, {at_once} at once, {threads} {many} each",
            f"{took:.2f} s in all, {ANALYSES / took:.2f} a second",
        )
