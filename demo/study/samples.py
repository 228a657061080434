"""What a study is run on: a list of samples, each with its label, and a way to read them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from demo.core.errors import SettingsError
from demo.core.faces import Box
from demo.core.images import Picture

PRISTINE = "pristine"


@dataclass(frozen=True)
class Sample:
    """One picture of a data set.

    Attributes:
        name: unique in the data set; never a folder of the machine.
        forgery: the manipulation method, or ``PRISTINE``.
        source: the video that it comes from, or that its fake was made from: intervals are drawn
            over sources, since pictures of one video are alike.
        place: where the data set finds it, such as a path below its root or a frame's number.
        native_side: geometric mean of the face's sides in px before the data set resized it; None
            where it did not.
        box: the face, where the data set names it; None where it must be found.
    """

    name: str
    forgery: str
    source: str
    place: str
    native_side: float | None = None
    box: Box | None = None

    @property
    def fake(self) -> bool:
        """Whether it was manipulated."""
        return self.forgery != PRISTINE


@dataclass(frozen=True)
class DataSet:
    """Samples in a fixed order, and how one is read.

    Attributes:
        name: for people and manifests, such as "DFDC face crops, test split".
        samples: in the order in which they are measured.
        crops: whether each picture is a face crop already, so that no face is looked for.
        read: a sample's picture, uint8 RGB H×W×3; raises ``DemoError`` where it is unusable. It
            can be pickled, since other processes read too: a partial of a function, no lambda.
    """

    name: str
    samples: tuple[Sample, ...]
    crops: bool
    read: Callable[[Sample], Picture]

    @property
    def forgeries(self) -> tuple[str, ...]:
        """The manipulation methods, without the pristine pictures, in order."""
        return tuple(dict.fromkeys(sample.forgery for sample in self.samples if sample.fake))


def draw(data: DataSet, limit: int, seed: int) -> DataSet:
    """Draw pictures of a data set without replacement, each equally likely; their order stays.

    Args:
        data: all of them.
        limit: how many; all, where it has no more.
        seed: of the draw.

    Raises:
        SettingsError: the limit is under 1.
    """
    if limit < 1:
        raise SettingsError(
            f"The limit must be 1 picture or more, but {limit} came. Choose a larger one."
        )
    if limit >= len(data.samples):
        return data
    places = np.random.default_rng(seed).permutation(len(data.samples))[:limit]
    samples = tuple(data.samples[place] for place in sorted(places))
    name = f"{data.name}: {limit} of {len(data.samples)} drawn with seed {seed}"
    return replace(data, name=name, samples=samples)


def samples_digest(data: DataSet) -> str:
    """SHA-256 of the list of samples: name, forgery and source of each, in order."""
    listed = "\n".join(f"{one.name}\t{one.forgery}\t{one.source}" for one in data.samples)
    return hashlib.sha256(listed.encode()).hexdigest()
