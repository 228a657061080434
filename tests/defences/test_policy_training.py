"""Q-learning on a small world where the best action is known."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from demo.defences.policy_training import PLANS, Plan, begin_policy, card_so_far, epsilon, learn
from models.cards import WeightsFile
from models.crop_actions import CROP_ACTIONS
from models.detectors import prepare
from models.policy import best_actions
from models.policy_card import PolicyCard
from tests.made_models import detector_card

SIDE = 16
FAITHFUL, RICHER = PLANS
DETECTOR = replace(
    detector_card("resnet50", WeightsFile("some.safetensors", "0" * 64, 1, "int8")),
    input_size=SIDE,
)


def small(plan: Plan, episodes: int, seed: int = 0) -> tuple[Plan, PolicyCard]:
    plan = replace(plan, episodes=episodes, seed=seed, hidden=16)
    return plan, card_so_far(plan, DETECTOR)


def world(
    crops: int, actions: int, seed: int = 0
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Dark and bright crops: only the first action is right on a dark one, only the last on others.

    Any action that is the same for all is right on half of them.
    """
    rng = np.random.default_rng(seed)
    bright = np.arange(crops) % 2 == 1
    grey = np.where(bright, 190, 20).astype(np.uint8)
    pictures = grey[:, None, None, None] + rng.integers(
        0, 40, (crops, SIDE, SIDE, 3), dtype=np.uint8
    )
    right = np.zeros((crops, actions), np.bool_)
    right[~bright, 0] = True
    right[bright, -1] = True
    return pictures, right


def trained(plan: Plan, card: PolicyCard) -> nn.Module:
    pictures, right = world(40, len(card.actions))
    network = begin_policy(card, plan.seed)
    learn(network, card, pictures, right, plan, lambda done: None)
    return network


def share_right(network: nn.Module, card: PolicyCard) -> float:
    """Over crops that it never met."""
    pictures, right = world(60, len(card.actions), seed=1)
    taken = best_actions(network, [prepare([picture], card) for picture in pictures])
    return float(right[np.arange(60), taken].mean())


def test_exploration_begins_at_1_and_shrinks_to_a_hundredth() -> None:
    assert epsilon(0) == 1
    assert epsilon(1) == 0.995
    assert epsilon(100) == pytest.approx(0.6057704364907278)
    assert epsilon(918) > 0.01
    assert epsilon(919) == epsilon(4999) == 0.01


@pytest.mark.parametrize(("plan", "episodes"), [(FAITHFUL, 600), (RICHER, 800)])
def test_the_best_action_of_each_crop_is_learnt(plan: Plan, episodes: int) -> None:
    plan, card = small(plan, episodes)
    assert share_right(begin_policy(card, plan.seed), card) <= 0.5
    assert share_right(trained(plan, card), card) >= 0.95


def test_values_come_near_the_expected_rewards() -> None:
    plan, card = small(RICHER, 800)
    pictures, _ = world(2, 6, seed=2)
    network = trained(plan, card)
    with torch.inference_mode():
        values = network(prepare(list(pictures), card))
    assert values[0, 0] > 0.7
    assert values[1, -1] > 0.7


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    states = [trained(*small(FAITHFUL, 30, seed)).state_dict()["3.weight"] for seed in (0, 0, 1)]
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_training_leaves_torchs_own_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    trained(*small(FAITHFUL, 5))
    assert torch.equal(torch.rand(1), expected)


def test_one_watches_every_episode() -> None:
    plan, card = small(FAITHFUL, 7)
    pictures, right = world(4, 2)
    seen: list[int] = []
    learn(begin_policy(card, 0), card, pictures, right, plan, seen.append)
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_the_plans_are_those_of_the_report_and_its_richer_sibling() -> None:
    assert (FAITHFUL.actions, RICHER.actions) == (("leave", "mask"), CROP_ACTIONS)
    assert (FAITHFUL.architecture, RICHER.architecture) == ("two_layers", "convolutional")
    assert (FAITHFUL.attacked, RICHER.attacked) == (False, True)
    assert {(plan.episodes, plan.rate) for plan in PLANS} == {(5000, 1e-3)}


def test_a_policy_is_prepared_as_its_detector() -> None:
    card = card_so_far(FAITHFUL, DETECTOR)
    assert (card.input_size, card.mean, card.std) == (SIDE, DETECTOR.mean, DETECTOR.std)
    assert card.detector == "resnet50"
