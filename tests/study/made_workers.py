"""What a worker process of a test is given: it must be found by name, so it lives in a module."""

import os
import signal
from pathlib import Path

from demo.core.errors import WeightsError
from demo.core.faces import FaceDetector
from demo.core.images import Picture, read_picture
from demo.core.picture_attack import Toolbox
from demo.study.samples import Sample
from models.zoo import Zoo


def make_small(folder: Path) -> Toolbox:
    """A toolbox of the quick detectors of ``made_detectors``."""
    return Toolbox(Zoo("cpu", folder=folder, cards=folder), FaceDetector())


def make_none() -> Toolbox:
    """No toolbox, but a refusal."""
    raise WeightsError("The weights are damaged: fetch them again.")


def read_or_die(root: Path, deadly: str, deaths: Path, most: int, sample: Sample) -> Picture:
    """Read a sample; the deadly one ends the process as the kernel does where memory runs out.

    Args:
        root: of the data.
        deadly: name of the sample.
        deaths: a folder that counts.
        most: how many die.
        sample: to read.
    """
    if sample.name == deadly and len(list(deaths.iterdir())) < most:
        (deaths / str(os.getpid())).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return read_picture(root / sample.place)


def read_and_tell(root: Path, seen: Path, sample: Sample) -> Picture:
    """Read a sample on a node of a Ray cluster, and leave the node's name in a folder."""
    import ray

    (seen / ray.get_runtime_context().get_node_id()).touch()
    return read_picture(root / sample.place)
