"""One line of JSON a request: what was asked and how it ended, and nothing about the visitor."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from typing import Any

import numpy as np
import pytest

from demo.core.errors import SettingsError
from demo.ui.line import BusyError, Line
from demo.ui.request_log import LOGGER, Account, Asked, asked
from demo.ui.running import Failed, Runs, Work
from demo.ui.stepping import OnStep, Step
from models.zoo import Zoo

# No other test's work, which may still be ending, has this name.
EVENT = "logged"
PICTURE = np.zeros((120, 160, 3), np.uint8)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What the logger writes, a line at a time, as soon as it is written."""
    written: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if f'"event": "{EVENT}"' in record.getMessage():
                written.append(self.format(record))

    listening, level = Listening(), LOGGER.level
    LOGGER.addHandler(listening)
    LOGGER.setLevel(logging.INFO)
    yield written
    LOGGER.removeHandler(listening)
    LOGGER.setLevel(level)


def name(step: Step) -> str:
    return step.name


def run(perform: Any, runs: Runs | None = None) -> None:
    about = Asked(EVENT, 160, 120, 2.0, "edsr")
    work = Work[Any](about, perform, lambda result: 3)
    with suppress(SettingsError, BusyError, Failed):
        list((Runs() if runs is None else runs).steps("visitor-hash", work, name))


def test_a_request_that_is_done_leaves_one_line(lines: list[str]) -> None:
    def perform(on_step: OnStep) -> None:
        for stage in ("Round trip", "Detectors", "Round trip"):
            on_step(stage, 0.5)

    run(perform)
    (line,) = (json.loads(line) for line in lines)
    assert list(line["stages"]) == ["Round trip", "Detectors"]
    assert line.pop("seconds") >= sum(line.pop("stages").values()) - 0.002
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": EVENT,
        "width": 160,
        "height": 120,
        "faces": 3,
        "k": 2.0,
        "method": "edsr",
        "outcome": "done",
    }


def test_a_refusal_is_told_without_its_words(lines: list[str]) -> None:
    def perform(on_step: OnStep) -> None:
        raise SettingsError("Alice's secret.png")

    run(perform)
    (line,) = lines
    assert json.loads(line)["outcome"] == "refused"
    assert "Alice" not in line


def test_an_unexpected_fault_is_told_by_type_and_place_alone(lines: list[str]) -> None:
    def perform(on_step: OnStep) -> None:
        raise LookupError("/home/alice/secret.png")

    run(perform)
    (line,) = lines
    told = json.loads(line)
    assert (told["outcome"], told["problem"]) == ("failed", "LookupError")
    assert told["place"].startswith("tests/ui/test_request_log.py:")
    assert "alice" not in line
    assert "\n" not in line


def test_a_full_line_leaves_its_own(lines: list[str]) -> None:
    full = Line(at_once=1, longest=0)
    full.join(Event())
    run(lambda on_step: None, Runs(full))
    assert [json.loads(line)["outcome"] for line in lines] == ["busy"]


@pytest.mark.parametrize("how", ["left", "stopped"])
def test_leaving_and_stopping_are_told_apart(lines: list[str], how: str) -> None:
    runs, ended = Runs(), Event()

    def perform(on_step: OnStep) -> None:
        try:
            while True:
                on_step("Working", 0.5)
        finally:
            ended.set()

    steps = runs.steps("visitor-hash", Work[None](Asked(EVENT), perform), name)
    next(steps)
    if how == "left":
        steps.close()
    else:
        runs.stop("visitor-hash")
        list(steps)
    assert ended.wait(5)
    while not lines:
        time.sleep(0.01)
    assert [json.loads(line)["outcome"] for line in lines] == [how]
    assert "visitor-hash" not in lines[0]


def test_what_a_visitor_may_have_written_is_left_out(random_zoo: Zoo) -> None:
    known = asked("analyse", PICTURE, 2, "bicubic", zoo=random_zoo)
    assert known == Asked("analyse", 160, 120, 2.0, "bicubic")
    for k, method in ((2.2, "alice"), (float("nan"), None), ("2", ["edsr"]), (None, "")):
        assert asked("x", None, k, method, zoo=random_zoo) == Asked("x")


@pytest.mark.parametrize("whose", ["Picture 1 of 2, alice.png: ", "Picture 1 of 2, a: b: c.png: "])
def test_whose_stage_it_is_stays_out(lines: list[str], whose: str) -> None:
    account = Account(Asked(EVENT))
    account.step(f"{whose}Finding faces")
    account.write("done")
    assert list(json.loads(lines[0])["stages"]) == ["Finding faces"]
