"""A study cut into parts, and how one is measured, here or in any other process.

A part says the same wherever it is measured, so the order in which parts come in does not matter.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import torch

from demo.core.analysis import Toolbox, device_name
from demo.core.defences import Defence
from demo.core.errors import DemoError, SettingsError, WeightsError
from demo.core.images import Picture
from demo.core.judges import Judge
from demo.core.settings import Settings
from demo.study.detectors import study_detectors
from demo.study.measuring import Row, measure_sample, study_judges
from demo.study.samples import Sample

PART: Final = 16


@dataclass(frozen=True)
class Part:
    """Samples that are measured and kept together.

    Attributes:
        first: place of the first one in the data set.
        samples: up to ``PART`` of them, in order.
    """

    first: int
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Job:
    """What is the same for every part of a study; it can be pickled, and models are no part of it.

    Attributes:
        read: a sample's picture, as ``samples.DataSet.read``.
        crops: whether pictures are face crops.
        round_trips: of the plan.
        cards: of the detectors, as ``detectors.study_detectors`` takes them.
        forgeries: of the data.
        device: where the study's numbers come from, as ``analysis.device_name`` says it.
        defences: asked after the detectors.
        white_box: names of the samples that are also attacked by gradients.
    """

    read: Callable[[Sample], Picture]
    crops: bool
    round_trips: tuple[Settings, ...]
    cards: tuple[tuple[str, Path], ...]
    forgeries: tuple[str, ...]
    device: str
    defences: tuple[Defence, ...] = ()
    white_box: frozenset[str] = frozenset()


MeasurePart = Callable[[Part], str]
MeasureParts = Callable[[Job, Sequence[Part]], Generator[tuple[Part, str]]]


def cut_into_parts(samples: tuple[Sample, ...]) -> tuple[Part, ...]:
    """Cut a data set into parts, always the same ones."""
    return tuple(
        Part(first, samples[first : first + PART]) for first in range(0, len(samples), PART)
    )


def begin_elsewhere(job: Job, toolbox: Toolbox) -> MeasurePart:
    """Load a study's detectors in a process that did not begin it, once for all its parts.

    Returns:
        What ``measure_part`` does, for one part after another.

    Raises:
        SettingsError: numbers would come out otherwise here than where the study began, or the
            cards do not fit the data.
        WeightsError: a detector is refused.
    """
    device = device_name(toolbox.zoo.device)
    if device != job.device:
        raise SettingsError(
            f"The study computes on {job.device}, but here is {device}, where last digits differ. "
            "Run it on machines of one kind."
        )
    detectors = study_detectors(toolbox.zoo, job.cards, job.forgeries)
    judges = study_judges(detectors, job.defences, toolbox.zoo)
    return partial(measure_part, job, judges, toolbox)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread, as workers do, so that the digits are theirs; then as before."""
    before, drawing = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        cv2.setNumThreads(drawing)


def measure_part(job: Job, judges: Sequence[Judge], toolbox: Toolbox, part: Part) -> str:
    """Measure the samples of a part, one after another.

    Returns:
        The rows and the sentences of refused samples, as JSON.

    Raises:
        WeightsError: a network is refused.
    """
    rows: list[Row] = []
    refused: list[dict[str, str]] = []
    for sample in part.samples:
        try:
            picture = job.read(sample)
            rows += measure_sample(
                sample,
                picture,
                job.crops,
                job.round_trips,
                judges,
                toolbox,
                bool(job.defences),
                sample.name in job.white_box,
            )
        except WeightsError:
            raise
        except DemoError as reason:
            refused.append({"sample": sample.name, "forgery": sample.forgery, "why": str(reason)})
    return json.dumps({"rows": [asdict(row) for row in rows], "refused": refused})
