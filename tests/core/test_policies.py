"""A defended detector: the policy chooses, the crop is changed, the detector is asked."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from demo.core.errors import SettingsError
from demo.core.policies import choose, defended_logits
from demo.core.scoring import score_crops
from models.cards import WeightsFile
from models.crop_actions import act
from models.detectors import resize_to_input
from models.loading import LoadedPolicy
from models.policy import build_policy_of
from models.zoo import Zoo
from tests.made_models import policy_card

Pixels = npt.NDArray[np.uint8]
WEIGHTS = WeightsFile("some.safetensors", "ab" * 32, 1234, "int8")


def bright_means_mask() -> LoadedPolicy:
    """A policy of the report's form that masks what is brighter than its detector's mean."""
    card = policy_card("policy_mask_resnet50", WEIGHTS)
    network = build_policy_of(card).requires_grad_(False)
    for parameter in network.parameters():
        parameter.zero_()
    network[1].weight[0] = 1.0  # type: ignore[index]
    network[3].weight[1, 0] = 1.0  # type: ignore[index]
    network[3].bias[0] = 1.0  # type: ignore[index]
    return LoadedPolicy(card, network)


@pytest.fixture
def crops() -> list[Pixels]:
    """A dark one, and two bright ones of other sizes."""
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 60, (224, 224, 3), dtype=np.uint8),
        rng.integers(180, 256, (300, 280, 3), dtype=np.uint8),
        rng.integers(180, 256, (100, 120, 3), dtype=np.uint8),
    ]


def test_the_policy_names_an_action_for_each_crop(crops: list[Pixels]) -> None:
    policy = bright_means_mask()
    assert choose(policy, crops) == ["leave", "mask", "mask"]
    assert [choose(policy, [crop])[0] for crop in crops] == choose(policy, crops)
    assert choose(policy, []) == []


def test_the_detector_is_asked_about_the_crop_as_it_was_changed(
    random_zoo: Zoo, crops: list[Pixels]
) -> None:
    policy, loaded = bright_means_mask(), random_zoo.detector("resnet50")
    device = torch.device("cpu")
    defended = defended_logits(policy, loaded, crops, device)
    masked = [act("mask", resize_to_input(crop, 224)) for crop in crops]
    assert defended == score_crops(loaded, [crops[0], masked[1], masked[2]], device)
    assert defended[1] != score_crops(loaded, [crops[1]], device)[0]


def test_another_detector_is_refused(random_zoo: Zoo, crops: list[Pixels]) -> None:
    with pytest.raises(SettingsError, match="defends resnet50, but xception came"):
        defended_logits(
            bright_means_mask(), random_zoo.detector("xception"), crops, torch.device("cpu")
        )
