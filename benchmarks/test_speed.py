"""A 1080p frame with four faces beside the plain way, and the time against K, size and faces."""

import time
from itertools import pairwise

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.pictures import face_of, frame_of_faces
from benchmarks.plain import (
    DETECTION,
    DETECTORS,
    ENCODING,
    MODELS,
    REST,
    ROUND_TRIP,
    STAGES,
    Watch,
    plain_analysis,
)
from benchmarks.table import Say
from demo.core.analysis import Analysis, Toolbox, analyse
from demo.core.attack import FACTORS
from demo.core.images import Picture, encode_png
from demo.core.record import mark
from demo.core.settings import Settings

FACES = 4
TURNS = 3
STAGE_OF = {
    "Finding faces": DETECTION,
    "Round trip": ROUND_TRIP,
    "Asking the detectors": DETECTORS,
    "Looking for a round trip": REST,
    "Measuring the difference": REST,
}


def timed_analysis(
    picture: Picture, settings: Settings, toolbox: Toolbox, watch: Watch
) -> Analysis:
    """One analysis and its pictures' encoding, the time of each stage taken at its steps."""
    steps = [("", time.perf_counter())]
    analysis = analyse(
        picture, settings, toolbox, lambda stage, _: steps.append((stage, time.perf_counter()))
    )
    for (stage, start), (_, end) in pairwise(steps):
        if stage:
            watch.spent[STAGE_OF[stage]] += end - start
    with watch.on(ENCODING):
        encode_png(analysis.attacked, mark(analysis))
        for crop in (analysis.chosen.clean, analysis.chosen.attacked):
            encode_png(crop, {})
    return analysis


@pytest.mark.timeout(900)
def test_four_faces_beside_the_plain_way(
    benchmark: BenchmarkFixture, astronaut: Picture, toolbox: Toolbox, say: Say
) -> None:
    """Both take turns, so that whatever else the machine does slows both; the best turn counts."""
    frame, settings = frame_of_faces(astronaut, FACES), Settings(scope="faces")
    turns: dict[str, list[Watch]] = {"plain": [], "core": []}

    def measure() -> None:
        analyse(frame, settings, toolbox)
        for _ in range(TURNS):
            plain, core = Watch(), Watch()
            assert plain_analysis(frame, plain) == FACES
            assert len(timed_analysis(frame, settings, toolbox, core).results) == FACES
            turns["plain"].append(plain)
            turns["core"].append(core)

    benchmark.pedantic(measure, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    plain, core = (
        min(turns[way], key=lambda watch: sum(watch.spent.values())).spent for way in turns
    )
    whole = {way: sum(spent.values()) for way, spent in (("plain", plain), ("core", core))}
    benchmark.extra_info["ratio"] = whole["plain"] / whole["core"]
    what = f"a 1080p frame with {FACES} faces, K = 2"
    say(f"{what}, end to end", against(whole["core"], whole["plain"]), "≥ 4 times")
    without = whole["plain"] - plain[MODELS]
    say(f"{what}, models built beforehand in both", against(whole["core"], without))
    for stage in STAGES:
        if stage == MODELS:
            say(f"— {stage}", f"once, when first asked; plain {plain[stage]:.2f} s a picture")
        else:
            say(f"— {stage}", against(core[stage], plain[stage]))


def against(core: float, plain: float) -> str:
    """Both times, and their ratio."""
    return f"{1000 * core:.0f} ms; plain {1000 * plain:.0f} ms, {plain / core:.1f} times as much"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("by", ["K", "side", "faces"])
def test_time_against(
    benchmark: BenchmarkFixture, astronaut: Picture, toolbox: Toolbox, say: Say, by: str
) -> None:
    """The best of two runs each, encoding left out."""
    if by == "K":
        what = "a face of 224 px, K = "
        asked = [(f"{k:g}", face_of(astronaut, 224), Settings(k=k, whole=True)) for k in FACTORS]
    elif by == "side":
        what = "a face at K = 2, side in px: "
        asked = [
            (f"{side}", face_of(astronaut, side), Settings(whole=True))
            for side in (64, 128, 256, 512, 1024)
        ]
    else:
        what = "a 1080p frame at K = 2, faces: "
        asked = [
            (f"{faces}", frame_of_faces(astronaut, faces), Settings(scope="faces"))
            for faces in (1, 2, 4, 8)
        ]
    spent: dict[str, float] = {}

    def measure() -> None:
        for name, picture, settings in asked:
            runs = []
            for _ in range(2):
                start = time.perf_counter()
                analysis = analyse(picture, settings, toolbox)
                runs.append(time.perf_counter() - start)
            spent[name] = min(runs)
            assert by != "faces" or len(analysis.results) == int(name)

    benchmark.pedantic(measure, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(spent)
    say(what + " / ".join(spent), " / ".join(f"{1000 * one:.0f}" for one in spent.values()) + " ms")


@pytest.mark.timeout(900)
def test_detection_on_twelve_megapixels(
    benchmark: BenchmarkFixture, astronaut: Picture, toolbox: Toolbox, say: Say
) -> None:
    """The faces of a photograph as cameras give it."""
    frame = frame_of_faces(astronaut, 2)[:720, :960]
    picture = np.ascontiguousarray(np.kron(frame, np.ones((5, 5, 1), np.uint8))[:3000, :4000])
    assert len(toolbox.faces.find(picture)) == 2
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        toolbox.faces.find, args=(picture,), rounds=7, warmup_rounds=1
    )
    stats = benchmark.stats
    assert stats is not None
    say("detection on 12 megapixels", f"{1000 * stats['min']:.0f} ms", "≤ 100 ms")
