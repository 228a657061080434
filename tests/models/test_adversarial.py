"""Adversarial examples of a batch: near, harmful, and without a trace in the network."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.adversarial import TwoClasses, pgd_batch
from models.differentiable import Preparation, ScoringFunction

SIDE = 12
PREPARATION = Preparation(SIDE, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5))
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(600, 1)).train()


@pytest.fixture
def pixels() -> Tensor:
    return torch.rand(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


FAKE = torch.tensor([True, False] * 4)


def loss(network: nn.Module, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        logits = ScoringFunction(network, PREPARATION)(pixels)
        return F.binary_cross_entropy_with_logits(logits, FAKE.float(), reduction="none")


@pytest.mark.parametrize("eps", [1 / 255, 8 / 255])
def test_every_picture_is_pushed_against_its_label_and_stays_within_the_distance(
    network: nn.Module, pixels: Tensor, eps: float
) -> None:
    attacked = pgd_batch(network, PREPARATION, pixels, FAKE, eps, steps=5)
    assert bool((loss(network, attacked) > loss(network, pixels)).all())
    assert float((attacked - pixels).abs().max()) == pytest.approx(eps, abs=1e-6)
    assert float(attacked.min()) >= 0
    assert float(attacked.max()) <= 1
    assert not attacked.requires_grad


def test_more_steps_harm_more(network: nn.Module, pixels: Tensor) -> None:
    torch.manual_seed(3)
    once = pgd_batch(network, PREPARATION, pixels, FAKE, 8 / 255, steps=1)
    often = pgd_batch(network, PREPARATION, pixels, FAKE, 8 / 255, steps=10)
    assert float(loss(network, often).mean()) > float(loss(network, once).mean())


def test_a_network_in_training_keeps_its_mode_gradients_and_statistics(
    network: nn.Module, pixels: Tensor
) -> None:
    network(pixels).sum().backward()
    before = {name: one.clone() for name, one in network.state_dict().items()}
    gradients = [None if one.grad is None else one.grad.clone() for one in network.parameters()]
    pgd_batch(network, PREPARATION, pixels, FAKE.float(), 0.03, steps=2)
    assert all(module.training for module in network.modules())
    for one, gradient in zip(network.parameters(), gradients, strict=True):
        assert one.requires_grad
        assert one.grad is not None
        assert gradient is not None
        assert torch.equal(one.grad, gradient)
    assert all(torch.equal(one, before[name]) for name, one in network.state_dict().items())


def test_the_attack_goes_through_the_resize_to_the_input_size(network: nn.Module) -> None:
    larger = torch.rand(8, 3, 20, 15, generator=torch.Generator().manual_seed(2))
    attacked = pgd_batch(network, PREPARATION, larger, FAKE, 4 / 255, steps=5)
    assert attacked.shape == larger.shape
    assert bool((loss(network, attacked) > loss(network, larger)).all())


@pytest.mark.parametrize("fake", [True, False])
def test_a_very_sure_network_still_shows_the_way(network: nn.Module, fake: bool) -> None:
    with torch.no_grad():
        network[-1].bias.fill_(60.0 if fake else -60.0)  # type: ignore[index]
    pixels = torch.full((1, 3, SIDE, SIDE), 0.5)
    scoring = ScoringFunction(network, PREPARATION)
    with torch.no_grad():
        before = float(scoring(pixels))
    label = torch.tensor([fake])
    with torch.no_grad():
        after = float(scoring(pgd_batch(network, PREPARATION, pixels, label, 0.1, steps=3)))
    assert (after < before - 0.5) if fake else (after > before + 0.5)


def test_the_verdict_is_taken_at_the_threshold(network: nn.Module, pixels: Tensor) -> None:
    scoring = ScoringFunction(network, PREPARATION)
    with torch.no_grad():
        logits = scoring(pixels)
        threshold = float(logits.median()) + 1e-3
        called = TwoClasses(scoring, threshold)(pixels).argmax(dim=1)
    assert torch.equal(called == 1, logits >= threshold)
    assert 0 < int(called.sum()) < len(called)
