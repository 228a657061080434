"""The scoring function as a whole: the same as scoring a picture, with a true gradient."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from models.cards import WeightsFile
from models.detectors import build_detector, fake_logits, prepare
from models.differentiable import Preparation, ScoringFunction, prepare_pixels, scoring_function
from tests.made_models import detector_card

Pixels = npt.NDArray[np.uint8]

CARD = detector_card("resnet50", WeightsFile("none.safetensors", "0" * 64, 1, "float32"))
SIZES = ((64, 80), (100, 224), (224, 224), (225, 223), (300, 200), (448, 448), (512, 333))


def smooth(height: int, width: int) -> Pixels:
    """A picture with edges and structures of all sizes, black and white among them."""
    numbers = np.random.default_rng(height)
    picture = np.zeros((height, width, 3))
    for cells in (3, 9, 27):
        coarse = numbers.uniform(-90, 90, (cells, cells, 3))
        picture += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def as_pixels(picture: Pixels) -> Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255


def tiny() -> nn.Module:
    """Four smooth layers, so that finite differences have something to agree with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.AdaptiveAvgPool2d(3))
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(36, 1)).eval()


# The same as scoring


@pytest.mark.parametrize("side", [224, 256])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_prepared_pixels_are_those_of_scoring_within_the_rounding_that_it_leaves_out(
    height: int, width: int, side: int
) -> None:
    card = dataclasses.replace(CARD, input_size=side)
    picture = smooth(height, width)
    apart = prepare_pixels(as_pixels(picture), Preparation(side, card.mean, card.std))
    apart = apart.sub(prepare([picture], card)).mul(torch.tensor(card.std).view(1, 3, 1, 1)) * 255
    # Half a level for each of the roundings: the average's, and that of the two cubic passes.
    assert float(apart.abs().max()) <= 1.6
    assert float(apart.abs().mean()) < 0.4


def test_pixels_of_the_input_size_are_prepared_without_any_difference() -> None:
    picture = smooth(224, 224)
    prepared = prepare_pixels(as_pixels(picture), Preparation(224, CARD.mean, CARD.std))
    assert torch.equal(prepared, prepare([picture], CARD))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_logits_are_those_of_scoring(height: int, width: int) -> None:
    network, picture = tiny(), smooth(height, width)
    with torch.no_grad():
        scored = fake_logits(network, prepare([picture], CARD))
        found = scoring_function(network, CARD)(as_pixels(picture))
    assert float((found - scored).abs()) < 2e-3


def test_what_is_no_batch_of_pictures_in_floating_point_is_refused() -> None:
    with pytest.raises(ValueError, match=r"floating-point N×3×H×W, found torch.uint8 \(1, 3, 8, 8"):
        scoring_function(tiny(), CARD)(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


# The gradient


def difference_quotient(score: Callable[[Tensor], Tensor], pixels: Tensor, way: Tensor) -> float:
    step = 1e-5
    with torch.no_grad():
        return float((score(pixels + step * way) - score(pixels - step * way)) / (2 * step))


def inside(height: int, width: int) -> Tensor:
    """Pixels in float64 that keep away from black and white, where clamping has a kink."""
    return as_pixels(smooth(height, width)).double() * 0.4 + 0.3


@pytest.mark.parametrize(("height", "width"), [(40, 28), (28, 40), (33, 100), (90, 77)])
def test_the_gradient_of_the_whole_agrees_with_finite_differences(height: int, width: int) -> None:
    preparation = Preparation(32, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    score = ScoringFunction(tiny().double(), preparation)
    pixels = inside(height, width).requires_grad_()
    (gradient,) = torch.autograd.grad(score(pixels).sum(), pixels)
    numbers = torch.Generator().manual_seed(1)
    for _ in range(5):
        way = torch.randn(pixels.shape, generator=numbers, dtype=torch.float64)
        quotient = difference_quotient(score, pixels.detach(), way)
        assert float((gradient * way).sum()) == pytest.approx(quotient, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("architecture", ["legacy_xception", "small_attention"])
def test_a_real_architecture_s_gradient_agrees_with_finite_differences(architecture: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network = build_detector(architecture).double()  # type: ignore[arg-type]
    score = ScoringFunction(network, Preparation(96, (0.5,) * 3, (0.5,) * 3))
    pixels = inside(120, 70).requires_grad_()
    (gradient,) = torch.autograd.grad(score(pixels).sum(), pixels)
    way = torch.randn(pixels.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    step = 1e-7  # so short that hardly any of the many ReLUs changes sides
    with torch.no_grad():
        quotient = float((score(pixels + step * way) - score(pixels - step * way)) / (2 * step))
    assert float((gradient * way).sum()) == pytest.approx(quotient, rel=1e-3)


# The shared network


def test_the_shared_network_is_left_as_it_was_and_its_changes_are_seen() -> None:
    network = tiny().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    score = scoring_function(network, CARD)
    pixels = as_pixels(smooth(224, 224)).requires_grad_()
    first = score(pixels)
    first.sum().backward()
    assert network.training
    assert all(one.requires_grad and one.grad is None for one in network.parameters())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    with torch.no_grad():
        network[-1].bias += 1  # type: ignore[index]
    assert float((score(pixels) - first).detach()) == pytest.approx(1, abs=1e-5)


def test_threads_attack_one_network_at_once() -> None:
    network = tiny().requires_grad_(False)
    batches = [as_pixels(smooth(64 + 8 * number, 70)) for number in range(6)]

    def gradient(pixels: Tensor) -> Tensor:
        wanted = pixels.clone().requires_grad_()
        found: Tensor = torch.autograd.grad(scoring_function(network, CARD)(wanted).sum(), wanted)[
            0
        ]
        return found

    alone = [gradient(one) for one in batches]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(gradient, batches))
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))


def test_one_made_in_inference_mode_has_a_gradient_outside_of_it() -> None:
    network = tiny().requires_grad_(False)
    with torch.inference_mode():
        score = scoring_function(network, CARD)
        with torch.inference_mode(False), torch.enable_grad():
            pixels = as_pixels(smooth(100, 100)).requires_grad_()
            score(pixels).sum().backward()
    assert pixels.grad is not None
    assert float(pixels.grad.abs().max()) > 0
