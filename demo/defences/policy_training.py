"""The reinforcement-learning defence: which change of a crop helps its detector to be right?

After the report "Defense against Adversarial Magnification…". An episode has one step: the state is
the detector's input, the policy picks an action, the changed crop is scored, and the reward is 1
for a right verdict at the card's threshold and -1 for a wrong one. There is no next state, so the
value that is learnt is the expected reward itself; a discount factor would multiply nothing.

What is known of the report, and kept: the actions "leave" and "mask the central 64×64", the reward,
a two-layer Q-network, ε-greedy exploration from 1 down to 0.01 at ×0.995 an episode, Adam at 1e-3,
5,000 episodes, clean crops only. What is not known, and ours: the hidden layer's width (64, the
most that keeps the stored file under 10 MB), the squared error as the loss, one update an episode
with that episode's reward alone, the mask's colour (black). What the published code does and ours
does not: its mask changes no pixel (`models.crop_actions`).

The richer policy differs in its six actions, its convolutional Q-network, the attacked crops beside
the clean ones, and a replay memory: each update also takes earlier episodes, drawn evenly (Mnih et
al., "Human-level control through deep reinforcement learning", Nature 2015).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.cards import DetectorCard, Origin, WeightsFile
from models.crop_actions import CROP_ACTIONS, CropAction
from models.detectors import prepare
from models.policy import best_actions, build_policy_of
from models.policy_card import PolicyArchitecture, PolicyCard, PolicyName
from models.training.ship import TERMS

Pictures = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

FIRST_EPSILON: Final = 1.0
LAST_EPSILON: Final = 0.01
EPSILON_DECAY: Final = 0.995


@dataclass(frozen=True)
class Plan:
    """What is trained, and how.

    Attributes:
        name: of the policy.
        title: for people.
        actions: what it chooses between.
        architecture: of its Q-network.
        hidden: width of the Q-network's hidden layer.
        attacked: whether it also meets attacked crops.
        replayed: earlier episodes that each update takes beside its own.
        episodes: how many crops it meets, drawn evenly with repetition.
        rate: Adam's learning rate.
        seed: of weights, crops, exploration and replay.
    """

    name: PolicyName
    title: str
    actions: tuple[CropAction, ...]
    architecture: PolicyArchitecture
    hidden: int
    attacked: bool
    replayed: int
    episodes: int = 5000
    rate: float = 1e-3
    seed: int = 0


PLANS: Final[tuple[Plan, ...]] = (
    Plan(
        name="policy_mask_resnet50",
        title="ResNet50 with the report's policy",
        actions=("leave", "mask"),
        architecture="two_layers",
        hidden=64,
        attacked=False,
        replayed=0,
    ),
    Plan(
        name="policy_actions_resnet50",
        title="ResNet50 with a policy of six actions",
        actions=CROP_ACTIONS,
        architecture="convolutional",
        hidden=64,
        attacked=True,
        replayed=7,
    ),
)


def epsilon(episode: int) -> float:
    """The chance that an episode, counted from 0, takes a random action instead of the best one."""
    return max(LAST_EPSILON, FIRST_EPSILON * EPSILON_DECAY**episode)


def card_so_far(plan: Plan, detector: DetectorCard) -> PolicyCard:
    """The card of a policy that is not trained yet, for a detector."""
    return PolicyCard(
        name=plan.name,
        title=plan.title,
        detector=detector.name,  # type: ignore[arg-type]
        actions=plan.actions,
        architecture=plan.architecture,
        hidden=plan.hidden,
        input_size=detector.input_size,
        mean=detector.mean,
        std=detector.std,
        weights=WeightsFile(f"{plan.name}.safetensors", "0" * 64, 1, "int8"),
        figures=(),
        origin=Origin("", TERMS, "", 0.0, "", plan.seed, (), ""),
        note="",
    )


def begin_policy(card: PolicyCard, seed: int) -> nn.Module:
    """The card's Q-network with random weights of a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build_policy_of(card)


def learn(
    network: nn.Module,
    card: PolicyCard,
    pictures: Pictures,
    right: Flags,
    plan: Plan,
    watch: Callable[[int], None],
) -> None:
    """Train a Q-network in place; the same seed gives the same weights.

    Args:
        network: of the card, on the CPU.
        card: how crops are prepared.
        pictures: N×H×W×3, uint8 RGB: the crops that it meets.
        right: N×A, whether the verdict on each crop is right after each of the card's actions.
        plan: the rest.
        watch: called with the number of episodes done, after each.
    """
    rng = np.random.default_rng(plan.seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=plan.rate, fused=True)
    rewards = torch.from_numpy(np.where(right, np.float32(1), np.float32(-1)))
    crops = np.zeros(plan.episodes, np.int64)
    taken = np.zeros(plan.episodes, np.int64)
    for episode in range(plan.episodes):
        crops[episode] = rng.integers(len(pictures))
        if rng.random() < epsilon(episode):
            taken[episode] = rng.integers(len(card.actions))
        else:
            state = prepare([np.asarray(pictures[crops[episode]])], card)
            (taken[episode],) = best_actions(network, [state])
        memory = rng.integers(episode + 1, size=plan.replayed)
        met = np.append(memory, episode)
        states = prepare([np.asarray(pictures[crop]) for crop in crops[met]], card)
        with torch.autocast("cpu", torch.bfloat16):
            values: Tensor = network(states)
        chosen = values.float()[torch.arange(len(met)), torch.from_numpy(taken[met])]
        loss = functional.mse_loss(chosen, rewards[crops[met], taken[met]])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        watch(episode + 1)
