"""EDSR's figures on the standard benchmarks, beside those of bicubic enlargement."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.stats import bootstrap
from super_image import EdsrModel
from torch import Tensor

from models.super_resolution import enlarge
from models.training.picture_pairs import Pair, read_rgb, shrink_bicubic, to_batch

BENCHMARKS = ("set5", "bsd100")

_LUMA = (65.481, 128.553, 24.966)


@dataclass(frozen=True)
class PictureFigure:
    """PSNR of the luma of one enlarged picture, in dB, against the picture itself."""

    picture: str
    edsr: float
    bicubic: float

    @property
    def gain(self) -> float:
        """What EDSR adds to bicubic enlargement, in dB."""
        return self.edsr - self.bicubic


@dataclass(frozen=True)
class BenchmarkResult:
    """The figures of one benchmark, picture by picture."""

    name: str
    scale: int
    pictures: tuple[PictureFigure, ...]

    @property
    def edsr(self) -> float:
        """Mean over the pictures, in dB."""
        return float(np.mean([figure.edsr for figure in self.pictures]))

    @property
    def bicubic(self) -> float:
        """Mean over the pictures, in dB."""
        return float(np.mean([figure.bicubic for figure in self.pictures]))

    @property
    def smallest_gain(self) -> float:
        """The least that EDSR adds to bicubic enlargement on any one picture, in dB."""
        return min(figure.gain for figure in self.pictures)


def benchmark(
    network: EdsrModel,
    scale: int,
    root: Path,
    names: Sequence[str] = BENCHMARKS,
    every: int = 1,
) -> tuple[BenchmarkResult, ...]:
    """Measure a network on Set5 and BSD100.

    Each picture is cropped to multiples of ``scale``, shrunk bicubically to 8 bits, and enlarged
    again by the network and bicubically.

    Args:
        network: the EDSR, in evaluation mode.
        scale: its factor.
        root: folder that holds ``super_resolution/eval`` with ``set5`` and ``bsd100``.
        names: which benchmarks.
        every: take only n-th picture in the order of names, this being n.

    Returns:
        One result a benchmark, in the order of ``names``.

    Raises:
        FileNotFoundError: a benchmark has no pictures there.
    """
    return tuple(_measure(network, scale, root, name, every) for name in names)


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of the mean of at least two values, by bootstrap (BCa)."""
    result = bootstrap((np.asarray(values),), np.mean, rng=np.random.default_rng(seed))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def luma_psnr(result: Tensor, truth: Tensor, border: int) -> float:
    """PSNR of the luma after rounding to 8 bits, in dB.

    Args:
        result: float32 1×3×H×W RGB; clamped to [0, 1] here.
        truth: float32 1×3×H×W RGB in [0, 1].
        border: px left out on each side.

    Luma is BT.601 in studio range (16 to 235), peak 255: the protocol of the published figures.
    """
    rounded = (result.clamp(0, 1) * 255).round() / 255
    weights = result.new_tensor(_LUMA).view(1, 3, 1, 1)
    error = ((rounded - truth) * weights).sum(1)
    inner = error[:, border : error.shape[1] - border, border : error.shape[2] - border]
    mean = float(inner.double().square().mean())
    return 10 * math.log10(255**2 / mean) if mean else math.inf


def _measure(network: EdsrModel, scale: int, root: Path, name: str, every: int) -> BenchmarkResult:
    files = sorted((root / "super_resolution" / "eval" / name).glob("*.png"))
    if not files:
        raise FileNotFoundError(f"expected the pictures of {name}, found none: fetch the data")
    figures = []
    for file in files[::every]:
        pair = shrink_bicubic(read_rgb(file), scale)
        truth = to_batch(pair.high[None])
        edsr = luma_psnr(_enlarge_edsr(network, pair, scale), truth, scale)
        bicubic = luma_psnr(_enlarge_bicubic(pair), truth, scale)
        figures.append(PictureFigure(file.stem, edsr, bicubic))
    return BenchmarkResult(name, scale, tuple(figures))


def _enlarge_edsr(network: EdsrModel, pair: Pair, scale: int) -> Tensor:
    device = next(network.parameters()).device
    with torch.inference_mode():
        return enlarge(network, to_batch(pair.low[None]).to(device), scale).cpu()


def _enlarge_bicubic(pair: Pair) -> Tensor:
    height, width = pair.high.shape[:2]
    enlarged = Image.fromarray(pair.low).resize((width, height), Image.Resampling.BICUBIC)
    return to_batch(np.asarray(enlarged)[None])
