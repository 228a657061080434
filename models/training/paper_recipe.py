"""The recipe of arXiv 2407.02670: plain SGD over epochs of single crops, fake or pristine.

The paper names SGD, a rate of 0.01 and 30 epochs from an ImageNet start. Where it is silent, its
authors' published code decides: 64 crops a step, no momentum, a weight decay of 1e-7, the rate
falling along a cosine to a tenth, cross-entropy with the classes weighed equally, and the
augmentation of `models.training.augmentation`. The epoch is the best one on val.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from models.cards import Architecture
from models.errors import WeightsError
from models.training.augmentation import augment
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.networks import input_statistics, normalise

Numbers = npt.NDArray[np.float64]
RANDOM_START = "random numbers"
LAST_RATE = 0.1
ASKED_AT_ONCE = 64


@dataclass(frozen=True)
class Recipe:
    """What decides the weights, beside the crops and the start.

    Attributes:
        architecture: timm name.
        start: What the weights begin as, in a few words.
        epochs: Passes over the crops.
        batch: Crops a step.
        rate: Learning rate at first.
        decay: Weight decay.
        seed: Of the last layer's start, the order and the augmentation.
    """

    architecture: Architecture
    start: str
    epochs: int
    batch: int
    rate: float
    decay: float
    seed: int


@dataclass(frozen=True)
class Crops:
    """Face crops with their labels.

    Attributes:
        pictures: M×S×S×3, uint8 RGB, of which some are used; may lie on disk.
        chosen: N, the indices of those that are used.
        fake: N, bool.
        source: N, the name of the video behind each: the unit that intervals are drawn over.
    """

    pictures: npt.NDArray[np.uint8]
    chosen: npt.NDArray[np.int64]
    fake: npt.NDArray[np.bool_]
    source: npt.NDArray[np.str_]


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes:
        weights: The network's state after its best epoch, on the CPU.
        epoch: Which one that was, from 1.
        curve: (epoch, AUC on val) of every epoch.
        hours: Wall clock, over all the times it was broken off.
    """

    weights: dict[str, Tensor]
    epoch: int
    curve: tuple[tuple[float, float], ...]
    hours: float


def train_by_epochs(
    network: nn.Module,
    recipe: Recipe,
    train: Crops,
    val: Crops,
    device: torch.device,
    workers: int,
    file: Path,
) -> Trained:
    """Train a detector; goes on after its last finished epoch if it was broken off.

    On the CPU a training that was broken off ends with the weights of an unbroken one. Progress
    goes to standard error.

    Args:
        network: With one logit, on the CPU, as it begins; changed in place.
        recipe: How.
        train: What it learns from.
        val: Chooses the epoch: the highest AUC, and of equal ones the least loss.
        device: Where it runs; a GPU multiplies in bfloat16.
        workers: Processes that augment crops; 0 does so in this one.
        file: Of the checkpoint.

    Raises:
        WeightsError: The checkpoint is of another recipe, or the loss is not finite any more.
    """
    network = network.to(device).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    steps = _steps(len(train.chosen), recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, recipe.epochs * steps, LAST_RATE * recipe.rate
    )
    state = _begin(file, recipe)
    if state["done"]:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
    done: int = state["done"]
    with tqdm(
        total=recipe.epochs * steps, initial=done * steps, unit="batch", desc=recipe.architecture
    ) as bar:
        for epoch in range(done, recipe.epochs):
            began = time.monotonic()
            for _ in _learn(network, optimiser, recipe, train, epoch, device, workers):
                schedule.step()
                bar.update()
            auc, loss = judge(network, recipe.architecture, val)
            bar.set_postfix_str(f"epoch {epoch + 1}, val AUC {auc:.4f}")
            state["curve"].append([epoch + 1, auc])
            state["hours"] += (time.monotonic() - began) / 3600
            if state["best"] is None or (auc, -loss) > (state["auc"], -state["loss"]):
                weights = {key: value.cpu().clone() for key, value in network.state_dict().items()}
                state |= {"best": weights, "auc": auc, "loss": loss, "epoch": epoch + 1}
            state |= {
                "done": epoch + 1,
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
            }
            write_checkpoint(file, state)
    curve = tuple((float(epoch), round(auc, 4)) for epoch, auc in state["curve"])
    return Trained(state["best"], state["epoch"], curve, state["hours"])


@torch.inference_mode()
def judge(network: nn.Module, architecture: Architecture, crops: Crops) -> tuple[float, float]:
    """AUC of a network on crops, and its cross-entropy with the classes weighed equally."""
    network.eval()
    device = next(network.parameters()).device
    mean, std = input_statistics(architecture)
    logits = []
    for first in range(0, len(crops.chosen), ASKED_AT_ONCE):
        pictures = crops.pictures[crops.chosen[first : first + ASKED_AT_ONCE]]
        pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(device)
        logits.append(network(normalise(pixels, mean, std))[:, 0].cpu())
    answers, fake = torch.cat(logits), torch.from_numpy(crops.fake).float()
    loss = F.binary_cross_entropy_with_logits(answers, fake, pos_weight=_fakes_weight(crops))
    return float(roc_auc_score(crops.fake, answers.numpy())), float(loss)


def _begin(file: Path, recipe: Recipe) -> dict[str, Any]:
    if not file.exists():
        return {
            "recipe": asdict(recipe),
            "done": 0,
            "curve": [],
            "hours": 0.0,
            "best": None,
            "auc": -math.inf,
            "loss": math.inf,
            "epoch": 0,
        }
    state = read_checkpoint(file)
    if state["recipe"] != asdict(recipe):
        raise WeightsError(
            "The folder holds a training by another recipe: expected the same architecture, start, "
            "epochs, batch, rate and seed. Choose another folder, or delete it to begin anew."
        )
    return state


def _learn(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    recipe: Recipe,
    crops: Crops,
    epoch: int,
    device: torch.device,
    workers: int,
) -> Iterator[None]:
    """One pass over the crops; hands over after each step."""
    network.train()
    mean, std = input_statistics(recipe.architecture)
    weight = _fakes_weight(crops).to(device)
    # Swin drops paths at random: an epoch draws the same whether or not it is the first of a run.
    torch.manual_seed(recipe.seed * 100_003 + epoch)
    for pixels, fake in DataLoader(
        _Epoch(crops, recipe.seed, epoch),
        batch_size=recipe.batch,
        num_workers=workers,
        # A last batch of one crop would have no batch statistics.
        drop_last=len(crops.chosen) >= recipe.batch,
        pin_memory=device.type == "cuda",
    ):
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(normalise(pixels.to(device, non_blocking=True), mean, std))[:, 0]
        loss = F.binary_cross_entropy_with_logits(
            logits.float(), fake.to(device, non_blocking=True), pos_weight=weight
        )
        if not math.isfinite(loss.item()):
            raise WeightsError(
                f"The training of {recipe.architecture} went astray: expected a finite loss, found "
                "NaN or infinity. Choose a lower --rate, and another folder."
            )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        yield


class _Epoch(Dataset[tuple[Tensor, Tensor]]):
    """The crops of one epoch in its order, augmented; the same number always gives the same."""

    def __init__(self, crops: Crops, seed: int, epoch: int) -> None:
        self._crops = crops
        self._key = (seed, epoch)
        self._order = np.random.default_rng(self._key).permutation(len(crops.chosen))

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        if number >= len(self._order):
            raise IndexError(number)
        place = self._order[number]
        rng = np.random.default_rng((*self._key, int(place)))
        crop = augment(np.array(self._crops.pictures[self._crops.chosen[place]]), rng)
        return (
            torch.from_numpy(crop).permute(2, 0, 1),
            torch.tensor(self._crops.fake[place], dtype=torch.float32),
        )


def _fakes_weight(crops: Crops) -> Tensor:
    """What a fake counts beside a pristine crop, so that both classes count alike."""
    return torch.tensor(float((~crops.fake).sum() / crops.fake.sum()))


def _steps(crops: int, batch: int) -> int:
    return max(1, crops // batch)
