"""One line of JSON a request, for the operator: what was asked and how it ended, never by whom.

A line holds no picture, no name, no address and no word that a visitor wrote. An unexpected
exception is told by its type and its place in this project's code; its message stays out, for it
may quote a file, a path or what was sent.
"""

import json
import logging
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Final, Literal

import numpy as np

from demo.core.attack import FACTORS
from demo.core.restoring import methods
from models.zoo import Zoo

LOGGER: Final = logging.getLogger("demo.requests")
Outcome = Literal["done", "refused", "stopped", "left", "busy", "failed"]

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as far as a log may know it.

    Attributes:
        event: what it is, in a word of this project's.
        width: of the picture, in px; None where there is none, or more than one.
        height: the same.
        k: scale factor; None where it is left open, or is none.
        method: who restores; None where it is left open, or is unknown.
    """

    event: str
    width: int | None = None
    height: int | None = None
    k: float | None = None
    method: str | None = None


def asked(
    event: str, picture: object, k: object = None, method: object = None, *, zoo: Zoo
) -> Asked:
    """Describe a request; what a visitor may have written freely is left out."""
    height, width = picture.shape[:2] if isinstance(picture, np.ndarray) else (None, None)
    known_k = float(k) if isinstance(k, int | float) and k in FACTORS else None
    known_method = method if isinstance(method, str) and method in methods(zoo) else None
    return Asked(event, width, height, known_k, known_method)


class Account:
    """A request on its way: takes the time of its stages, and writes its line at the end."""

    def __init__(self, about: Asked) -> None:
        """Begin to count."""
        self._about = about
        self._came = time.monotonic()
        self._stage: tuple[str, float] | None = None
        self._stages: dict[str, float] = {}

    def step(self, stage: str) -> None:
        """Note that a stage begins, and the one before it ends.

        Args:
            stage: its name. What stands before the last colon says whose stage it is, such as a
                picture's name, and is not kept.
        """
        self._close_stage()
        self._stage = stage.rpartition(": ")[2], time.monotonic()

    def write(
        self, outcome: Outcome, faces: int | None = None, problem: BaseException | None = None
    ) -> None:
        """Write the line; call it once.

        Args:
            outcome: how the request ended.
            faces: found in its picture, where that is known.
            problem: the unexpected exception, if there was one.
        """
        self._close_stage()
        about = self._about
        line: dict[str, object] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "event": about.event,
            "width": about.width,
            "height": about.height,
            "faces": faces,
            "k": about.k,
            "method": about.method,
            "seconds": round(time.monotonic() - self._came, 3),
            "stages": {name: round(seconds, 3) for name, seconds in self._stages.items()},
            "outcome": outcome,
        }
        if problem is not None:
            line |= {"problem": type(problem).__name__, "place": _place(problem)}
        LOGGER.log(logging.ERROR if problem else logging.INFO, json.dumps(line))

    def _close_stage(self) -> None:
        if self._stage is not None:
            name, began = self._stage
            self._stages[name] = self._stages.get(name, 0.0) + time.monotonic() - began
            self._stage = None


def write_to_stderr() -> None:
    """Send the lines to standard error, each as it is, and to no other logger."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False


def _place(problem: BaseException) -> str:
    """File and line in this project where an exception passed last; "" where it never did."""
    place = ""
    for frame, number in walk_tb(problem.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_ROOT) and ".venv" not in file.parts:
            place = f"{file.relative_to(_ROOT).as_posix()}:{number}"
    return place
