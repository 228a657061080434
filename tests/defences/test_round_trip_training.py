"""Training: what is learnt separates, and a run that was broken off ends as one that was not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from demo.core.attack import FACTORS
from demo.core.round_trip_detection import ring_levels
from demo.core.spectrum import luma
from demo.defences.round_trip_samples import Samples
from demo.defences.round_trip_training import RINGS, Plan, fit_linear, train, train_network
from models.round_trip_detector import RoundTripNetwork
from models.zoo import Zoo
from tests.defences.made_samples import made_samples

PLAN = Plan(crops=240, steps=12, pixels=100_000, rate=5e-3, seed=1)


@pytest.fixture(scope="module")
def samples(random_zoo: Zoo) -> Samples:
    return made_samples(random_zoo)


def test_the_linear_model_tells_crops_apart_and_their_k(samples: Samples) -> None:
    weight, bias = fit_linear(samples, PLAN)
    assert weight.shape == (1 + len(FACTORS), RINGS)
    clean = np.array([ring_levels(crop, RINGS) for crop in samples.clean]) @ weight.T + bias
    attacked = np.array([ring_levels(crop, RINGS) for crop in samples.attacked]) @ weight.T + bias
    assert clean[:, 0].max() < 0 < attacked[:, 0].min()
    said = np.array(FACTORS)[attacked[:, 1:].argmax(axis=1)]
    assert (said == samples.k).mean() > 0.9


def test_a_broken_off_run_goes_on_to_the_same_network(samples: Samples, tmp_path: Path) -> None:
    torch.manual_seed(0)
    begun = RoundTripNetwork(len(FACTORS))
    first = begun.state_dict()
    whole, broken = (RoundTripNetwork(len(FACTORS)) for _ in range(2))
    whole.load_state_dict(first)
    curve, hours = train_network(whole, samples, PLAN, tmp_path / "whole.pt", every=6)
    assert [step for step, _ in curve] == [6, 12]
    assert hours > 0

    class KilledError(Exception):
        pass

    def killed(module: torch.nn.Module, inputs: object, output: object) -> None:
        calls.append(1)
        if len(calls) == 9:
            raise KilledError

    calls: list[int] = []
    broken.load_state_dict(first)
    hook = broken.classifier.register_forward_hook(killed)
    with pytest.raises(KilledError):
        train_network(broken, samples, PLAN, tmp_path / "broken.pt", every=6)
    hook.remove()
    resumed = RoundTripNetwork(len(FACTORS))
    again, _ = train_network(resumed, samples, PLAN, tmp_path / "broken.pt", every=6)
    assert again == curve
    for key, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[key], tensor)


def test_the_network_learns_to_tell_crops_apart(samples: Samples, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = RoundTripNetwork(len(FACTORS))
    train_network(network, samples, replace(PLAN, steps=60), tmp_path / "checkpoint.pt")
    assert not network.training
    clean, attacked = (
        torch.from_numpy(np.stack([luma(crop) for crop in crops])).float()[:, None]
        for crops in (samples.clean, samples.attacked)
    )
    with torch.inference_mode():
        before, after = network(clean)[:, 0], network(attacked)[:, 0]
    # Of every attacked crop and every clean one, the attacked one is nearly always above.
    assert (after[:, None] > before[None]).float().mean() > 0.95


def test_a_run_of_another_plan_is_not_gone_on_with(samples: Samples, tmp_path: Path) -> None:
    network = RoundTripNetwork(len(FACTORS))
    short = replace(PLAN, steps=2)
    train_network(network, samples, short, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="another plan"):
        train_network(network, samples, PLAN, tmp_path / "checkpoint.pt")


def test_both_models_come_in_one(samples: Samples, tmp_path: Path) -> None:
    trained = train(samples, replace(PLAN, steps=2), tmp_path)
    weight, bias = fit_linear(samples, PLAN)
    np.testing.assert_allclose(trained.models.linear.weight.detach(), weight, rtol=1e-5)
    np.testing.assert_allclose(trained.models.linear.bias.detach(), bias, rtol=1e-5)
    assert trained.models.network(torch.zeros(1, 1, 40, 40)).shape == (1, 1 + len(FACTORS))
