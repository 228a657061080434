"""What a run of the benchmarks found, as one Markdown table under the machine's name."""

import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

CPUS = Path("/proc/cpuinfo")
# Adds a line to the table: what was measured, what came out, and its bar.
Say = Callable[..., None]


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, what came out, and the bar, if there is one."""

    what: str
    value: str
    bar: str = ""


def machine() -> str:
    """The machine as far as its speed depends on it."""
    said = CPUS.read_text().splitlines() if CPUS.exists() else []
    names = [line.partition(":")[2].strip() for line in said if line.startswith("model name")]
    return (
        f"{names[0] if names else platform.processor()}, {len(names) or '?'} cores, "
        f"{torch.get_num_threads()} torch threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}, Python {platform.python_version()}"
    )


def markdown(figures: Iterable[Figure]) -> str:
    """The table."""
    rows = [f"| {figure.what} | {figure.value} | {figure.bar} |" for figure in figures]
    return "\n".join([machine(), "", "| measured | figure | bar |", "| --- | --- | --- |", *rows])
