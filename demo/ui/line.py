"""The one line in which visitors' work waits: a few at once, so many behind them, and no more.

Gradio's own queue counts every small event of the page, and at its end drops them without a word
that a visitor sees. Here only work counts, and whoever finds the line full is told at once.
"""

from threading import Event, Lock

from demo.core.errors import DemoError

AT_ONCE = 2
LONGEST = 16


class BusyError(DemoError):
    """The line is full: this work is neither begun nor remembered."""


class Place:
    """One work's place in the line.

    Attributes:
        stop: set when nobody waits for the work any more.
        turn: set while it may work.
    """

    def __init__(self, stop: Event) -> None:
        self.stop = stop
        self.turn = Event()


class Line:
    """Who works and who waits, first come, first served; shared by all threads."""

    def __init__(self, at_once: int = AT_ONCE, longest: int = LONGEST) -> None:
        """Begin empty.

        Args:
            at_once: how many work at the same time, from 1.
            longest: how many wait behind them.
        """
        self._at_once = at_once
        self._longest = longest
        self._lock = Lock()
        self._working: list[Place] = []
        self._waiting: list[Place] = []

    def join(self, stop: Event) -> Place:
        """Take the last place; its ``turn`` is set at once where nobody is before it.

        Raises:
            BusyError: as many wait already as may.
        """
        place = Place(stop)
        with self._lock:
            # Who stopped a moment ago and has not left yet takes nobody's place.
            self._waiting = [one for one in self._waiting if not one.stop.is_set()]
            if len(self._working) >= self._at_once and len(self._waiting) >= self._longest:
                raise BusyError(
                    f"The server is busy: {len(self._waiting)} others wait already, and more "
                    "cannot. Try again in half a minute."
                )
            self._waiting.append(place)
            self._call()
        return place

    def pass_by(self, stop: Event) -> Place:
        """Return a place outside the line, for work that costs nothing: its turn is now."""
        place = Place(stop)
        place.turn.set()
        return place

    def give_way(self, place: Place) -> None:
        """Let those who wait work first, if anybody does: then its ``turn`` comes again later."""
        with self._lock:
            if place in self._working and self._waiting:
                self._working.remove(place)
                place.turn.clear()
                self._waiting.append(place)
                self._call()

    def leave(self, place: Place) -> None:
        """Give a place up, whether its turn came or not; the next one is called."""
        with self._lock:
            for places in (self._working, self._waiting):
                if place in places:
                    places.remove(place)
            self._call()

    def ahead(self, place: Place) -> int:
        """How many wait before this one."""
        with self._lock:
            return self._waiting.index(place) if place in self._waiting else 0

    @property
    def working(self) -> int:
        """How many work now."""
        with self._lock:
            return len(self._working)

    @property
    def waiting(self) -> int:
        """How many wait now."""
        with self._lock:
            return len(self._waiting)

    def _call(self) -> None:
        while self._waiting and len(self._working) < self._at_once:
            called = self._waiting.pop(0)
            if not called.stop.is_set():
                self._working.append(called)
                called.turn.set()
