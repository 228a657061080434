"""What a fresh process needs: time until the page answers, and memory of a large face."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.table import Say

ROOT = Path(__file__).parents[1]
IMPORTS = ("torch", "gradio", "torchvision", "app")
LARGE_FACE = """
import re
from pathlib import Path
import skimage
from benchmarks.pictures import face_of
from demo.core.allocator import keep_large_buffers
keep_large_buffers()
from demo.core.analysis import Settings, analyse, make_toolbox

def peak():
    # getrusage's ru_maxrss would begin at what the process that started this one has.
    status = Path("/proc/self/status").read_text()
    return int(re.search("VmHWM:(.*) kB", status)[1]) * 1024 / 1e9

face = face_of(skimage.data.astronaut(), 1024)
print(peak())
analyse(face, Settings(k={k}, whole=True), make_toolbox("cpu"))
print(peak())
"""
LOADING = """
import time
from demo.core.analysis import make_toolbox
start = time.perf_counter()
toolbox = make_toolbox("cpu")
toolbox.faces._network.get()
print(time.perf_counter() - start)
start = time.perf_counter()
toolbox.zoo.detectors(), toolbox.zoo.super_resolution(2), toolbox.zoo.round_trip_detector()
print(time.perf_counter() - start)
"""


def run(code: str) -> list[float]:
    """The numbers that a fresh process prints."""
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [float(line) for line in ran.stdout.split()]


def answering_after() -> float:
    """Seconds from ``python app.py`` to its first answer."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    start = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port), "--device", "cpu"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        while server.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
                    assert answer.status == 200
                    return time.perf_counter() - start
            except OSError:
                time.sleep(0.05)
        raise AssertionError("The page's program ended.")
    finally:
        server.terminate()
        server.wait()


@pytest.mark.timeout(600)
def test_cold_start(benchmark: BenchmarkFixture, say: Say) -> None:
    """The second of two starts counts: the files then lie in the machine's memory."""
    answering_after()
    seconds: float = benchmark.pedantic(  # type: ignore[no-untyped-call]
        answering_after, rounds=1, iterations=1
    )
    say("from python app.py to the page's first answer", f"{seconds:.1f} s", "≤ 8 s")
    start = "import time; start = time.perf_counter(); import "
    spent = [run(f"{start}{one}; print(time.perf_counter() - start)")[0] for one in IMPORTS]
    say(
        "— imports, each in a process of its own: " + " / ".join(IMPORTS),
        " / ".join(f"{one:.1f}" for one in spent) + " s",
    )
    finder, networks = run(LOADING)
    say(
        "— behind the page: face finder with torchvision's import / the other networks",
        f"{finder:.1f} / {networks:.1f} s",
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("k", [1.5, 2.0, 4.0])
def test_memory_of_a_large_face(benchmark: BenchmarkFixture, say: Say, k: float) -> None:
    """Peak resident memory of a process that does nothing else."""
    imported, peak = benchmark.pedantic(  # type: ignore[no-untyped-call]
        run, args=(LARGE_FACE.format(k=k),), rounds=1, iterations=1
    )
    benchmark.extra_info["peak GB"] = peak
    say(
        f"peak memory of a process that analyses a face of 1024 px, K = {k:g}",
        f"{peak:.2f} GB; {imported:.2f} GB once imported",
        "< 1.5 GB",
    )
