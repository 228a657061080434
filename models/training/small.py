"""Trains the small network from scratch, on the forgeries of a choice of sources.

What makes so short a training learn anything is what `models.training.detectors` found: pairs of a
real crop and a fake of it in one batch, a loss that wants the fake above its own real crop, half of
the first filters as high-pass filters, the plainest fakes first, and a label for every cell of the
last feature map, asked through a head that does not ship.

It may be trained on windows of the crops first, at the same scale: a quarter of the area costs a
quarter of the time, and the traces are local. The average before the fully connected layers takes
windows of any size. Adversarial training shows it every crop as projected gradient descent leaves
it (Madry et al., arXiv 1706.06083).
"""

import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader

from models.adversarial import pgd_batch
from models.cards import SmallArchitecture
from models.differentiable import Preparation
from models.small_network import WIDTHS, SmallNetwork, build_small
from models.training.checkpoints import earlier_weights, read_checkpoint, write_checkpoint
from models.training.detectors import Machine
from models.training.faces import Cutting, Faces, Pairs, resize_square
from models.training.losses import pair_loss, ranking_loss
from models.training.networks import begin, normalise, sharpen

SIDE = 256
STATISTICS = (0.5, 0.5, 0.5)
WARM_UP = 0.1
# The sigmoid of 2 is 0.88: attention that lets nearly everything through, and can still learn.
OPEN = 2.0
LONGEST_GRADIENT = 5.0


@dataclass(frozen=True)
class SmallPlan:
    """How one small network is trained.

    Attributes:
        architecture: Plain, with residual connections or with attention.
        cutting: How crops are cut and where the fakes come from.
        pairs: Pairs a step.
        steps: How many.
        rate: Highest learning rate.
        decay: Weight decay.
        cells: Weight of the cells' loss beside the crops'.
        ranking: Weight of the loss of each fake against its own real crop.
        averaging: Decay of the averaged weights.
        seed: Seeds the weights and every draw.
        eps: Adversarial training: how far an attack may move a pixel, 8-bit levels; 0 for none.
        attack_steps: Steps of that attack.
    """

    architecture: SmallArchitecture
    cutting: Cutting
    pairs: int
    steps: int
    rate: float
    decay: float
    cells: float
    ranking: float
    averaging: float
    seed: int
    eps: float = 0.0
    attack_steps: int = 3


def train_small(
    plan: SmallPlan, faces: Faces, val: Faces, run: Path, machine: Machine, start: Path | None
) -> Path:
    """Train; goes on from its last checkpoint if the run was broken off, and ends as if it was not.

    Args:
        plan: What to train and how.
        faces: What is learnt from.
        val: Crops that are looked at along the way.
        run: Folder of the checkpoint.
        machine: Where it runs.
        start: A checkpoint, or shipped weights, to begin with; None for random weights. It may be
            of the plain network: what that lacks begins without a say.

    Returns:
        The file of the last checkpoint.
    """
    torch.manual_seed(plan.seed)
    network = build_small(plan.architecture)
    sharpen(network.get_parameter("stages.0.convolution.weight"))
    if start is not None:
        earlier = earlier_weights(start)
        begin(network, earlier)
        _add_silently(network, earlier.keys())
    learner = _Learner(network).to(machine.device).to(memory_format=torch.channels_last)
    averaged = torch.optim.swa_utils.AveragedModel(
        network,
        multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(plan.averaging),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    optimiser = torch.optim.AdamW(learner.parameters(), lr=plan.rate, weight_decay=plan.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.steps, pct_start=WARM_UP, cycle_momentum=False
    )
    file = run / "checkpoint.pt"
    done, curve, hours = 0, [], 0.0
    if file.exists():
        state = read_checkpoint(file)
        learner.load_state_dict(state["learner"])
        averaged.module.load_state_dict(state["averaged"])
        averaged.n_averaged.fill_(state["done"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        done, curve, hours = state["done"], state["curve"], state["hours"]
    began, losses = time.monotonic(), []
    batches = _batches(plan, faces, done, machine)
    for step in range(done, plan.steps):
        losses.append(_step(learner, optimiser, next(batches), plan, machine))
        schedule.step()
        averaged.update_parameters(network)
        if (step + 1) % machine.every and step + 1 < plan.steps:
            continue
        auc = _val_auc(averaged.module, val, machine)
        spent = hours + (time.monotonic() - began) / 3600
        curve.append([step + 1, auc])
        print(
            f"step {step + 1}/{plan.steps}  loss {np.mean(losses):.4f}  val AUC {auc:.4f}  "
            f"{spent * 60:.1f} min",
            flush=True,
        )
        losses.clear()
        write_checkpoint(
            file,
            {
                "plan": asdict(plan),
                "learner": learner.state_dict(),
                "averaged": averaged.module.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "random": torch.get_rng_state(),
                "done": step + 1,
                "curve": curve,
                "hours": spent,
            },
        )
    return file


class _Learner(nn.Module):
    """The network, and the head that answers for each cell while it is trained."""

    def __init__(self, network: SmallNetwork) -> None:
        super().__init__()
        self.network = network
        self.head = nn.Conv2d(WIDTHS[-1], 1, 1)

    def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits of N crops, as N×1×1, and of their cells, N×h×w."""
        features = self.network.stages(batch)
        logits = self.network.classifier(self.network.attention(features))
        return logits[:, None], self.head(features)[:, 0]


@torch.no_grad()
def _add_silently(network: SmallNetwork, known: Collection[str]) -> None:
    """Leave what the network before did not have without a say: it computes nearly what that did.

    Shortcuts begin at zero; attention begins alike for every cell, and close to open.
    """
    for name, parameter in network.named_parameters():
        if name not in known:
            parameter.fill_(OPEN if name == "attention.convolution.bias" else 0.0)


def _batches(
    plan: SmallPlan, faces: Faces, done: int, machine: Machine
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    pairs = Pairs(
        faces,
        [],
        plan.cutting,
        plan.seed,
        start=done * plan.pairs,
        count=(plan.steps - done) * plan.pairs,
    )
    # Of its own, for a loader takes a number from the generator that dropout draws from.
    numbers = torch.Generator().manual_seed(plan.seed)
    return iter(DataLoader(pairs, plan.pairs, num_workers=machine.workers, generator=numbers))


def _step(
    learner: _Learner,
    optimiser: torch.optim.Optimizer,
    batch: tuple[torch.Tensor, torch.Tensor],
    plan: SmallPlan,
    machine: Machine,
) -> float:
    learner.train()
    pixels, changed = (part.to(machine.device) for part in batch)
    crops = torch.cat([pixels[:, 0], pixels[:, 1]])
    with torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.bf16):
        if plan.eps > 0:
            crops = _attacked(learner.network, crops, plan)
        logits, cells = learner(normalise(crops, STATISTICS, STATISTICS))
    logits, cells = logits.float(), cells.float()
    loss = pair_loss(logits, changed, 0.0) + plan.ranking * ranking_loss(logits, changed)
    loss = loss + plan.cells * (pair_loss(cells, changed, 1.0) + ranking_loss(cells, changed))
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(learner.parameters(), LONGEST_GRADIENT)
    optimiser.step()
    return float(loss.item())


def _attacked(network: SmallNetwork, crops: torch.Tensor, plan: SmallPlan) -> torch.Tensor:
    """Real crops, then as many fakes, as an attack leaves them: uint8 in, float32 levels out."""
    fake = torch.arange(len(crops), device=crops.device) >= len(crops) // 2
    preparation = Preparation(plan.cutting.side, STATISTICS, STATISTICS)
    pixels = pgd_batch(
        network, preparation, crops.float() / 255, fake, plan.eps / 255, plan.attack_steps
    )
    return 255 * pixels


@torch.inference_mode()
def _val_auc(network: nn.Module, val: Faces, machine: Machine) -> float:
    network.eval()
    logits = []
    for first in range(0, len(val.fake), 50):
        crops = np.stack([resize_square(crop, SIDE) for crop in val.pictures[first : first + 50]])
        pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).to(machine.device)
        with torch.autocast(machine.device.type, torch.bfloat16, enabled=machine.bf16):
            logits.append(network(normalise(pixels, STATISTICS, STATISTICS)).float().cpu())
    return float(roc_auc_score(val.fake, torch.cat(logits)[:, 0].numpy()))
