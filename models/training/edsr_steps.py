"""One step of EDSR's training: what is drawn, what is computed, what is moved."""

import math
from dataclasses import dataclass
from typing import cast

import torch
from super_image import EdsrModel
from torch import Tensor

from models.super_resolution import BLOCKS, build_edsr
from models.training import winograd
from models.training.edsr_start import start_as_bicubic, start_from_trained
from models.training.muon import Muon
from models.training.picture_pairs import TrainingPairs, draw_batch


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights that come out, the data aside.

    Attributes:
        scale: factor of enlargement.
        steps: batches in total; the learning rates follow a cosine down over them.
        count: patches a batch.
        patch: side of a patch in px of the shrunken picture, a multiple of 4.
        muon_rate: highest learning rate of the wide convolutions' weights.
        adam_rate: highest learning rate of all other weights.
        warm_up: steps of linear warm-up.
        average: decay a step of the averaged weights, which are the ones that ship.
        clip: largest norm of the gradient.
        luma: share of the luma error in the loss, the rest is the error of R, G and B.
        squared_from: share of the steps after which the loss is squared instead of absolute.
        seed: draws patches and random weights.
        depths: how many residual blocks take part, from which share of the steps on. Blocks that
            come later start as the identity.
        every: steps between checkpoints, each with a figure on the held-out pictures.
        fast: compute convolutions by Winograd's algorithm (on a CPU; needs a C++ compiler).
    """

    scale: int
    steps: int
    count: int = 8
    patch: int = 32
    muon_rate: float = 5e-3
    adam_rate: float = 1e-3
    warm_up: int = 50
    average: float = 0.999
    clip: float = 0.5
    luma: float = 0.5
    squared_from: float = 0.85
    seed: int = 2407
    depths: tuple[tuple[float, int], ...] = ((0.0, BLOCKS),)
    every: int = 250
    fast: bool = False


@dataclass
class Progress:
    """A training as far as it has come."""

    network: EdsrModel
    average: EdsrModel
    optimisers: tuple[torch.optim.Optimizer, ...]
    step: int = 0
    seconds: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()


def begin(recipe: Recipe, device: torch.device, start: EdsrModel | None) -> Progress:
    """A training before its first step.

    Args:
        recipe: see `Recipe`.
        device: where to compute.
        start: a trained network of the same scale or ×2 to start from; none starts at bicubic.
    """
    torch.manual_seed(recipe.seed)
    network = build_edsr(recipe.scale)
    if start is None:
        start_as_bicubic(network, recipe.seed)
    else:
        start_from_trained(network, start)
    network.to(device=device, memory_format=torch.channels_last)
    for shift in (network.sub_mean, network.add_mean):
        shift.weight.requires_grad_(False)
        shift.bias.requires_grad_(False)
    average = build_edsr(recipe.scale).to(device)
    average.load_state_dict(network.state_dict())
    wide: list[Tensor] = []
    other: list[Tensor] = []
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            is_wide = weight.ndim == 4 and name.startswith(("body", "tail.0"))
            (wide if is_wide else other).append(weight)
    adam = torch.optim.Adam(other, recipe.adam_rate, betas=(0.9, 0.99))
    return Progress(network, average, (Muon(wide, recipe.muon_rate), adam))


def advance(
    progress: Progress, recipe: Recipe, pairs: TrainingPairs, device: torch.device
) -> float:
    """Make one step; its loss."""
    factor = _rate_factor(recipe, progress.step)
    rates = (recipe.muon_rate, recipe.adam_rate)
    for optimiser, rate in zip(progress.optimisers, rates, strict=True):
        optimiser.param_groups[0]["lr"] = rate * factor
        optimiser.zero_grad()
    seed = (recipe.seed, progress.step)
    low, high = draw_batch(pairs, recipe.scale, recipe.count, recipe.patch, seed)
    low, high = low.to(device), high.to(device)
    forward = winograd.forward if recipe.fast and device.type == "cpu" else _forward
    error = forward(progress.network, low, _depth(recipe, progress.step)) - high
    squared = progress.step >= recipe.squared_from * recipe.steps
    loss = _loss(error, recipe.luma, squared)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(progress.network.parameters(), recipe.clip)
    for optimiser in progress.optimisers:
        optimiser.step()
    progress.step += 1
    decay = min(recipe.average, progress.step / (progress.step + 10))
    with torch.no_grad():
        for mean, weight in zip(
            progress.average.parameters(), progress.network.parameters(), strict=True
        ):
            mean.lerp_(weight, 1 - decay)
    return loss.item()


def _depth(recipe: Recipe, step: int) -> int:
    return [depth for share, depth in recipe.depths if step >= share * recipe.steps][-1]


def _forward(network: EdsrModel, batch: Tensor, depth: int) -> Tensor:
    first = network.head(batch)
    x = first
    for block in network.body[:depth]:
        x = block(x)
    return cast(Tensor, network.tail(network.body[-1](x) + first))


def _loss(error: Tensor, luma: float, squared: bool) -> Tensor:
    weights = error.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    grey = (error * weights).sum(1)
    if squared:
        return luma * grey.square().mean() + (1 - luma) * error.square().mean()
    return luma * grey.abs().mean() + (1 - luma) * error.abs().mean()


def _rate_factor(recipe: Recipe, step: int) -> float:
    rise = min(1.0, (step + 1) / recipe.warm_up)
    return rise * max(0.002, (1 + math.cos(math.pi * step / recipe.steps)) / 2)
