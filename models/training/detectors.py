"""Trains the detectors from scratch: pairs, a label for every cell, shallow first, then whole.

Two things make it affordable without ImageNet weights:

- The last layer is linear and follows an average over the feature map, so the same layer applied
  to each cell gives a fake logit of that cell, whose mean is the logit of the crop. DFDC pairs
  are aligned, so every cell has a label (where the pair differs).
- The network starts as its skeleton: the residual blocks that keep size and width are left out
  (3 times cheaper). They join later, with a zero last weight, so that nothing is lost.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from models.cards import Architecture
from models.training.checkpoints import earlier_weights, read_checkpoint, write_checkpoint
from models.training.faces import Cutting, Faces, Pairs, resize_square
from models.training.networks import begin, build_network, cell_logits


@dataclass(frozen=True)
class Plan:
    """One stage of training.

    Attributes:
        architecture: timm name.
        mean: Mean of each channel that the input is normalised with.
        std: Standard deviation of each channel.
        skeleton: Leave out the blocks that keep size and width.
        cutting: How the crops are cut.
        pairs: Pairs a step.
        steps: Steps of this stage.
        rate: Highest learning rate.
        decay: Weight decay.
        cells: Weight of the cells' loss beside the crops'.
        averaging: Decay of the averaged weights.
        seed: Seeds the weights and every draw.
    """

    architecture: Architecture
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    skeleton: bool
    cutting: Cutting
    pairs: int
    steps: int
    rate: float
    decay: float
    cells: float
    averaging: float
    seed: int


@dataclass(frozen=True)
class Machine:
    """Where and how fast: nothing here changes what is learnt.

    Attributes:
        device: `cpu` or `cuda`.
        workers: Processes that cut crops; 0 cuts them in the training process.
        every: Steps between two checkpoints and looks at val.
    """

    device: torch.device
    workers: int
    every: int


def pair_loss(cells: torch.Tensor, changed: torch.Tensor, cells_weight: float) -> torch.Tensor:
    """Binary cross-entropy of crops and cells, for a batch of real crops, then their fakes.

    Args:
        cells: 2N×h×w, the logits of N real crops, then of their N fakes.
        changed: N×H×W in [0, 1], where the fakes were manipulated.
        cells_weight: Weight of the cells' loss.

    Returns:
        The loss, a scalar. A fake whose window shows no manipulation counts as no crop.
    """
    wanted = F.adaptive_avg_pool2d(changed[:, None], (cells.shape[1], cells.shape[2]))[:, 0]
    wanted = torch.cat([torch.zeros_like(wanted), wanted])
    reals = changed.shape[0]
    shown = changed.mean(dim=(1, 2)) > 0.03
    label = torch.cat([torch.zeros(reals), torch.ones(reals)]).to(cells)
    counts = torch.cat([torch.ones(reals).to(cells), shown.to(cells)])
    crops = (
        F.binary_cross_entropy_with_logits(
            cells.mean(dim=(1, 2)), label, weight=counts, reduction="sum"
        )
        / counts.sum()
    )
    return crops + cells_weight * F.binary_cross_entropy_with_logits(cells, wanted)


@dataclass(frozen=True)
class Material:
    """What is learnt from, and what is looked at along the way.

    Attributes:
        faces: The train split.
        portraits: Pristine faces of the portraits' training half.
        val: Some crops of the val split.
    """

    faces: Faces
    portraits: list[npt.NDArray[np.uint8]]
    val: Faces


def train(plan: Plan, material: Material, run: Path, machine: Machine, start: Path | None) -> Path:
    """Train one stage; goes on from its last checkpoint if the run was broken off.

    Args:
        plan: What to train and how.
        material: What is learnt from.
        run: Folder of the stage's checkpoint.
        machine: Where it runs.
        start: A checkpoint of an earlier stage, or shipped weights, that this one begins with.

    Returns:
        The file of the last checkpoint.
    """
    torch.manual_seed(plan.seed)
    network = build_network(plan.architecture, plan.skeleton, plan.cutting.side)
    if start is not None:
        begin(network, earlier_weights(start))
    network = network.to(machine.device).to(memory_format=torch.channels_last)
    averaged = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(plan.averaging),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1, cycle_momentum=False
    )
    file = run / "checkpoint.pt"
    done, curve, hours = 0, [], 0.0
    if file.exists():
        state = read_checkpoint(file)
        network.load_state_dict(state["network"])
        averaged.module.load_state_dict(state["averaged"])
        averaged.n_averaged.fill_(state["done"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done, curve, hours = state["done"], state["curve"], state["hours"]
    began, losses = time.monotonic(), []
    batches = _batches(plan, material, done, machine)
    for step in range(done, plan.steps):
        # Swin drops paths at random: a seed for each step makes a resumed run the same run.
        torch.manual_seed(plan.seed * 1_000_003 + step)
        losses.append(_step(network, averaged, optimiser, schedule, next(batches), plan, machine))
        if (step + 1) % machine.every and step + 1 < plan.steps:
            continue
        auc = val_auc(averaged.module, material.val, plan, machine.device)
        spent = hours + (time.monotonic() - began) / 3600
        curve.append([step + 1, auc])
        left = (plan.steps - step - 1) * (time.monotonic() - began) / (step + 1 - done) / 60
        print(
            f"step {step + 1}/{plan.steps}  loss {np.mean(losses):.4f}  val AUC {auc:.4f}  "
            f"{spent * 60:.0f} min, {left:.0f} min left",
            flush=True,
        )
        losses.clear()
        write_checkpoint(
            file,
            {
                "plan": asdict(plan),
                "network": network.state_dict(),
                "averaged": averaged.module.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "done": step + 1,
                "curve": curve,
                "hours": spent,
            },
        )
    return file


def _batches(
    plan: Plan, material: Material, done: int, machine: Machine
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    pairs = Pairs(
        material.faces,
        material.portraits,
        plan.cutting,
        plan.seed,
        start=done * plan.pairs,
        count=(plan.steps - done) * plan.pairs,
    )
    return iter(
        DataLoader(
            pairs,
            batch_size=plan.pairs,
            num_workers=machine.workers,
            pin_memory=machine.device.type == "cuda",
        )
    )


def _step(
    network: nn.Module,
    averaged: torch.optim.swa_utils.AveragedModel,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    batch: tuple[torch.Tensor, torch.Tensor],
    plan: Plan,
    machine: Machine,
) -> float:
    network.train()
    pixels, changed = (part.to(machine.device, non_blocking=True) for part in batch)
    crops = torch.cat([pixels[:, 0], pixels[:, 1]])
    with torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.device.type == "cuda"):
        cells = cell_logits(network, normalise(crops, plan))
    loss = pair_loss(cells.float(), changed, plan.cells)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    schedule.step()
    averaged.update_parameters(network)
    return loss.item()


def normalise(pixels: torch.Tensor, plan: Plan) -> torch.Tensor:
    """N×3×H×W uint8 RGB to the float32 that the network expects, channels last."""
    mean = torch.tensor(plan.mean, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(plan.std, device=pixels.device).view(1, 3, 1, 1)
    return ((pixels.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def val_auc(network: nn.Module, val: Faces, plan: Plan, device: torch.device) -> float:
    """AUC on whole 224 px crops; for Swin, whose size is fixed, at the size it trains at."""
    network.eval()
    side = plan.cutting.side if plan.architecture.startswith("swin") else val.pictures.shape[1]
    logits = []
    for first in range(0, len(val.fake), 50):
        crops = np.stack([resize_square(p, side) for p in val.pictures[first : first + 50]])
        pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(device)
        logits.append(cell_logits(network, normalise(pixels, plan)).mean(dim=(1, 2)).float().cpu())
    return float(roc_auc_score(val.fake, torch.cat(logits).numpy()))
