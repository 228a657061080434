"""Long work reports its steps and ends when nobody waits for it any more."""

from threading import Event

import pytest

from demo.ui.running import OnStep, Runs, Step, in_steps


def endless(ended: Event) -> object:
    def work(on_step: OnStep) -> None:
        try:
            while True:
                on_step("Working", 0.5)
                ended.wait(0.005)
        finally:
            ended.set()

    return work


def test_the_steps_come_in_order_and_the_result_at_the_end() -> None:
    def work(on_step: OnStep) -> int:
        on_step("First", 0.1)
        on_step("Second", 0.6)
        return 7

    steps = in_steps(work, Event())
    seen = []
    try:
        while True:
            seen.append(next(steps))
    except StopIteration as end:
        assert end.value == 7
    named = [step for step in seen if step.name in {"First", "Second"}]
    assert named == sorted(named, key=lambda step: step.fraction)
    assert all(isinstance(step, Step) for step in seen)


def test_what_the_work_raises_comes_through() -> None:
    def work(on_step: OnStep) -> None:
        raise LookupError("no")

    with pytest.raises(LookupError):
        list(in_steps(work, Event()))


def test_closing_ends_the_work() -> None:
    ended = Event()
    steps = in_steps(endless(ended), Event())  # type: ignore[arg-type]
    next(steps)
    steps.close()
    assert ended.wait(5)


def test_the_stop_signal_ends_the_work_without_a_result() -> None:
    ended, stop = Event(), Event()
    steps = in_steps(endless(ended), stop)  # type: ignore[arg-type]
    next(steps)
    stop.set()
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert end.value.value is None
    assert ended.wait(5)


def test_work_that_takes_long_over_one_step_still_lets_go() -> None:
    release = Event()
    steps = in_steps(lambda on_step: release.wait(30), Event())
    assert [next(steps).name for _ in range(3)] == ["Starting"] * 3
    steps.close()
    release.set()


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
