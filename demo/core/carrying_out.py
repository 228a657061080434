"""Work for the networks, and who does it: these networks here, or others in another process.

A ``Job`` holds nothing but a function of a module and plain values, so that it can be sent to the
process that has the GPU where a GPU is lent for seconds. Faces are found before that, on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import torch

from demo.core.out_of_memory import is_out_of_memory
from models.zoo import Zoo

Result = TypeVar("Result")
OnStep = Callable[[str, float], None]

MEMORY_FULL: Final = (
    "The memory of the GPU was full, so this was done on the CPU. The next analysis tries the GPU "
    "again."
)


@dataclass(frozen=True)
class Job(Generic[Result]):
    """Something to be done with the networks, and how much of it there is.

    Attributes:
        work: what to do; a ``functools.partial`` of a module's function, so that it can be pickled.
        factors: K of each round trip.
        pixels: of the crops that go through each of them, about.
        crops: how many crops detectors are asked about, counted anew for each detector.
    """

    work: Callable[[Zoo, OnStep], Result]
    factors: tuple[float, ...]
    pixels: int
    crops: int


class Elsewhere(Protocol):
    """Another place where jobs can be carried out, as ``here`` does."""

    def __call__(self, job: Job[Result], on_step: OnStep) -> tuple[Result, tuple[str, ...]]:
        """Return the result, and a sentence for everything that went otherwise than asked."""


def here(job: Job[Result], zoo: Zoo, on_step: OnStep) -> tuple[Result, tuple[str, ...]]:
    """Carry out a job with these networks; on the CPU where the GPU's memory is too small for it.

    The CPU's job begins anew, so that all numbers of one record come from one device.

    Args:
        job: what to do.
        zoo: the networks.
        on_step: called by the job with the stage's name and the finished fraction in [0, 1].

    Returns:
        The result, and ``MEMORY_FULL`` where that happened.

    Raises:
        Exception: whatever the job raises.
    """
    try:
        return job.work(zoo, on_step), ()
    except RuntimeError as problem:
        if not is_out_of_memory(problem):
            raise
    torch.cuda.empty_cache()
    on_step("Starting again on the CPU", 0.0)
    return job.work(zoo.on_cpu(), on_step), (MEMORY_FULL,)
