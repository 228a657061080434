"""What a server's process costs while visitors are there, and what it leaves behind."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event, Thread

from tests.browser.serving import ROOT

MIB = 2**20
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FIELDS = {
    "time",
    "event",
    "width",
    "height",
    "faces",
    "k",
    "method",
    "seconds",
    "stages",
    "outcome",
}


@dataclass
class Watched:
    """A process' memory over time, and its temporary files.

    Attributes:
        memory: resident bytes with all children, a sample every second.
        files: most temporary files at any time.
        left: those that were still there after its end.
    """

    memory: list[int] = field(default_factory=list)
    files: int = 0
    left: tuple[Path, ...] = ()

    def around(self, warm_up: float) -> tuple[float, float]:
        """Median memory of the first and the last third after a fraction for warming up, MiB."""
        warm = self.memory[int(warm_up * len(self.memory)) :]
        third = max(len(warm) // 3, 1)
        return median(warm[:third]) / MIB, median(warm[-third:]) / MIB


@contextmanager
def watched(process: int, folder: Path) -> Iterator[Watched]:
    """Sample a process and the files below a folder every second while the block runs."""
    seen, done = Watched(), Event()

    def watch() -> None:
        while not done.wait(1.0):
            seen.memory.append(resident(process))
            seen.files = max(seen.files, len(files_in(folder)))

    thread = Thread(target=watch, daemon=True)
    thread.start()
    yield seen
    done.set()
    thread.join()


def resident(process: int) -> int:
    """Resident memory of a process and all its children, bytes; 0 once it is gone."""
    try:
        own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
        tasks = Path(f"/proc/{process}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return 0
    return own + sum(map(resident, children))


def files_in(folder: Path) -> set[Path]:
    """Every file below a folder, links and sockets too, while others may remove some."""
    return {Path(place, name) for place, _, names in os.walk(folder) for name in names}


def project_files() -> set[Path]:
    """The files of the project, less what Python and its tools keep there."""
    kept = {".venv", ".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
    return {path for path in files_in(ROOT) if not kept.intersection(path.parts)}


def told(log: Path, secrets: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Read a server's standard error: outcomes counted, and everything that should not be there.

    Args:
        log: the file with it.
        secrets: words that no line may hold.
    """
    outcomes: dict[str, int] = {}
    wrong: list[str] = []
    for line in log.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            wrong.append(f"no JSON: {line}")
            continue
        outcomes[entry["outcome"]] = outcomes.get(entry["outcome"], 0) + 1
        if set(entry) != _FIELDS or any(secret in line for secret in secrets):
            wrong.append(f"more than it should say: {line}")
    return outcomes, wrong
