"""`kill -9` in the middle of `python -m demo study run`, as it happens to real runs."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
CROPS = 64
PATIENCE = 300

Start = Callable[[Path, int], subprocess.Popen[str]]


@pytest.fixture(scope="module")
def words(crops_folder: Path, small_detectors: Path) -> list[str]:
    """The command for a study of four parts that asks one detector, less its folder."""
    return [
        *("study", "run", "--data", "folder", "--crops", "--root", str(crops_folder)),
        *("--device", "cpu", "--methods", "bicubic", "--k", "2"),
        *("--detectors", f"fake={small_detectors / 'xception.json'}"),
    ]


@pytest.fixture
def start(words: list[str]) -> Iterator[Start]:
    """Starts a run; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(out: Path, workers: int) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "demo", *words, "--out", str(out)]
        process = subprocess.Popen(
            [*command, "--workers", str(workers)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether it runs; one that has ended and waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_run_goes_on_and_ends_with_the_bytes_of_an_unbroken_one(
    start: Start, tmp_path: Path
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    running = start(broken, 2)
    deadline = time.monotonic() + PATIENCE
    while not (written := list((broken / "parts").glob("*.json"))):
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # Stopped, it holds the folder for as long as another run needs to find that out.
    running.send_signal(signal.SIGSTOP)
    workers = children(running.pid)
    second = start(broken, 1)
    assert "Another run is writing to this folder" in second.communicate()[1]
    assert second.returncode == 2
    running.kill()
    assert running.wait() == -signal.SIGKILL
    assert not (broken / "scores.parquet").exists()
    while any(map(alive, workers)):
        assert time.monotonic() < deadline, "workers outlive the process that was killed"
        time.sleep(0.01)

    written = list((broken / "parts").glob("*.json"))
    times = {part: part.stat().st_mtime_ns for part in written}
    resumed = start(broken, 3)
    _, progress = resumed.communicate()
    assert resumed.returncode == 0, progress
    first = progress.replace("\r", "\n").strip().splitlines()[0]
    assert f"| {16 * len(written)}/{CROPS} [00:00<" in first
    assert {part: part.stat().st_mtime_ns for part in written} == times

    whole = start(unbroken, 1)
    _, said = whole.communicate()
    assert whole.returncode == 0, said
    found, expected = files(broken), files(unbroken)
    assert {"scores.parquet", "manifest.json", "report.html"} < found.keys()
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        assert found[name] == content, name


def test_workers_are_one_or_more(start: Start, tmp_path: Path) -> None:
    refused = start(tmp_path / "study", 0)
    assert "workers must be 1 or more" in refused.communicate()[1]
    assert refused.returncode == 2
    assert not (tmp_path / "study").exists()
