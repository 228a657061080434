"""What a study is run on: a list of samples, each with its label, and a way to read them."""

from collections.abc import Callable
from dataclasses import dataclass

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
    """

    name: str
    forgery: str
    source: str
    place: str

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
        read: a sample's picture, uint8 RGB H×W×3; raises ``DemoError`` where it is unusable.
    """

    name: str
    samples: tuple[Sample, ...]
    crops: bool
    read: Callable[[Sample], Picture]
