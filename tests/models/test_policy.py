"""Q-networks, their cards, and what the loader refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.card_files import read_detector_card, write_card
from models.cards import DetectorCard, WeightsFile
from models.detectors import prepare
from models.errors import WeightsError
from models.policy import best_actions, build_policy, build_policy_of
from models.policy_card import (
    POLICY_NAMES,
    PolicyCard,
    PolicyName,
    read_policy_card,
    shipped_policy_cards,
)
from models.zoo import Zoo
from tests.made_models import ModelFolders, detector_card, policy_card

WEIGHTS = WeightsFile("some.safetensors", "ab" * 32, 1234, "int8")


def zoo_over(folders: ModelFolders) -> Zoo:
    return Zoo("cpu", folder=folders.weights, cards=folders.cards)


# Networks


def test_the_reports_network_has_two_layers_over_the_flattened_input() -> None:
    network = build_policy("two_layers", side=8, hidden=5, actions=2)
    assert [tuple(p.shape) for p in network.parameters()] == [(5, 192), (5,), (2, 5), (2,)]
    first, second = (network[1], network[3])  # type: ignore[index]
    batch = torch.randn(3, 3, 8, 8)
    expected = second(torch.relu(first(batch.flatten(1))))
    torch.testing.assert_close(network(batch), expected)


@pytest.mark.parametrize("side", [32, 224])
def test_the_convolutional_network_gives_a_value_for_each_action(side: int) -> None:
    network = build_policy("convolutional", side=side, hidden=7, actions=6)
    values = network(torch.randn(2, 3, side, side))
    assert values.shape == (2, 6)
    assert not torch.equal(values[0], values[1])


def test_the_action_of_highest_value_is_taken_and_of_equals_the_first() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 3, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(torch.eye(3))  # type: ignore[operator]
    inputs = [torch.tensor(values).view(1, 3, 1, 1) for values in ([0.0, 2, 1], [1.0, 1, 0])]
    assert best_actions(network, inputs) == [1, 0]


# What a policy sees


def test_a_policy_sees_a_crop_prepared_as_its_detector_does() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    policy = policy_card("policy_mask_resnet50", WEIGHTS)
    assert torch.equal(prepare([crop], policy), prepare([crop], detector_card("resnet50", WEIGHTS)))


# Cards


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_a_card_reads_back_equal(tmp_path: Path, name: PolicyName) -> None:
    card = policy_card(name, WEIGHTS)
    write_card(card, tmp_path / f"{name}.json")
    assert read_policy_card(tmp_path / f"{name}.json") == card
    assert shipped_policy_cards(tmp_path) == (card,)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"actions": ["leave"]}, "two or more, each named once"),
        ({"actions": ["leave", "leave"]}, "two or more, each named once"),
        ({"actions": ["leave", "paint"]}, "one of leave, mask, blur, jpeg, unsharp, shift"),
        ({"architecture": "transformer"}, "one of two_layers, convolutional"),
        ({"hidden": 0}, "hidden and input_size must be above 0"),
        ({"std": [0.2, 0.0, 0.2]}, "std must be above 0"),
        ({"detector": "vgg"}, "one of resnet50, swin_small, xception"),
        ({"name": "policy_actions_resnet50"}, "describes policy_actions_resnet50"),
        ({"threshold": 0.5}, "unknown threshold"),
    ],
)
def test_a_wrong_card_is_refused_by_name_and_field(
    tmp_path: Path, change: dict[str, Any], part: str
) -> None:
    path = tmp_path / "policy_mask_resnet50.json"
    write_card(policy_card("policy_mask_resnet50", WEIGHTS), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(WeightsError, match="The card of policy_mask_resnet50 ") as refusal:
        read_policy_card(path)
    assert part in str(refusal.value)


def test_a_detectors_card_is_no_policys(tmp_path: Path) -> None:
    write_card(detector_card("resnet50", WEIGHTS), tmp_path / "resnet50.json")
    with pytest.raises(WeightsError, match="The card of resnet50 is refused"):
        read_policy_card(tmp_path / "resnet50.json")


# The zoo


@pytest.mark.parametrize("name", POLICY_NAMES)
def test_a_policy_comes_once_with_its_card_and_ready_for_use(
    random_zoo: Zoo, random_models: ModelFolders, name: str
) -> None:
    policy = random_zoo.policy(name)
    assert policy is random_zoo.policy(name)
    assert policy.card == read_policy_card(random_models.cards / f"{name}.json")
    assert not policy.network.training
    assert not any(parameter.requires_grad for parameter in policy.network.parameters())


def test_a_zoo_in_bfloat16_has_the_same_policies(random_zoo: Zoo) -> None:
    name = "policy_actions_resnet50"
    assert random_zoo.in_bfloat16().policy(name) is random_zoo.policy(name)


def test_an_unknown_policy_is_refused_with_the_right_spelling(random_zoo: Zoo) -> None:
    with pytest.raises(WeightsError, match="did you mean policy_mask_resnet50"):
        random_zoo.policy("policy_mask_resnet5")


def test_a_damaged_policy_is_listed_and_its_detector_goes_on_working(own: ModelFolders) -> None:
    path = own.weights / "policy_actions_resnet50.safetensors"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-1] + b"\0")
    zoo = zoo_over(own)
    with pytest.raises(WeightsError, match="ResNet50 with six actions are refused: expected sha"):
        zoo.policy("policy_actions_resnet50")
    assert list(zoo.problems()) == ["policy_actions_resnet50"]
    assert zoo.detector("resnet50").card.name == "resnet50"


def test_weights_of_another_hidden_width_are_refused(own: ModelFolders) -> None:
    path = own.cards / "policy_mask_resnet50.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"hidden": 3}))
    with pytest.raises(WeightsError, match=r"with a mask are refused: expected shape .*3"):
        zoo_over(own).policy("policy_mask_resnet50")


def test_a_policy_built_from_its_card_fits_the_detectors_input(random_models: ModelFolders) -> None:
    detector: DetectorCard = read_detector_card(random_models.cards / "resnet50.json")
    card: PolicyCard = policy_card("policy_mask_resnet50", WEIGHTS)
    side = detector.input_size
    assert build_policy_of(card)(torch.zeros(1, 3, side, side)).shape == (1, len(card.actions))
