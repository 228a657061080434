"""The parts of a study, measured on a Ray cluster: Ray Data feeds actors that hold the models.

Every node sees the project, the data and the weights under the paths that they have here. Actors
measure and nothing else: the process that began the study writes the parts and holds its folder.
"""

import logging
import os
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Final

import ray
import ray.data
from ray.exceptions import RayError

from demo.core.errors import DemoError, SettingsError
from demo.core.picture_attack import Toolbox
from demo.study.parts import Job, MeasurePart, Part, begin_elsewhere, one_thread

MEASURED: Final = "measured"
REFUSED: Final = "refused"

Row = dict[str, list[object]]


def measure_on_ray(
    address: str,
    make: Callable[[], Toolbox],
    actors: int | None,
    job: Job,
    parts: Sequence[Part],
) -> Generator[tuple[Part, str]]:
    """Hand parts out to actors of one core each; closing the generator ends them.

    A node that dies takes its actors along. Ray Data would keep their parts until it is back; here
    the actors that are left do the others, and what is missing then is handed out once more.

    Args:
        address: of the cluster, as ``ray.init`` takes it.
        make: makes an actor's models; can be pickled.
        actors: at most so many; None takes as many as the cluster has cores, or GPUs where the
            study runs on one.
        job: of the study.
        parts: those to measure.

    Yields:
        Each part with what was measured, as they come in.

    Raises:
        SettingsError: the cluster cannot be reached, or no longer does anything.
        DemoError: what an actor raises; any other error of an actor as a RuntimeError.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
        missing = {part.first: part for part in parts}
        while missing:
            before = len(missing)
            for first, text in _once(make, actors, job, missing):
                yield missing.pop(first), text
            if len(missing) == before:
                raise SettingsError(
                    "The Ray cluster does nothing any more. See that its nodes have a free core "
                    "and run the study again: it goes on where it was."
                )
    except (ConnectionError, RayError) as failure:
        raise SettingsError(
            "A Ray cluster was expected at the address given, but it cannot be reached. Start it "
            "and run the study again: it goes on where it was."
        ) from failure
    finally:
        ray.shutdown()


def _once(
    make: Callable[[], Toolbox], actors: int | None, job: Job, missing: dict[int, Part]
) -> Iterator[tuple[int, str]]:
    """What comes of handing out each part once; those of a node that dies are left out."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    gpus = 1 if job.device.startswith("cuda") else 0
    free = int(ray.cluster_resources().get("GPU" if gpus else "CPU", 0))
    rows = ray.data.from_items(
        [{"first": first} for first in missing], override_num_blocks=len(missing)
    ).map_batches(
        _Actor,
        fn_constructor_args=(make, job, missing.copy()),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=max(1, min(actors or free, len(missing)))),
        num_cpus=1,
        num_gpus=gpus,
        max_restarts=0,
        max_task_retries=0,
    )
    for row in rows.iter_rows():
        if row["what"] == REFUSED:
            raise DemoError(row["text"])
        if row["what"] != MEASURED:
            raise RuntimeError(row["text"])
        yield int(row["first"]), row["text"]


class _Actor:
    """Measures parts in one thread, with models that it makes at the first."""

    def __init__(self, make: Callable[[], Toolbox], job: Job, parts: dict[int, Part]) -> None:
        self._make = make
        self._job = job
        self._parts = parts
        self._measure: MeasurePart | None = None

    def __call__(self, row: Row) -> Row:
        """Measure one part; an error is an answer too, since Ray takes others for a lost node."""
        (first,) = row["first"]
        try:
            with one_thread():
                if self._measure is None:
                    self._measure = begin_elsewhere(self._job, self._make())
                what, text = MEASURED, self._measure(self._parts[int(str(first))])
        except DemoError as refused:
            what, text = REFUSED, str(refused)
        except Exception:
            what, text = "failed", traceback.format_exc()
        return {"first": [first], "what": [what], "text": [text]}
