"""A few work at once, so many wait behind them, and whoever comes then is told so."""

from threading import Event

import pytest

from demo.ui.line import BusyError, Line, Place


def join(line: Line) -> Place:
    return line.join(Event())


def turns(*places: Place) -> list[bool]:
    return [place.turn.is_set() for place in places]


def test_first_come_first_served() -> None:
    line = Line(at_once=2, longest=3)
    places = [join(line) for _ in range(5)]
    assert turns(*places) == [True, True, False, False, False]
    assert [line.ahead(place) for place in places] == [0, 0, 0, 1, 2]
    line.leave(places[1])
    assert turns(*places[2:]) == [True, False, False]
    line.leave(places[3])
    line.leave(places[0])
    assert turns(places[4]) == [True]
    assert (line.working, line.waiting) == (2, 0)


def test_behind_a_full_line_nobody_waits() -> None:
    line = Line(at_once=1, longest=16)
    places = [join(line) for _ in range(17)]
    with pytest.raises(BusyError, match=r"^The server is busy: 16 others .* Try again"):
        join(line)
    assert (line.working, line.waiting) == (1, 16)
    line.leave(places[0])
    join(line)


def test_who_stopped_waiting_holds_nobody_up() -> None:
    line = Line(at_once=1, longest=1)
    first, stopped = join(line), join(line)
    stopped.stop.set()
    last = join(line)
    line.leave(first)
    assert turns(stopped, last) == [False, True]
    line.leave(stopped)
    line.leave(last)
    assert (line.working, line.waiting) == (0, 0)


def test_who_stops_just_before_the_turn_is_passed_over() -> None:
    line = Line(at_once=1)
    first, stopped, last = join(line), join(line), join(line)
    stopped.stop.set()
    line.leave(first)
    assert turns(stopped, last) == [False, True]


def test_giving_way_is_to_all_who_wait_and_to_nobody_where_none_does() -> None:
    line = Line(at_once=1)
    first = join(line)
    line.give_way(first)
    assert turns(first) == [True]
    second, third = join(line), join(line)
    line.give_way(first)
    assert turns(first, second, third) == [False, True, False]
    line.leave(second)
    line.leave(third)
    assert turns(first) == [True]


def test_passing_by_takes_no_place() -> None:
    line = Line(at_once=1, longest=0)
    join(line)
    place = line.pass_by(Event())
    line.give_way(place)
    assert turns(place) == [True]
    line.leave(place)
    assert (line.working, line.waiting) == (1, 0)
