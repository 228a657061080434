"""How long the sweep takes, beside the single analyses that it stands for."""

import time
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from demo.core.analysis import Toolbox, analyse
from demo.core.attack import FACTORS
from demo.core.faces import FaceDetector
from demo.core.restoring import METHODS
from demo.core.settings import Settings
from demo.core.sweep import sweep
from models.zoo import Zoo

Picture = npt.NDArray[np.uint8]
FACE_SIDE = 224
WANTED_CALLS = 21


def portrait(astronaut: Picture, toolbox: Toolbox) -> Picture:
    """The astronaut, enlarged until the found face's crop is about 224 px a side."""
    settings = Settings(method="bicubic")
    x0, _, x1, _ = analyse(astronaut, settings, toolbox).results[0].box
    side = round(astronaut.shape[0] * FACE_SIDE / (x1 - x0))
    return np.asarray(cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_CUBIC))


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@pytest.mark.timeout(1800)
def test_the_sweep_beside_21_single_analyses(
    benchmark: BenchmarkFixture,
    astronaut: Picture,
    random_zoo: Zoo,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """At K = 1 there is nothing to analyse: one bicubic analysis stands for each of its three."""
    toolbox = Toolbox(random_zoo, FaceDetector())
    picture = portrait(astronaut, toolbox)
    asked = [Settings(k=k, method=method) for method in METHODS for k in FACTORS]
    asked += [Settings(method="bicubic")] * (WANTED_CALLS - len(asked))
    for scale in (2, 3, 4):
        random_zoo.super_resolution(scale)
    single = sum(
        seconds(lambda settings=settings: analyse(picture, settings, toolbox))  # type: ignore[misc]
        for settings in asked
    )
    together: float = benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: seconds(lambda: sweep(picture, Settings(), toolbox)), rounds=1, iterations=1
    )
    benchmark.extra_info["ratio"] = single / together
    with capsys.disabled():
        print(
            f"\n{len(asked)} single analyses {single:.1f} s, one sweep {together:.1f} s: "
            f"{single / together:.2f} times faster"
        )
