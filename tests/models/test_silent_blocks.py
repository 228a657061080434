"""A block that adds nothing is left out, and nobody can tell by the answers."""

import pytest
import torch

from models.cards import Architecture
from models.detectors import ARCHITECTURES, build_detector
from models.silent_blocks import LAST_WEIGHTS, leave_out_silent_blocks, optional_blocks


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_answers_are_the_very_same_without_silent_blocks(architecture: Architecture) -> None:
    torch.manual_seed(3)
    network = build_detector(architecture)
    heard, *silent = optional_blocks(architecture)
    with torch.no_grad():
        for key in LAST_WEIGHTS[architecture]:
            network.get_submodule(heard).get_parameter(key).fill_(0.1)
        for block in silent:
            for key in LAST_WEIGHTS[architecture]:
                network.get_submodule(block).get_parameter(key).zero_()
    batch = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        before = network(batch)
        leave_out_silent_blocks(network, architecture)
        assert torch.equal(network(batch), before)
    assert list(network.get_submodule(heard).parameters())
    assert not any(list(network.get_submodule(block).parameters()) for block in silent)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_block_that_adds_the_least_stays(architecture: Architecture) -> None:
    torch.manual_seed(4)
    network = build_detector(architecture)
    block = optional_blocks(architecture)[0]
    *others, last = LAST_WEIGHTS[architecture]
    with torch.no_grad():
        for key in others:
            network.get_submodule(block).get_parameter(key).zero_()
        network.get_submodule(block).get_parameter(last)[0] = 1e-6
    leave_out_silent_blocks(network, architecture)
    assert list(network.get_submodule(block).parameters())


def test_an_architecture_of_others_is_left_as_it_is() -> None:
    network = build_detector("resnet34")
    count = len(network.state_dict())
    leave_out_silent_blocks(network, "resnet34")
    assert len(network.state_dict()) == count
