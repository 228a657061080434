"""The parts of a study, measured on a Ray cluster by actors that hold the models.

Every node sees the project, the data and the weights under the paths that they have here. Actors
measure and nothing else: the process that began the study writes the parts and holds its folder.

They are plain actors and no Ray Data: that one keeps the parts of an actor that died with its node
for the next actor in its place, and waits for ever where no node has a core left for one.
"""

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Final

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError, RayTaskError

from demo.core.errors import DemoError, SettingsError
from demo.core.picture_attack import Toolbox
from demo.study.parts import Job, Part, begin_elsewhere, one_thread

SECONDS: Final = 10
UNREACHABLE: Final = (
    "A Ray cluster was expected at the address given, but it cannot be reached. Start it and run "
    "the study again: it goes on where it was."
)


def measure_on_ray(
    address: str,
    make: Callable[[], Toolbox],
    actors: int | None,
    say: Callable[[str], None],
    job: Job,
    parts: Sequence[Part],
) -> Generator[tuple[Part, str]]:
    """Hand parts out to actors of one core each; closing the generator ends them.

    In place of an actor that dies another one is asked for, which begins once a node has a core
    for it; the others do its part meanwhile.

    Args:
        address: of the cluster, as ``ray.init`` takes it.
        make: makes an actor's models; can be pickled.
        actors: how many; None takes one for each core of the cluster, or for each GPU where the
            study runs on one.
        say: called with a sentence when an actor has died.
        job: of the study.
        parts: those to measure.

    Yields:
        Each part with what was measured, as they come in.

    Raises:
        SettingsError: the cluster cannot be reached, or actors die without measuring anything.
        DemoError: what an actor raises; any other error of an actor too.
    """
    # Ray tells its makers how it is used, unless it is told otherwise before it starts.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    _check_address(address)
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        yield from _measure(make, actors, say, job, parts)
    except RayTaskError as failure:
        raise (failure.cause if isinstance(failure.cause, DemoError) else failure) from None
    except (ConnectionError, RayError) as failure:
        raise SettingsError(UNREACHABLE) from failure
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse a HOST:PORT where nobody listens, which Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), SECONDS).close()
        except (OSError, OverflowError):
            raise SettingsError(UNREACHABLE) from None


def _measure(
    make: Callable[[], Toolbox],
    actors: int | None,
    say: Callable[[str], None],
    job: Job,
    parts: Sequence[Part],
) -> Generator[tuple[Part, str]]:
    gpus = 1 if job.device.startswith("cuda") else 0
    places = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 1))
    team = min(actors or places, len(parts))
    remote = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Actor)
    waiting = deque(parts)
    idle: list[ActorHandle] = []
    busy: dict[ray.ObjectRef, tuple[ActorHandle, Part | None]] = {}
    measured = deaths = 0
    wanted = team
    while measured < len(parts):
        for _ in range(wanted):
            actor = remote.remote(make, job)
            busy[actor.begin.remote()] = actor, None
        wanted = 0
        while waiting and idle:
            actor, part = idle.pop(), waiting.popleft()
            busy[actor.measure.remote(part)] = actor, part
        (ready,), _ = ray.wait(list(busy))
        actor, done = busy.pop(ready)
        try:
            text = ray.get(ready)
        except RayActorError:
            deaths += 1
            if deaths > 2 * team:
                raise SettingsError(
                    "Actors of the Ray cluster die one after another, most likely for want of "
                    "memory. Run the study again with fewer --workers: it goes on where it was."
                ) from None
            say("An actor of the Ray cluster has died, or its node has. Others do its part.")
            # It may only be out of reach, and would keep a core.
            ray.kill(actor)
            wanted = 1
            waiting.extendleft([] if done is None else [done])
            continue
        idle.append(actor)
        if done is not None:
            measured, deaths = measured + 1, 0
            yield done, text


class _Actor:
    """Measures parts in one thread."""

    def __init__(self, make: Callable[[], Toolbox], job: Job) -> None:
        self._make = make
        self._job = job

    def begin(self) -> None:
        """Make the models, once for all parts."""
        with one_thread():
            self._measure = begin_elsewhere(self._job, self._make())

    def measure(self, part: Part) -> str:
        """Measure a part."""
        with one_thread():
            return self._measure(part)
