"""Checkpoints in progress: written whole or not at all, read without running code."""

from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from models.weights import unpack


def write_checkpoint(file: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint so that a kill at any moment leaves the old or the new one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(file)


def read_checkpoint(file: Path) -> dict[str, Any]:
    """Read a checkpoint of our own trainers onto the CPU."""
    state: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    return state


def earlier_weights(file: Path) -> dict[str, torch.Tensor]:
    """The weights that a stage begins with.

    Args:
        file: A checkpoint of an earlier stage, of which the averaged weights are taken, or a
            file of shipped weights (.safetensors).

    Returns:
        float32 tensors by key, on the CPU.
    """
    if file.suffix == ".safetensors":
        return unpack(safetensors.torch.load_file(file))
    weights: dict[str, torch.Tensor] = read_checkpoint(file)["averaged"]
    return weights
