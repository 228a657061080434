"""Super-resolution as augmentation: a detector trained on, so that the round trip moves it less.

Half of every batch has been through a round trip, pristine and fake crops alike. A crop's label is
learnt as in plain training. Beside it, the answer to a crop, clean or attacked, is drawn towards
the plain detector's answer to the clean one, so that what it knows is kept while it learns to
overlook the round trip (distillation: Hinton, Vinyals and Dean, arXiv 1503.02531; on logits, as Ba
and Caruana, "Do Deep Nets Really Need to be Deep?", NeurIPS 2014, section 2.2).
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import logit
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F

from demo.defences.round_trips import RoundTrips
from models.cards import KnownArchitecture
from models.detectors import fake_logits, prepare
from models.loading import LoadedDetector
from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.faces import SIDE, Faces
from models.training.networks import ARCHITECTURES, begin, build_network, normalise

CLEAR_OF_OVERFLOW: Final = 8
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """How a detector is trained on.

    Attributes:
        steps: How many.
        pairs: Pairs a step; each is seen clean and after its round trip, which makes four crops.
        side: Side of the windows that are cut from the crops, px: a detector's answer to a crop is
            the mean of its answers to the crop's cells, so that windows teach the same for less.
        rate: Highest learning rate.
        labels: Weight of the labels beside the plain detector's answers.
        seed: Of every draw.
        every: Steps between two looks at val and two checkpoints.
        bf16: Multiply in bfloat16.
    """

    steps: int
    pairs: int
    side: int
    rate: float
    labels: float
    seed: int
    every: int
    bf16: bool


@dataclass(frozen=True)
class Material:
    """A split with its round trips.

    Attributes:
        faces: All its crops.
        round_trips: Pairs of them, attacked.
    """

    faces: Faces
    round_trips: RoundTrips


@dataclass(frozen=True)
class Look:
    """What the round trip does to a detector on val, at the plain detector's threshold.

    Attributes:
        auc: Of the clean crops.
        fnr: Attacked less clean, a fraction.
        fpr: The same.
        moved: Mean absolute change of the logit.
    """

    auc: float
    fnr: float
    fpr: float
    moved: float


def train_on(
    plain: LoadedDetector, train: Material, val: Material, run: Path, plan: Plan
) -> nn.Module:
    """Train a plain detector on; goes on from its last checkpoint if the run was broken off.

    Args:
        plain: The detector as it ships; it is the teacher, and stays as it is.
        train: What is learnt from.
        val: Looked at along the way.
        run: Folder of the checkpoint.
        plan: How.

    Returns:
        The network, in evaluation mode.
    """
    torch.manual_seed(plan.seed)
    network = _copy(plain.network, plain.card.architecture, plan.side)
    teacher = _copy(plain.network, plain.card.architecture, plan.side).requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1, cycle_momentum=False
    )
    file, done, hours = run / "checkpoint.pt", 0, 0.0
    curve: list[list[float]] = []
    if file.exists():
        state = read_checkpoint(file)
        network.load_state_dict(state["averaged"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done, curve, hours = state["done"], state["curve"], state["hours"]
    else:
        print(f"plain: {look(plain.network, plain, val, plan.bf16)}", flush=True)
    began, losses = time.monotonic(), []
    for step, (crops, fake) in enumerate(_batches(train, plan, done), start=done + 1):
        batch = normalise(crops, plain.card.mean, plain.card.std)
        losses.append(_step(network, teacher, optimiser, batch, fake, plan))
        schedule.step()
        if step % plan.every and step < plan.steps:
            continue
        whole = _copy(network, plain.card.architecture, plain.card.input_size)
        seen = look(whole, plain, val, plan.bf16)
        spent = hours + (time.monotonic() - began) / 3600
        curve.append([step, seen.auc])
        told = f"loss {np.mean(losses):.4f}  {seen}  {spent * 60:.0f} min"
        print(f"step {step}/{plan.steps}  {told}", flush=True)
        losses.clear()
        write_checkpoint(
            file,
            {
                "plan": asdict(plan),
                "averaged": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "done": step,
                "curve": curve,
                "hours": spent,
            },
        )
    return _copy(network, plain.card.architecture, plain.card.input_size)


def _copy(network: nn.Module, architecture: KnownArchitecture, side: int) -> nn.Module:
    """The same network for another size of crops, without the blocks that add nothing."""
    assert architecture in ARCHITECTURES
    copied = build_network(architecture, skeleton=True, side=side)
    begin(copied, network.state_dict())
    return copied.eval().to(memory_format=torch.channels_last)


def _batches(train: Material, plan: Plan, done: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Clean real, clean fake, attacked real, attacked fake crops; each step has its own draw."""
    trips = train.round_trips
    for step in range(done, plan.steps):
        rng = np.random.default_rng([plan.seed, step])
        chosen = np.sort(rng.choice(len(trips.fake), plan.pairs, replace=False))
        clean = [train.faces.pictures[index[chosen]] for index in (trips.real, trips.fake)]
        attacked = [trips.attacked[chosen, side] for side in (0, 1)]
        top, left = rng.integers(0, SIDE - plan.side + 1, 2)
        crops = np.concatenate([*clean, *attacked])
        crops = crops[:, top : top + plan.side, left : left + plan.side]
        mirrored = np.tile(rng.random(plan.pairs) < 0.5, 4)
        crops[mirrored] = crops[mirrored, :, ::-1]
        fake = np.tile(np.repeat([0.0, 1.0], plan.pairs), 2)
        yield (
            torch.from_numpy(crops).permute(0, 3, 1, 2),
            torch.from_numpy(fake).to(torch.float32),
        )


def _step(
    network: nn.Module,
    teacher: nn.Module,
    optimiser: torch.optim.Optimizer,
    batch: torch.Tensor,
    fake: torch.Tensor,
    plan: Plan,
) -> float:
    """One step; batch statistics stay the plain detector's, which so few crops would harm."""
    with torch.autocast("cpu", torch.bfloat16, enabled=plan.bf16):
        with torch.no_grad():
            told = teacher(batch[: len(batch) // 2])[:, 0].float()
        logits = network(batch)[:, 0].float()
    told = torch.cat((told, told)).clamp(-CLEAR_OF_OVERFLOW, CLEAR_OF_OVERFLOW)
    loss = F.mse_loss(logits, told)
    loss = loss + plan.labels * F.binary_cross_entropy_with_logits(logits, fake)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return loss.item()


def look(network: nn.Module, plain: LoadedDetector, val: Material, bf16: bool) -> Look:
    """Ask a network about val's pairs, clean and attacked.

    Args:
        network: As prepared for the plain detector, in evaluation mode.
        plain: Its card says how crops are prepared and what is called fake.
        val: What is asked about.
        bf16: Ask in bfloat16.
    """
    trips = val.round_trips
    fake = np.repeat([False, True], len(trips.fake))
    clean = np.concatenate([val.faces.pictures[index] for index in (trips.real, trips.fake)])
    attacked = np.concatenate([trips.attacked[:, 0], trips.attacked[:, 1]])
    before, after = (_ask(network, plain, crops, bf16) for crops in (clean, attacked))
    return compare_answers(before, after, fake, float(logit(plain.card.threshold)))


def compare_answers(
    before: Numbers, after: Numbers, fake: npt.NDArray[np.bool_], threshold: float
) -> Look:
    """What an attack does to a detector's answers.

    Args:
        before: N logits of clean crops.
        after: N logits of the same crops, attacked.
        fake: N, the truth.
        threshold: The logit from which on a crop is called fake.
    """
    changed = (after >= threshold).astype(float) - (before >= threshold)
    return Look(
        auc=round(float(roc_auc_score(fake, before)), 4),
        fnr=round(-float(changed[fake].mean()), 4),
        fpr=round(float(changed[~fake].mean()), 4),
        moved=round(float(np.abs(after - before).mean()), 4),
    )


@torch.inference_mode()
def _ask(
    network: nn.Module, plain: LoadedDetector, crops: npt.NDArray[np.uint8], bf16: bool
) -> Numbers:
    logits = []
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for first in range(0, len(crops), 16):
            prepared = prepare(list(crops[first : first + 16]), plain.card)
            prepared = prepared.contiguous(memory_format=torch.channels_last)
            logits.append(fake_logits(network, prepared).double().numpy())
    return np.concatenate(logits)
