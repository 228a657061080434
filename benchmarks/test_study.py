"""Faces a second of a study, beside single analyses with the same networks, as a ratio.

On one core both have one thread, and on all cores a single analysis has as many threads as a study
has workers. They take turns, so that whatever else the machine does slows both; where it does much,
only the ratio on one core means anything, for threads of one analysis then wait for each other.
Loading the networks is left out: a study of thousands of faces does it once.
"""

import json
import time
from collections.abc import Generator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from demo.core.analysis import Toolbox, analyse, device_name, make_toolbox
from demo.core.attack import FACTORS
from demo.core.images import encode_png
from demo.core.restoring import METHODS
from demo.core.scoring import probability
from demo.study.folder import open_folder
from demo.study.parts import Job, Part, one_thread
from demo.study.run import Plan
from demo.study.samples import DataSet
from demo.study.workers import measure_in_processes

Picture = npt.NDArray[np.uint8]
Measured = Generator[tuple[Part, str]]
Rows = list[dict[str, float]]

ROUNDS = 3
FACES_A_ROUND = 4
FACE_SIDE = 224
FRAME_HEIGHT, FRAME_WIDTH = 1080, 1920


def make_float32() -> Toolbox:
    """The networks that ship, as a worker makes them."""
    return make_toolbox("cpu")


def make_bfloat16() -> Toolbox:
    """The same in the fast mode."""
    toolbox = make_toolbox("cpu")
    return Toolbox(toolbox.zoo.in_bfloat16(), toolbox.faces)


def faces(root: Path, astronaut: Picture, crops: bool, count: int) -> DataSet:
    """The astronaut's face, moved a little each time: crops of 224 px, or frames of 1080p."""
    for number in range(count):
        folder = root / ("real" if number % 2 else "fake")
        folder.mkdir(exist_ok=True)
        x, y = 168 + number % 5, 60 + number // 5
        side = FACE_SIDE if crops else FRAME_HEIGHT
        part = astronaut[y : y + 112, x : x + 112] if crops else astronaut
        picture = cv2.resize(part, (side, side), interpolation=cv2.INTER_CUBIC)
        if not crops:
            frame = np.full((FRAME_HEIGHT, FRAME_WIDTH, 3), 90, np.uint8)
            frame[:, number : number + side] = picture
            picture = frame
        (folder / f"{number:03d}.png").write_bytes(encode_png(picture, {}))
    return open_folder(root, crops)


def seconds_and_rows(measured: Measured, workers: int) -> tuple[float, Rows]:
    """Time of some faces of a study that was left waiting, with all its workers free."""
    list(islice(measured, workers))
    start = time.perf_counter()
    texts = [text for _, text in islice(measured, FACES_A_ROUND)]
    seconds = time.perf_counter() - start
    # The others still have a face in hand, which must not slow whoever is timed next.
    time.sleep(2 * workers * seconds / FACES_A_ROUND)
    return seconds, [row for text in texts for row in json.loads(text)["rows"]]


def fail(sentence: str) -> None:
    """A worker died."""
    pytest.fail(sentence)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("factors", [(2.0,), FACTORS], ids=["K 2", "K 1.5 to 4"])
@pytest.mark.parametrize("crops", [True, False], ids=["face crops", "1080p frames"])
@pytest.mark.parametrize("cores", sorted({1, torch.get_num_threads()}))
def test_a_study_beside_single_analyses(
    benchmark: BenchmarkFixture,
    astronaut: Picture,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    cores: int,
    crops: bool,
    factors: tuple[float, ...],
) -> None:
    """Prints both ratios, and how far the fast mode's logits are from the exact ones."""
    data = faces(tmp_path, astronaut, crops, ROUNDS * (FACES_A_ROUND + cores))
    asked = Plan(METHODS, factors, "area", seed=0).round_trips(crops)
    toolbox = make_float32()
    with one_thread():
        device = device_name(torch.device("cpu"))
    job = Job(data.read, crops, asked, (), data.forgeries, device)
    parts = [Part(number, (sample,)) for number, sample in enumerate(data.samples)]
    exact = measure_in_processes(make_float32, cores, fail, job, parts)
    fast = measure_in_processes(make_bfloat16, cores, fail, job, parts)
    spent = dict.fromkeys(("single", "exact", "fast"), 0.0)
    rows: dict[str, Rows] = {"exact": [], "fast": []}

    def measure() -> None:
        analyse(data.read(data.samples[0]), asked[0], toolbox)
        for sample in data.samples[:ROUNDS]:
            for name, study in (("exact", exact), ("fast", fast)):
                seconds, found = seconds_and_rows(study, cores)
                spent[name] += seconds / FACES_A_ROUND
                rows[name] += found
            start = time.perf_counter()
            for one in asked:
                analyse(data.read(sample), one, toolbox)
            spent["single"] += time.perf_counter() - start

    threads = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        benchmark.pedantic(measure, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    finally:
        torch.set_num_threads(threads)
        exact.close()
        fast.close()
    moved = [
        (abs(a["logit"] - b["logit"]), called_fake(a) != called_fake(b))
        for a, b in in_both(rows["exact"], rows["fast"])
    ]
    benchmark.extra_info["exact ratio"] = spent["single"] / spent["exact"]
    benchmark.extra_info["fast ratio"] = spent["single"] / spent["fast"]
    with capsys.disabled():
        print(
            f"\n{'face crops' if crops else '1080p frames'}, {len(asked)} round trips, {cores} "
            f"core{'s' * (cores > 1)}, faces a second: single {ROUNDS / spent['single']:.3f}, "
            + ", ".join(
                f"study in {title} {ROUNDS / spent[name]:.3f} "
                f"({spent['single'] / spent[name]:.1f} times)"
                for name, title in (("exact", "float32"), ("fast", "bfloat16"))
            )
            + f". In bfloat16 {len(moved)} logits differ by up to {max(moved)[0]:.3f}, and "
            f"{sum(flip for _, flip in moved)} verdicts."
        )


def called_fake(row: dict[str, float]) -> bool:
    """The verdict of a row."""
    return probability(row["logit"]) >= row["threshold"]


def in_both(exact: Rows, fast: Rows) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Rows about the same face and question; which faces were timed depends on the workers."""
    asked = ("sample", "detector", "method", "k")
    found = {tuple(row[name] for name in asked): row for row in fast}
    pairs = [(row, found.get(tuple(row[name] for name in asked))) for row in exact]
    return [(one, other) for one, other in pairs if other is not None]
