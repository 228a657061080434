"""Long work waits its turn, reports its steps, and ends when nobody waits for it any more."""

from collections.abc import Callable, Generator
from threading import Event

import pytest

from demo.core.errors import SettingsError
from demo.ui.line import BusyError, Line
from demo.ui.request_log import Asked
from demo.ui.running import Failed, Length, Runs, Work, in_steps
from demo.ui.stepping import OnStep, Step


def work(perform: Callable[[OnStep], object], length: Length = "short") -> Work[object]:
    return Work(Asked("test"), perform, length=length)


def endless(ended: Event) -> Work[object]:
    def perform(on_step: OnStep) -> None:
        try:
            while True:
                on_step("Working", 0.5)
                ended.wait(0.005)
        finally:
            ended.set()

    return work(perform)


def result(steps: Generator[object, None, object]) -> object:
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def test_the_steps_come_in_order_and_the_result_at_the_end() -> None:
    def perform(on_step: OnStep) -> int:
        on_step("First", 0.1)
        on_step("Second", 0.6)
        return 7

    steps = in_steps(work(perform), Event(), Line())
    seen = []
    try:
        while True:
            seen.append(next(steps))
    except StopIteration as end:
        assert end.value == 7
    named = [step for step in seen if step.name in {"First", "Second"}]
    assert named == sorted(named, key=lambda step: step.fraction)
    assert all(isinstance(step, Step) for step in seen)


def test_what_the_work_refuses_comes_through() -> None:
    def perform(on_step: OnStep) -> None:
        raise SettingsError("No.")

    with pytest.raises(SettingsError, match=r"No\."):
        result(in_steps(work(perform), Event(), Line()))


def test_what_nobody_foresaw_comes_as_a_failure_that_says_nothing() -> None:
    def perform(on_step: OnStep) -> None:
        raise LookupError("/home/somebody")

    with pytest.raises(Failed) as failed:
        result(in_steps(work(perform), Event(), Line()))
    assert str(failed.value) == ""


def test_closing_ends_the_work() -> None:
    ended = Event()
    steps = in_steps(endless(ended), Event(), Line())
    next(steps)
    steps.close()
    assert ended.wait(5)


def test_the_stop_signal_ends_the_work_without_a_result() -> None:
    ended, stop = Event(), Event()
    steps = in_steps(endless(ended), stop, Line())
    next(steps)
    stop.set()
    assert result(steps) is None
    assert ended.wait(5)


def test_work_that_takes_long_over_one_step_still_lets_go() -> None:
    release = Event()
    steps = in_steps(work(lambda on_step: release.wait(30)), Event(), Line())
    assert {next(steps).name for _ in range(3)} == {"Starting"}
    steps.close()
    release.set()


def test_work_waits_for_its_turn_and_says_behind_how_many() -> None:
    line, ended = Line(at_once=1), Event()
    first = in_steps(endless(ended), Event(), line)
    next(first)
    steps = [in_steps(work(lambda on_step: 7), Event(), line) for _ in range(2)]
    for one in steps:
        next(one)
    assert next(steps[0]).name == "Waiting for a turn, nobody before you"
    assert next(steps[1]).name == "Waiting for a turn, 1 before you"
    assert (line.working, line.waiting) == (1, 2)
    first.close()
    assert [result(one) for one in steps] == [7, 7]
    assert (line.working, line.waiting) == (0, 0)


def test_a_place_is_free_only_when_the_work_has_ended() -> None:
    line, begun, release = Line(at_once=1), Event(), Event()

    def deaf(on_step: OnStep) -> None:
        begun.set()
        release.wait(30)

    steps = in_steps(work(deaf), Event(), line)
    next(steps)
    assert begun.wait(5)
    steps.close()
    assert line.working == 1
    release.set()
    assert result(in_steps(work(lambda on_step: 7), Event(), line)) == 7


def test_whoever_stops_waiting_leaves_the_line() -> None:
    line, ended = Line(at_once=1, longest=1), Event()
    first = in_steps(endless(ended), Event(), line)
    next(first)
    stop = Event()
    waiting = in_steps(work(lambda on_step: 7), stop, line)
    next(waiting)
    with pytest.raises(BusyError):
        next(in_steps(work(lambda on_step: 7), Event(), line))
    stop.set()
    newer = in_steps(work(lambda on_step: 8), Event(), line)
    next(newer)
    assert result(waiting) is None
    first.close()
    assert result(newer) == 8


def test_work_that_costs_nothing_passes_a_full_line() -> None:
    line, ended = Line(at_once=1, longest=0), Event()
    first = in_steps(endless(ended), Event(), line)
    next(first)
    assert result(in_steps(work(lambda on_step: 7, "none"), Event(), line)) == 7
    first.close()


def test_long_work_lets_others_before_it_and_still_comes_to_its_end() -> None:
    line, seen, begun, go = Line(at_once=1), list[str](), Event(), Event()

    def long(on_step: OnStep) -> int:
        seen.append("long begins")
        begun.set()
        go.wait(30)
        on_step("Next", 0.5)
        seen.append("long ends")
        return 7

    def short(on_step: OnStep) -> int:
        on_step("All", 0.1)
        seen.append("short")
        return 8

    older = in_steps(work(long, "long"), Event(), line)
    next(older)
    assert begun.wait(5)
    newer = in_steps(work(short), Event(), line)
    next(newer)
    go.set()
    assert (result(newer), result(older)) == (8, 7)
    assert seen == ["long begins", "short", "long ends"]


def test_a_visitor_waits_for_one_analysis_only() -> None:
    runs = Runs()
    first, other, second = runs.begin("a"), runs.begin("b"), runs.begin("a")
    assert first.is_set()
    assert not other.is_set()
    assert not second.is_set()
    runs.end("a", first)
    assert not second.is_set()
    runs.end("a", second)
    runs.stop("b")
    assert other.is_set()
    assert len(runs) == 0


def test_newer_work_of_a_visitor_ends_the_older() -> None:
    runs, ended = Runs(), Event()
    older = runs.steps("a", endless(ended), lambda step: step.name)
    next(older)
    assert result(runs.steps("a", work(lambda on_step: 7), lambda step: step.name)) == 7
    assert result(older) is None
    assert ended.wait(5)
    assert len(runs) == 0


def test_what_was_asked_for_earlier_and_arrives_later_is_not_begun() -> None:
    runs = Runs()
    newer = runs.begin("a", 20.0)
    late = runs.begin("a", 10.0)
    assert late.is_set()
    assert not newer.is_set()
    assert not runs.begin("b", 5.0).is_set()
    assert not runs.begin("a", 30.0).is_set()
    assert newer.is_set()


def test_what_arrives_late_is_not_begun_after_the_newer_has_ended_either() -> None:
    runs = Runs()
    assert result(runs.steps("a", work(lambda on_step: 2), lambda step: step.name, 20.0)) == 2
    late = runs.steps("a", work(lambda on_step: pytest.fail("begun")), lambda step: step.name, 10.0)
    assert result(late) is None
    assert len(runs) == 0
