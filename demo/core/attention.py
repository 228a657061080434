"""Where a detector looks: Grad-CAM of the fake logit on a clean crop and on its attacked twin.

All detectors end alike: the cells of the last feature map are averaged and a linear layer turns
the average into the logit. At that feature map Grad-CAM is exact: a cell's value is what the cell
adds to the logit. Here each cell also carries its even share of the layer's bias, so that a
crop's cells add up to its logit and a crop called fake always has a place that says so.

Source: Selvaraju et al. 2017, arXiv 1610.02391, by the library grad-cam. The library stretches
every map to its own range; here the raw cells are kept, so that two maps can be compared.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from demo.core.analysis import AskedCrops
from demo.core.carrying_out import Job
from demo.core.errors import WeightsError
from demo.core.images import Picture
from demo.core.picture_attack import OnStep, Toolbox, ignore_step
from demo.core.scoring import BATCH
from models.detectors import prepare
from models.loading import LoadedDetector
from models.zoo import Zoo

HeatMap = npt.NDArray[np.float32]
CELL: Final = 32.0


@dataclass(frozen=True)
class Look:
    """Where an architecture's last feature map is, and where its cells lie in the input.

    Attributes:
        layer: name of the module whose output is averaged and handed to the linear layer.
        first: centre of the first cell's field of view, px of the input from the first pixel's
            centre; the following ones lie 32 px apart.
        tokens: whether the map is laid out N×h×w×C instead of N×C×h×w.
    """

    layer: str
    first: float
    tokens: bool = False


# A padded convolution of stride 2 looks at every second pixel from the first one on, so ResNet's
# cells begin at the edge. Xception's first two convolutions are not padded, which moves its cells
# by 3 px; its last feature map is taken behind the activation, as the average is. Swin merges
# patches of 4 px without overlap: its cells are squares side by side.
LOOKS: Final = MappingProxyType(
    {
        "resnet50": Look("layer4", 0.0),
        "resnet34": Look("layer4", 0.0),
        "legacy_xception": Look("act4", 3.0),
        "swin_small_patch4_window7_224": Look("norm", 15.5, tokens=True),
    }
)


@dataclass(frozen=True)
class Attention:
    """Where one detector sees signs of a fake, before and after the round trip.

    Attributes:
        detector: the detector's name, as on its card.
        title: its name for people.
        clean: float32 H×W in [0, 1], of the clean crop; 0 where nothing speaks for fake.
        attacked: float32 H×W in [0, 1], of the attacked crop, on the same scale as ``clean``.
        difference: float32 H×W in [-1, 1], ``attacked`` - ``clean``: above 0 where the round trip
            added signs of a fake.
        peak: what 1 stands for: how much one cell, about 32 px a side of the network's input, adds
            to the fake logit.
    """

    detector: str
    title: str
    clean: HeatMap
    attacked: HeatMap
    difference: HeatMap
    peak: float


def attend(loaded: LoadedDetector, clean: Picture, attacked: Picture) -> Attention:
    """Ask one detector where it sees signs of a fake, before and after the round trip.

    Args:
        loaded: the detector.
        clean: uint8 RGB H×W×3, cut as the detector's card wants it.
        attacked: the same box of the attacked picture.

    Raises:
        ValueError: the crops differ in size.
        WeightsError: the network's answer is not finite.
    """
    if clean.shape != attacked.shape:
        raise ValueError(f"expected two crops of one size, found {clean.shape}, {attacked.shape}")
    maps, peak = _on_one_scale(loaded, (clean, attacked))
    return Attention(
        detector=loaded.card.name,
        title=loaded.card.title,
        clean=maps[0],
        attacked=maps[1],
        difference=maps[1] - maps[0],
        peak=peak,
    )


def attend_each(asked: Sequence[AskedCrops], toolbox: Toolbox) -> list[Attention]:
    """Ask every detector about the crops that it was asked about, as ``attend``.

    Those of an architecture that is not among ``LOOKS`` are left out.

    Raises:
        WeightsError: as ``attend``.
    """
    job = Job(partial(_attend_each, tuple(asked)), factors=(), pixels=0, crops=2 * len(asked))
    return toolbox.carry_out(job, ignore_step)[0]


def _attend_each(asked: Sequence[AskedCrops], zoo: Zoo, on_step: OnStep) -> list[Attention]:
    # Gradients go through the networks as they were trained.
    loaded = [(zoo.exact.detector(one.detector), one) for one in asked]
    return [
        attend(detector, one.clean, one.attacked)
        for detector, one in loaded
        if detector.card.architecture in LOOKS
    ]


def heat(loaded: LoadedDetector, crops: Sequence[Picture]) -> tuple[HeatMap, ...]:
    """Map where a detector sees signs of a fake, all crops on one common scale.

    Works on a copy of the network's structure that shares its weights: the hooks and gradients of
    Grad-CAM never touch the network that other threads are using.

    Args:
        loaded: the detector.
        crops: one or more uint8 RGB pictures of any sizes, cut as the detector's card wants them.

    Returns:
        One float32 H×W map a crop, of the crop's size, in [0, 1]: 1 is the strongest place of all
        the crops, 0 one that speaks against fake or says nothing. All 0 where no place of any crop
        speaks for fake.

    Raises:
        ValueError: no crop, or one that is not uint8 H×W×3.
        WeightsError: the network's answer is not finite.
    """
    return _on_one_scale(loaded, crops)[0]


def cells(loaded: LoadedDetector, crops: Sequence[Picture]) -> npt.NDArray[np.float32]:
    """What each cell of the last feature map adds to the fake logit.

    Returns:
        float32 N×h×w, in logits; a crop's cells add up to its logit.

    Raises:
        As ``heat``.
    """
    look = LOOKS[loaded.card.architecture]
    # A caller may be inside torch.inference_mode, where no gradient can be had.
    with torch.inference_mode(False), torch.enable_grad():
        network = _twin(loaded.network)
        layer = network.get_submodule(look.layer)
        layer.register_forward_hook(_begin_gradient)
        cam = GradCAM(network, [layer], _channels_first if look.tokens else None)
        batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
        found = [_raw(cam, layer, prepare(batch, loaded.card)) for batch in batches or [crops]]
        bias = float(network.get_classifier().bias)  # type: ignore[operator]
    raw = np.concatenate(found)
    added: npt.NDArray[np.float32] = (raw + bias / raw[0].size).astype(np.float32)
    if not np.isfinite(added).all():
        raise WeightsError(
            f"{loaded.card.title}: where it looks is refused: expected finite numbers, found NaN "
            "or infinity; fetch the project's weights again."
        )
    return added


def _on_one_scale(
    loaded: LoadedDetector, crops: Sequence[Picture]
) -> tuple[tuple[HeatMap, ...], float]:
    first = LOOKS[loaded.card.architecture].first
    for_fake = np.maximum(cells(loaded, crops), 0)
    maps = [
        _spread(grid, crop.shape[0], crop.shape[1], first, loaded.card.input_size)
        for grid, crop in zip(for_fake, crops, strict=True)
    ]
    peak = max(float(one.max()) for one in maps)
    scaled = tuple(one / np.float32(peak) if peak > 0 else one for one in maps)
    return scaled, peak


def _raw(cam: GradCAM, layer: nn.Module, batch: Tensor) -> npt.NDArray[np.float32]:
    targets = [ClassifierOutputTarget(0)] * len(batch)
    cam(batch, targets)
    seen = cam.activations_and_grads
    raw: npt.NDArray[np.float32] = cam.get_cam_image(
        batch, layer, targets, seen.activations[0], seen.gradients[0].numpy()
    )
    return raw


def _twin(network: nn.Module) -> nn.Module:
    """A copy of the modules that holds the very same weights and buffers."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)


def _begin_gradient(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """Forward hook: the gradient is wanted from here on and nowhere before."""
    return output.detach().requires_grad_()


def _channels_first(tokens: Tensor) -> Tensor:
    return tokens.permute(0, 3, 1, 2)


def _spread(grid: HeatMap, height: int, width: int, first: float, side: int) -> HeatMap:
    """Interpolate linearly between the cells' centres, at the centre of each pixel of the crop."""
    down = _weights(height, grid.shape[0], first, side)
    across = _weights(width, grid.shape[1], first, side)
    return np.asarray(down @ grid @ across.T, dtype=np.float32)


def _weights(pixels: int, count: int, first: float, side: int) -> HeatMap:
    """Share of each cell in each pixel along one side, pixels×count, rows summing to 1."""
    inside = (np.arange(pixels) + 0.5) * side / pixels - 0.5
    place = np.clip((inside - first) / CELL, 0, count - 1)
    apart = np.abs(place[:, None] - np.arange(count))
    return np.asarray(np.maximum(1 - apart, 0), dtype=np.float32)
