"""Trains the detectors from scratch: pairs, a label for every cell, shallow first, then whole.

Five things make it affordable without ImageNet weights:

- The last layer is linear and follows an average over the feature map, so the same layer applied
  to each cell gives a fake logit of that cell, whose mean is the logit of the crop. DFDC pairs
  are aligned, so every cell has a label (where the pair differs).
- The network starts as its skeleton: the residual blocks that keep size and width are left out
  (3 times cheaper). They join later, with a zero last weight, so that nothing is lost.
- A fake has to score higher than the real crop it was made of, which leaves out everything that
  the two share; and two earlier stages are asked as well, through heads that do not ship.
- Half of the first layer's filters begin as high-pass filters: the traces are small.
- A network that learns slowly by itself can learn from one that has learnt already.
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
from torch.utils.data import DataLoader

from models.cards import Architecture
from models.training.checkpoints import earlier_weights, read_checkpoint, write_checkpoint
from models.training.distillation import Distillation, read_teacher
from models.training.faces import Cutting, Faces, Pairs, resize_square
from models.training.losses import pair_loss, ranking_loss
from models.training.networks import StageHeads, begin, build_network, cell_logits, normalise


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
        ranking: Weight of the loss of each fake against its own real crop.
        stages: Weight of the earlier stages' loss.
        averaging: Decay of the averaged weights.
        seed: Seeds the weights and every draw.
        teacher: Architecture of the network that this one learns from, if any.
        teaching: Weight of what it is told by that network.
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
    ranking: float
    stages: float
    averaging: float
    seed: int
    teacher: Architecture | None = None
    teaching: float = 0.0


@dataclass(frozen=True)
class Machine:
    """Where and how fast: nothing here changes what is learnt.

    Attributes:
        device: `cpu` or `cuda`.
        workers: Processes that cut crops; 0 cuts them in the training process.
        every: Steps between two checkpoints and looks at val.
        bf16: Multiply in bfloat16: for CUDA, and CPUs with instructions for it.
    """

    device: torch.device
    workers: int
    every: int
    bf16: bool


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


def train(
    plan: Plan,
    material: Material,
    run: Path,
    machine: Machine,
    start: Path | None,
    teacher: Path | None = None,
) -> Path:
    """Train one stage; goes on from its last checkpoint if the run was broken off.

    Args:
        plan: What to train and how.
        material: What is learnt from.
        run: Folder of the stage's checkpoint.
        machine: Where it runs.
        start: A checkpoint of an earlier stage, or shipped weights, that this one begins with.
        teacher: Weights of the network that this one learns from, if the plan has one.

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
    helpers = nn.ModuleDict({"heads": StageHeads(network, plan.architecture)})
    if plan.teacher is not None and teacher is not None:
        known = read_teacher(teacher, plan.teacher, plan.cutting.side).to(machine.device)
        helpers["distillation"] = Distillation(network, plan.architecture, known, plan.teacher)
    helpers = helpers.to(machine.device)
    learnt = [*network.parameters(), *helpers.parameters()]
    optimiser = torch.optim.AdamW(learnt, lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1, cycle_momentum=False
    )
    file = run / "checkpoint.pt"
    done, curve, hours = 0, [], 0.0
    if file.exists():
        state = read_checkpoint(file)
        network.load_state_dict(state["network"])
        helpers.load_state_dict(state["helpers"])
        averaged.module.load_state_dict(state["averaged"])
        averaged.n_averaged.fill_(state["done"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done, curve, hours = state["done"], state["curve"], state["hours"]
    began, losses = time.monotonic(), []
    batches = _batches(plan, material, done, machine)
    for step in range(done, plan.steps):
        losses.append(_step(network, helpers, optimiser, next(batches), plan, machine))
        schedule.step()
        averaged.update_parameters(network)
        if (step + 1) % machine.every and step + 1 < plan.steps:
            continue
        auc = val_auc(averaged.module, material.val, plan, machine)
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
                "helpers": helpers.state_dict(),
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
    helpers: nn.ModuleDict,
    optimiser: torch.optim.Optimizer,
    batch: tuple[torch.Tensor, torch.Tensor],
    plan: Plan,
    machine: Machine,
) -> float:
    network.train()
    pixels, changed = (part.to(machine.device, non_blocking=True) for part in batch)
    crops = torch.cat([pixels[:, 0], pixels[:, 1]])
    with torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.bf16):
        cells = cell_logits(network, normalise(crops, plan.mean, plan.std)).float()
        earlier = helpers["heads"]()
        taught = helpers["distillation"](crops) if "distillation" in helpers else 0.0
    loss = pair_loss(cells, changed, plan.cells)
    loss = loss + plan.ranking * ranking_loss(cells, changed)
    for stage in earlier:
        loss = loss + plan.stages * pair_loss(stage.float(), changed, plan.cells)
    loss = loss + plan.teaching * taught
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([*network.parameters(), *helpers.parameters()], 5.0)
    optimiser.step()
    return loss.item()


@torch.inference_mode()
def val_auc(network: nn.Module, val: Faces, plan: Plan, machine: Machine) -> float:
    """AUC on whole 224 px crops; for Swin, whose size is fixed, at the size it trains at."""
    network.eval()
    side = plan.cutting.side if plan.architecture.startswith("swin") else val.pictures.shape[1]
    logits = []
    for first in range(0, len(val.fake), 50):
        crops = np.stack([resize_square(p, side) for p in val.pictures[first : first + 50]])
        pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(machine.device)
        with torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.bf16):
            cells = cell_logits(network, normalise(pixels, plan.mean, plan.std))
        logits.append(cells.float().mean(dim=(1, 2)).cpu())
    return float(roc_auc_score(val.fake, torch.cat(logits).numpy()))
