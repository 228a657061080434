"""Training the round-trip detector: the linear model on ring levels, the network on luma."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import nn

from demo.core.attack import FACTORS
from demo.core.round_trip_detection import ring_levels
from demo.core.spectrum import Array, luma
from demo.defences.round_trip_samples import Samples, draw
from models.round_trip_detector import RoundTripModels, RoundTripNetwork
from models.training.checkpoints import read_checkpoint, write_checkpoint

RINGS: Final = 32
SIDES: Final = (32, 48, 64, 96, 128, 160, 192, 224)
MOST_CROPS: Final = 64


@dataclass(frozen=True)
class Plan:
    """How the detector is trained.

    Attributes:
        crops: how many the linear model is fitted to.
        steps: of the network.
        pixels: a step, shared among as many crops of one side as fit, at most ``MOST_CROPS``.
        rate: highest learning rate.
        seed: of every draw.
    """

    crops: int
    steps: int
    pixels: int
    rate: float
    seed: int


@dataclass(frozen=True)
class Trained:
    """Both models, the network's losses by step, and the hours that it took to train it."""

    models: RoundTripModels
    curve: tuple[tuple[float, float], ...]
    hours: float


def train(samples: Samples, plan: Plan, run: Path) -> Trained:
    """Fit the linear model and train the network.

    Args:
        samples: of the train split.
        plan: what to train and how.
        run: folder of the network's checkpoint; a run that was broken off goes on from it.
    """
    models = RoundTripModels(RINGS, len(FACTORS))
    weight, bias = fit_linear(samples, plan)
    with torch.no_grad():
        models.linear.weight.copy_(torch.from_numpy(weight))
        models.linear.bias.copy_(torch.from_numpy(bias))
    torch.manual_seed(plan.seed)
    models.network = RoundTripNetwork(len(FACTORS))
    curve, hours = train_network(models.network, samples, plan, run / "checkpoint.pt")
    return Trained(models.eval(), curve, hours)


def fit_linear(samples: Samples, plan: Plan) -> tuple[Array, Array]:
    """Fit a logistic regression to "was there a round trip?", and a multinomial one to K.

    Both see levels of unit variance; that scaling is folded into what is returned.

    Returns:
        weight (1 + factors)×rings and bias 1 + factors, for levels in dB.
    """
    rng = np.random.default_rng([plan.seed, 0])
    levels, k = [], []
    for _ in range(plan.crops):
        sample = draw(samples, int(rng.choice(SIDES)), rng)
        levels.append(ring_levels(sample.crop, RINGS))
        k.append(-1 if sample.k is None else FACTORS.index(sample.k))
    scaler = StandardScaler().fit(np.array(levels))
    scaled, which = scaler.transform(np.array(levels)), np.array(k)
    seen = LogisticRegression(max_iter=2000).fit(scaled, which >= 0)
    factor = LogisticRegression(max_iter=2000).fit(scaled[which >= 0], which[which >= 0])
    weight = np.concatenate((seen.coef_, factor.coef_)) / scaler.scale_
    bias = np.concatenate((seen.intercept_, factor.intercept_)) - weight @ scaler.mean_
    return weight, bias


def train_network(
    network: RoundTripNetwork, samples: Samples, plan: Plan, file: Path, every: int = 250
) -> tuple[tuple[tuple[float, float], ...], float]:
    """Train the network in place, in bfloat16 behind the high-pass.

    Args:
        network: with its first weights.
        samples: of the train split.
        plan: how.
        file: the checkpoint, read if it is there.
        every: steps between two checkpoints.

    Returns:
        (step, mean loss since the point before) in order, and the hours that it took.

    Raises:
        ValueError: the checkpoint is of another plan.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1, cycle_momentum=False
    )
    done, curve, hours = 0, [], 0.0
    if file.exists():
        state = read_checkpoint(file)
        if state["plan"] != asdict(plan):
            raise ValueError("This run was begun under another plan: choose another folder.")
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        done, curve, hours = state["done"], state["curve"], state["hours"]
    began, losses = time.monotonic(), []
    network.train()
    for step in range(done, plan.steps):
        losses.append(_step(network, optimiser, samples, plan, step))
        schedule.step()
        if (step + 1) % every and step + 1 < plan.steps:
            continue
        curve.append((step + 1, float(np.mean(losses))))
        spent = hours + (time.monotonic() - began) / 3600
        print(
            f"step {step + 1}/{plan.steps}  loss {curve[-1][1]:.4f}  {60 * spent:.1f} min",
            flush=True,
        )
        losses.clear()
        write_checkpoint(
            file,
            {
                "plan": asdict(plan),
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "done": step + 1,
                "curve": curve,
                "hours": spent,
            },
        )
    network.eval()
    return tuple((float(step), round(loss, 4)) for step, loss in curve), read_checkpoint(file)[
        "hours"
    ]


def _step(
    network: RoundTripNetwork,
    optimiser: torch.optim.Optimizer,
    samples: Samples,
    plan: Plan,
    number: int,
) -> float:
    rng = np.random.default_rng([plan.seed, 1, number])
    side = int(rng.choice(SIDES))
    count = min(MOST_CROPS, max(2, plan.pixels // side**2))
    drawn = [draw(samples, side, rng) for _ in range(count)]
    batch = torch.from_numpy(np.stack([luma(sample.crop) for sample in drawn])).float()[:, None]
    which = torch.tensor([-1 if one.k is None else FACTORS.index(one.k) for one in drawn])
    residual = network.residual(batch)
    with torch.autocast("cpu", torch.bfloat16):
        logits = network.judge(residual).float()
    loss = nn.functional.binary_cross_entropy_with_logits(logits[:, 0], (which >= 0).float())
    if bool((which >= 0).any()):
        loss = loss + nn.functional.cross_entropy(logits[:, 1:], which, ignore_index=-1)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    optimiser.step()
    return loss.item()
