"""Training of EDSR: step after step, checkpoints, figures on held-out pictures."""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from super_image import EdsrModel

from models.super_resolution import BLOCKS, build_edsr
from models.training.benchmark import luma_psnr
from models.training.checkpoints import earlier_weights, read_checkpoint, write_checkpoint
from models.training.edsr_steps import Progress, Recipe, advance, begin
from models.training.picture_pairs import TrainingPairs, read_training_pairs, to_batch
from models.weights import state_shapes

CHECKPOINT = "last.pt"
HELD_OUT_SEED = 2407
GROWING = ((0.0, 6), (0.234375, 10), (0.375, BLOCKS))


def train(
    recipe: Recipe,
    data: Path,
    run: Path,
    device: torch.device,
    start: Path | None = None,
    tell: Callable[[str], None] = print,
) -> EdsrModel:
    """Train, or go on from the last checkpoint of the same recipe.

    Each step draws from its own seed, so that a training that was killed ends with the same
    weights as an unbroken one.

    Args:
        recipe: see `Recipe`.
        data: folder that holds ``super_resolution/train``.
        run: folder of the checkpoint.
        device: where to compute.
        start: run folder or shipped weights, of the same scale or ×2; none starts at bicubic.
        tell: gets a line of progress now and then.

    Returns:
        The network with averaged weights, in evaluation mode, on ``device``.

    Raises:
        ValueError: the folder holds a training with another recipe.
    """
    pairs = read_training_pairs(data, recipe.scale, HELD_OUT_SEED, recipe.patch)
    progress = begin(recipe, device, None if start is None else trained_network(start))
    if (run / CHECKPOINT).exists():
        _resume(progress, recipe, read_checkpoint(run / CHECKPOINT))
        tell(f"goes on after step {progress.step}")
    else:
        progress.curve = ((0.0, _held_out_figure(progress.average, pairs, recipe)),)
    began, first = time.monotonic() - progress.seconds, progress.step
    losses: list[float] = []
    marked = time.monotonic()
    while progress.step < recipe.steps:
        losses.append(advance(progress, recipe, pairs, device))
        if progress.step % recipe.every and progress.step < recipe.steps:
            continue
        progress.seconds = time.monotonic() - began
        figure = _held_out_figure(progress.average, pairs, recipe)
        progress.curve += ((float(progress.step), figure),)
        write_checkpoint(run / CHECKPOINT, _state(progress, recipe))
        rate = (progress.step - first) / (time.monotonic() - marked)
        left = (recipe.steps - progress.step) / rate / 60
        tell(
            f"step {progress.step}/{recipe.steps}  loss {sum(losses) / len(losses):.5f}  "
            f"held out {figure:.3f} dB  {rate:.2f} steps/s  {left:.0f} min left"
        )
        losses.clear()
    return progress.average


def trained_network(start: Path) -> EdsrModel:
    """The network that a run begins with.

    Args:
        start: folder of a run, of which the averaged weights are taken, or a file of shipped
            weights (.safetensors), whose scale its shapes tell.

    Raises:
        ValueError: the file is no EDSR-baseline of scale 2, 3 or 4.
    """
    if start.suffix != ".safetensors":
        return averaged_network(start)[0]
    weights = earlier_weights(start)
    shapes = {key: tensor.shape for key, tensor in weights.items()}
    for scale in (2, 3, 4):
        network = build_edsr(scale)
        if state_shapes(network) == shapes:
            network.load_state_dict(weights)
            return network
    raise ValueError("Expected shipped weights of EDSR x2, x3 or x4; another network's came.")


def averaged_network(run: Path) -> tuple[EdsrModel, dict[str, Any]]:
    """The averaged weights of a run's last checkpoint, and the checkpoint itself."""
    state = read_checkpoint(run / CHECKPOINT)
    network = build_edsr(state["recipe"]["scale"])
    network.load_state_dict(state["average"])
    return network, state


def _held_out_figure(network: EdsrModel, pairs: TrainingPairs, recipe: Recipe) -> float:
    device = next(network.parameters()).device
    figures = []
    with torch.inference_mode():
        for pair in pairs.held_out:
            result = network(to_batch(pair.low[None]).to(device)).cpu()
            figures.append(luma_psnr(result, to_batch(pair.high[None]), recipe.scale))
    return sum(figures) / len(figures)


def _state(progress: Progress, recipe: Recipe) -> dict[str, Any]:
    return {
        "recipe": _plain(recipe),
        "step": progress.step,
        "seconds": progress.seconds,
        "curve": [list(point) for point in progress.curve],
        "network": progress.network.state_dict(),
        "average": progress.average.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in progress.optimisers],
    }


def _plain(recipe: Recipe) -> dict[str, Any]:
    return asdict(recipe) | {"depths": [list(stage) for stage in recipe.depths]}


def _resume(progress: Progress, recipe: Recipe, state: dict[str, Any]) -> None:
    if state["recipe"] | {"every": recipe.every} != _plain(recipe):
        raise ValueError("the run's folder holds a training with another recipe: name a new one")
    progress.step, progress.seconds = state["step"], state["seconds"]
    progress.curve = tuple((float(x), float(y)) for x, y in state["curve"])
    progress.network.load_state_dict(state["network"])
    progress.average.load_state_dict(state["average"])
    for optimiser, saved in zip(progress.optimisers, state["optimisers"], strict=True):
        optimiser.load_state_dict(saved)


def add_edsr_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `run_edsr`."""
    recipe = Recipe(2, 1)
    parser.add_argument("--scale", type=int, choices=(2, 3, 4), required=True)
    parser.add_argument("--data", type=Path, required=True, help="holds super_resolution/train")
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--start", type=Path, help="run or shipped weights, x2 or same scale")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--count", type=int, default=recipe.count, help="patches a batch")
    parser.add_argument("--patch", type=int, default=recipe.patch, help="side in px, shrunken")
    parser.add_argument("--muon-rate", type=float, default=recipe.muon_rate)
    parser.add_argument("--adam-rate", type=float, default=recipe.adam_rate)
    parser.add_argument("--warm-up", type=int, default=recipe.warm_up, help="steps")
    parser.add_argument("--luma", type=float, default=recipe.luma, help="share in the loss")
    parser.add_argument("--squared-from", type=float, default=recipe.squared_from)
    parser.add_argument("--seed", type=int, default=recipe.seed)
    parser.add_argument("--every", type=int, default=recipe.every, help="steps a checkpoint")
    parser.add_argument(
        "--winograd", action="store_true", help="twice as fast on a CPU; needs a C++ compiler"
    )
    parser.add_argument(
        "--growing", action="store_true", help="train 6 blocks first, then 10, then all 16"
    )
    parser.add_argument("--threads", type=int, help="threads of the CPU; default: all")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")


def run_edsr(args: argparse.Namespace) -> int:
    """Train as the options say; the exit status."""
    if args.threads:
        torch.set_num_threads(args.threads)
    recipe = replace(
        Recipe(args.scale, args.steps, args.count, args.patch, args.muon_rate, args.adam_rate),
        warm_up=args.warm_up,
        luma=args.luma,
        squared_from=args.squared_from,
        seed=args.seed,
        depths=GROWING if args.growing else ((0.0, BLOCKS),),
        every=args.every,
        fast=args.winograd,
    )
    train(recipe, args.data, args.run, torch.device(args.device), args.start, _tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    add_edsr_arguments(options)
    sys.exit(run_edsr(options.parse_args()))
