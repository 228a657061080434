"""How much of what the machine can convolve EDSR turns into pictures."""

import time
from collections.abc import Callable
from functools import partial

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from benchmarks.table import Say
from demo.core.analysis import Toolbox
from models.super_resolution import BLOCKS, CHANNELS, enlarge

SIDES = (64, 128, 256, 512, 1024)
ROUNDS = 5
LAYOUTS = {"NCHW": torch.contiguous_format, "NHWC": torch.channels_last}


def convolutions(side: int) -> int:
    """Multiplications of EDSR ×2 whose result has this side: every convolution is 3×3."""
    small = 3 * CHANNELS + (2 * BLOCKS + 1) * CHANNELS**2 + 4 * CHANNELS**2
    return 9 * ((side // 2) ** 2 * small + side**2 * 3 * CHANNELS)


def best_of(works: dict[str, Callable[[], Tensor]]) -> dict[str, float]:
    """The shortest time of each; they take turns."""
    best = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


@pytest.mark.timeout(900)
def test_share_of_the_convolution_peak(
    benchmark: BenchmarkFixture, toolbox: Toolbox, say: Say
) -> None:
    """The peak is one 64→64 convolution of the same size, in the better of two layouts."""
    network = toolbox.zoo.super_resolution(2).network
    shares: dict[int, float] = {}
    peaks: dict[int, float] = {}

    @torch.inference_mode()
    def measure() -> None:
        for side in SIDES:
            small = torch.rand(1, 3, side // 2, side // 2)
            works: dict[str, Callable[[], Tensor]] = {"edsr": partial(enlarge, network, small, 2)}
            for name, layout in LAYOUTS.items():
                layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).to(memory_format=layout)
                features = torch.rand(1, CHANNELS, side // 2, side // 2)
                features = features.contiguous(memory_format=layout)
                works[name] = partial(layer, features)
            best = best_of(works)
            one = 9 * (side // 2) ** 2 * CHANNELS**2
            peaks[side] = one / min(best[name] for name in LAYOUTS)
            shares[side] = convolutions(side) / best["edsr"] / peaks[side]

    benchmark.pedantic(measure, rounds=1, iterations=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update({str(side): share for side, share in shares.items()})
    named = " / ".join(map(str, SIDES))
    say(
        f"the machine's own convolution peak, 64→64, side in px: {named}",
        " / ".join(f"{2e-9 * peaks[side]:.0f}" for side in SIDES) + " GFLOP/s",
    )
    say(
        f"EDSR's share of it, K = 2, face side in px: {named}",
        " / ".join(f"{100 * shares[side]:.0f}" for side in SIDES) + " %",
        "≥ 85 % at 512",
    )
