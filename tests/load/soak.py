"""Three visitors who never rest: ``make soak SECONDS=120``.

Starts the real program, sends it everything that visitors do, checks every answer against the one
that the core gives alone, and prints what it cost. Ends with status 1 where a promise is broken.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from demo.core.analysis import make_toolbox
from tests.browser.serving import started
from tests.load import cases as ask
from tests.load.visitor import Page, Visitor
from tests.load.watching import Watched, files_in, project_files, told, watched

VISITORS = 3
VISIT = 12
WARM_UP = 0.25
DRIFT = 5.0
JUDGED_SECONDS = 600.0

Action = Callable[[Page, Visitor], str]


@dataclass(frozen=True)
class Request:
    """One thing that a visitor did: how long it took, s, and what was wrong with it, or ""."""

    kind: str
    seconds: float
    wrong: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Soaks the server; returns 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long visitors stay")
    seconds: float = parser.parse_args(arguments).seconds
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    actions = _actions()
    before = project_files()
    with tempfile.TemporaryDirectory() as root:
        folder, log = Path(root) / "temporary", Path(root) / "log"
        folder.mkdir()
        with (
            log.open("wb") as errors,
            started(["--device", "cpu"], {"TMPDIR": str(folder)}, errors) as server,
            watched(server.process.pid, folder) as seen,
        ):
            end = time.monotonic() + seconds
            visit = partial(_visits, Page(server.address), actions, end)
            with ThreadPoolExecutor(VISITORS) as pool:
                requests = [one for made in pool.map(visit, range(VISITORS)) for one in made]
        seen.left = (*files_in(folder), *(project_files() - before))
        names = [case.sent.name.removesuffix(".png") for case in actions.pictures]
        outcomes, wrong = told(log, [root, "127.0.0.1", "Traceback", *names])
    print(report(seconds, requests, seen, outcomes))
    problems = _problems(seconds, requests, seen, wrong)
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


@dataclass(frozen=True)
class Actions:
    """What visitors do, each as often as its weight says."""

    pictures: tuple[ask.Case, ...]
    kinds: tuple[tuple[str, int, tuple[Action, ...]], ...]

    def draw(self, chance: random.Random) -> tuple[str, Action]:
        """The next thing to do."""
        ((kind, _, ways),) = chance.choices(self.kinds, [weight for _, weight, _ in self.kinds])
        return kind, chance.choice(ways)


def _actions() -> Actions:
    """Everything that visitors do here; its lone results take a while."""
    toolbox = make_toolbox("cpu")
    single, whole = ask.faces(toolbox), ask.frames(toolbox)
    longer = ask.long_cases(toolbox, single)

    def ways(act: Callable[..., str], *given: object) -> tuple[Action, ...]:
        return tuple(lambda page, visitor, one=one: act(page, visitor, one) for one in given)

    leaving = tuple(
        lambda page, visitor, n=n: ask.leave_in_the_middle(page, visitor, ask.large_frame(), n)
        for n in (1, 3, 6)
    )
    return Actions(
        pictures=(*single, *whole),
        kinds=(
            ("analysis on the page", 8, ways(ask.ask_on_page, *single)),
            ("analysis by a program", 6, ways(ask.ask_as_program, *single)),
            ("whole frame", 1, ways(ask.ask_on_page, *whole)),
            ("sweep", 1, ways(ask.ask_for_sweep, longer)),
            ("comparison of two", 1, ways(ask.ask_for_comparison, longer)),
            ("left in the middle", 2, leaving),
            ("refused picture", 1, (ask.send_no_picture,)),
        ),
    )


def _visits(page: Page, actions: Actions, end: float, number: int) -> list[Request]:
    """One visitor after another, each for a dozen requests, until the time is over."""
    chance = random.Random(number)
    made: list[Request] = []
    while time.monotonic() < end:
        with Visitor(page) as visitor:
            for _ in range(VISIT):
                kind, act = actions.draw(chance)
                began = time.monotonic()
                try:
                    wrong = act(page, visitor)
                except Exception as problem:
                    wrong = f"{type(problem).__name__}: {problem}"
                made.append(Request(kind, time.monotonic() - began, wrong))
                # Whoever left is gone, and comes back as somebody else.
                if time.monotonic() > end or kind == "left in the middle":
                    break
    return made


def report(
    seconds: float, requests: Sequence[Request], seen: Watched, outcomes: dict[str, int]
) -> str:
    """The figures as Markdown."""
    lines = [
        f"{VISITORS} visitors for {seconds:.0f} s",
        "",
        "| what | requests | errors | p50, s | p95, s |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind in dict.fromkeys(sorted(one.kind for one in requests)):
        of_kind = [one for one in requests if one.kind == kind]
        wrong = sum(bool(one.wrong) for one in of_kind)
        p50, p95 = np.percentile([one.seconds for one in of_kind], [50, 95])
        lines.append(f"| {kind} | {len(of_kind)} | {wrong} | {p50:.1f} | {p95:.1f} |")
    first, last = seen.around(WARM_UP)
    logged = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    lines += [
        "",
        "| of the server | |",
        "| --- | ---: |",
        f"| memory after warming up | {first:.0f} MiB |",
        f"| memory at the end | {last:.0f} MiB |",
        f"| drift | {_drift(seen):+.1f} % |",
        f"| most memory | {max(seen.memory) / 2**20:.0f} MiB |",
        f"| most temporary files | {seen.files} |",
        f"| files left behind | {len(seen.left)} |",
        f"| lines in the log | {logged} |",
    ]
    return "\n".join(lines)


def _problems(
    seconds: float, requests: Sequence[Request], seen: Watched, wrong: Sequence[str]
) -> list[str]:
    """A sentence for every promise that was broken."""
    problems = [f"{one.kind}: {one.wrong}." for one in requests if one.wrong]
    problems += [f"The log: {line}" for line in wrong]
    problems += [f"Left behind: {path}" for path in seen.left]
    if seconds >= JUDGED_SECONDS and _drift(seen) >= DRIFT:
        problems.append(f"Memory drifted by {_drift(seen):.1f} %, and less than {DRIFT} % may be.")
    return problems


def _drift(seen: Watched) -> float:
    first, last = seen.around(WARM_UP)
    return 100 * (last / first - 1)


if __name__ == "__main__":
    sys.exit(main())
