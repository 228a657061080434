"""What a GPU gains, stage by stage, beside float32 eager on the same one: ``make bench-gpu``.

Prints a table in Markdown with the GPU's name. Float32 eager is torch's plain way: the networks as
built, without TF32, in the memory format of the pictures. Beside it stand the project's way
(channels last, the default), its bfloat16 twins, and these compiled into CUDA graphs. Each time
includes the way to the GPU and back; each is the median of rounds in which the ways take turns.

The compiled networks are for this table only: the page asks from many threads, where torch's CUDA
graphs fail (github.com/pytorch/pytorch/issues/123177, open), and ZeroGPU compiles nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np
import numpy.typing as npt
import skimage
import torch

from demo.core.analysis import analyse
from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.core.restoring import restore
from demo.core.scoring import BATCH, score_crops
from demo.core.settings import Settings
from demo.core.sweep import sweep
from models.zoo import Zoo

Picture = npt.NDArray[np.uint8]
MakeZoo = Callable[[], Zoo]
FACE_SIDES = (224, 512, 1024)


def main(arguments: Sequence[str] | None = None, make: Callable[[str], Zoo] = Zoo) -> int:
    """Print the table; 2 where there is no GPU to measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu for a try")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--sides", type=int, nargs="+", default=FACE_SIDES, help="of faces, px")
    parser.add_argument("--no-compile", dest="compiled", action="store_false")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("There is no NVIDIA GPU here, so there is nothing to measure.", file=sys.stderr)
        return 2
    ways = {
        "float32 eager": plain(make(given.device)),
        "the default": make(given.device),
        "bfloat16": make(given.device).in_bfloat16(),
    }
    if given.compiled:
        ways["bfloat16, compiled"] = compiled(make(given.device).in_bfloat16())
    name = torch.cuda.get_device_name() if given.device == "cuda" else "A CPU, for a try"
    print(f"{name}, torch {torch.__version__}, median of {given.rounds} rounds, in ms\n")
    print("| stage | " + " | ".join(ways) + " |\n| --- |" + " ---: |" * len(ways))
    for stage, works in stages(ways, given.sides).items():
        times = milliseconds(works, given.rounds)
        cells = [f"{one:.1f} ({times[0] / one:.1f}×)" for one in times[1:]]
        print(f"| {stage} | {times[0]:.1f} | " + " | ".join(cells) + " |", flush=True)
    return 0


def networks(zoo: Zoo) -> list[torch.nn.Module]:
    """EDSR ×2 and the detectors, which the stages ask."""
    return [zoo.super_resolution(2).network, *(one.network for one in zoo.detectors())]


def plain(zoo: Zoo) -> Zoo:
    """The same zoo with networks in torch's own memory format."""
    for network in networks(zoo):
        network.to(memory_format=torch.contiguous_format)
    return zoo


def compiled(zoo: Zoo) -> Zoo:
    """The same zoo with networks that torch compiles, into CUDA graphs on a GPU."""
    for network in networks(zoo):
        network.compile(mode="reduce-overhead")
    return zoo


def stages(ways: dict[str, Zoo], sides: Sequence[int]) -> dict[str, list[Callable[[], object]]]:
    """What is timed: one call for each way and stage."""
    portrait: Picture = skimage.data.astronaut()
    crops = [np.ascontiguousarray(portrait[i : i + 224, i : i + 224]) for i in range(BATCH)]
    zoos, faces = list(ways.values()), FaceDetector()
    works: dict[str, list[Callable[[], object]]] = {}
    for side in sides:
        small = np.resize(portrait, (side // 2, side // 2, 3))
        works[f"EDSR ×2 to {side}×{side} px"] = [
            partial(restore, small, 2, "edsr", zoo) for zoo in zoos
        ]
    for asked in zip(*(zoo.detectors() for zoo in zoos), strict=True):
        works[f"{asked[0].card.title}, {BATCH} crops"] = [
            partial(score_crops, one, crops, zoo.device)
            for one, zoo in zip(asked, zoos, strict=True)
        ]
    boxes = [Toolbox(zoo, faces) for zoo in zoos]
    works["analysis of a portrait"] = [partial(analyse, portrait, Settings(), one) for one in boxes]
    works["sweep of a portrait"] = [partial(sweep, portrait, Settings(), one) for one in boxes]
    return works


def milliseconds(works: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """The median time of each; the first two rounds pay for loading and compiling."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 2):
        for taken, work in zip(times, works, strict=True):
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            begin = time.perf_counter()
            work()  # Ends with numbers on the CPU, and so waits for the GPU.
            taken.append(1000 * (time.perf_counter() - begin))
    return [median(taken[2:]) for taken in times]


if __name__ == "__main__":
    sys.exit(main())
