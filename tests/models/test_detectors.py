import dataclasses

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import timm
import torch

from models.cards import DETECTOR_NAMES, DetectorCard, DetectorName, WeightsFile
from models.detectors import (
    ARCHITECTURES,
    DETECTORS,
    build_detector,
    fake_logits,
    prepare,
    resize_to_input,
)
from models.errors import WeightsError
from models.weights import state_shapes
from models.zoo import Zoo
from tests.made_models import ModelFolders, detector_card

Pixels = npt.NDArray[np.uint8]


def card(name: DetectorName = "resnet50", size: int = 224) -> DetectorCard:
    weights = WeightsFile("some.safetensors", "0" * 64, 1, "float32")
    return dataclasses.replace(detector_card(name, weights), input_size=size)


def undone(batch: torch.Tensor, of: DetectorCard) -> npt.NDArray[np.float32]:
    """The pixels 0 to 255 that a prepared batch stands for, N×H×W×3."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (of.mean, of.std))
    pixels: npt.NDArray[np.float32] = ((batch * std + mean) * 255).permute(0, 2, 3, 1).numpy()
    return pixels


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


# Building


def test_there_are_three_detectors() -> None:
    assert DETECTORS == ("resnet50", "swin_small", "xception") == DETECTOR_NAMES


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_detector_is_the_timm_network_with_one_output_in_evaluation_mode(
    architecture: str,
) -> None:
    network = build_detector(architecture)  # type: ignore[arg-type]
    reference = timm.create_model(architecture, num_classes=1)
    assert state_shapes(network) == state_shapes(reference)
    assert not network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_an_unknown_architecture_is_refused_and_nothing_put_in_its_place() -> None:
    with pytest.raises(WeightsError, match="'swin_tiny' is unknown: expected resnet50, swin_small"):
        build_detector("swin_tiny")  # type: ignore[arg-type]


# Preparing


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_crop_of_the_input_size_is_only_normalised(name: DetectorName) -> None:
    crop, of = noise(224, 224), card(name)
    batch = prepare([crop], of)
    assert batch.shape == (1, 3, 224, 224)
    assert batch.dtype == torch.float32
    np.testing.assert_allclose(undone(batch, of)[0], crop, atol=1e-3)


def test_the_channels_stay_red_green_blue() -> None:
    crop = np.zeros((8, 8, 3), np.uint8)
    crop[..., 0] = 255
    batch = prepare([crop], card(size=8))
    red, green, blue = batch[0, :, 4, 4].tolist()
    assert red == pytest.approx((1 - 0.485) / 0.229, abs=1e-5)
    assert green == pytest.approx(-0.456 / 0.224, abs=1e-5)
    assert blue == pytest.approx(-0.406 / 0.225, abs=1e-5)


def test_a_larger_crop_is_averaged_by_area() -> None:
    crop, of = noise(32, 32), card(size=8)
    means = crop.reshape(8, 4, 8, 4, 3).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(undone(prepare([crop], of), of)[0], means, atol=0.501)


def test_a_smaller_crop_is_enlarged_bicubically() -> None:
    crop, of = noise(5, 6), card(size=8)
    expected = cv2.resize(crop, (8, 8), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_allclose(undone(prepare([crop], of), of)[0], expected, atol=1e-3)


def test_a_crop_too_wide_and_too_low_is_averaged_along_one_side_and_enlarged_along_the_other() -> (
    None
):
    stripes = np.zeros((4, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    of = card(size=8)
    np.testing.assert_allclose(undone(prepare([stripes], of), of), 128, atol=1)


@pytest.mark.parametrize("sides", [(8, 8), (5, 6), (32, 20), (4, 64)])
def test_a_crop_resized_beforehand_is_prepared_as_it_would_have_been(
    sides: tuple[int, int],
) -> None:
    crop, of = noise(*sides), card(size=8)
    resized = resize_to_input(crop, 8)
    assert resized.shape == (8, 8, 3)
    assert resized.dtype == np.uint8
    assert torch.equal(prepare([resized], of), prepare([crop], of))


def test_crops_of_different_sizes_make_one_batch_in_order() -> None:
    of = card(size=8)
    crops = [np.full((side, side, 3), side, np.uint8) for side in (4, 8, 40)]
    pixels = undone(prepare(crops, of), of)
    assert pixels.shape == (3, 8, 8, 3)
    for side, picture in zip((4, 8, 40), pixels, strict=True):
        np.testing.assert_allclose(picture, side, atol=1e-3)


def test_preparing_leaves_the_crop_as_it_was() -> None:
    crop = noise(8, 8)
    before = crop.copy()
    prepare([crop], card(size=8)).zero_()
    np.testing.assert_array_equal(crop, before)


@pytest.mark.parametrize(
    "crop",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
    ],
    ids=["float", "grey", "transparent", "empty"],
)
def test_what_is_no_crop_is_refused(crop: Pixels) -> None:
    with pytest.raises(ValueError, match="expected a crop uint8 H×W×3"):
        prepare([crop], card())


def test_no_crops_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="found none"):
        prepare([], card())


# Asking


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_detector_answers_with_one_logit_a_crop_whatever_else_is_in_the_batch(
    random_zoo: Zoo, name: DetectorName
) -> None:
    loaded = random_zoo.detector(name)
    crops = [noise(224, 224, seed) // (seed + 1) for seed in range(3)]
    with torch.inference_mode():
        together = fake_logits(loaded.network, prepare(crops, loaded.card))
        alone = [fake_logits(loaded.network, prepare([crop], loaded.card)) for crop in crops]
    assert together.shape == (3,)
    assert together.dtype == torch.float32
    assert together.std() > 0.01
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-3, atol=1e-3)


def test_an_answer_that_is_not_finite_is_refused() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 1))
    batch = torch.full((1, 3, 2, 2), float("inf"))
    with pytest.raises(WeightsError, match="expected a finite number"):
        fake_logits(network, batch)


@pytest.mark.gpu
@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_the_gpu_agrees_with_the_cpu_within_a_thousandth_of_probability(
    gpu: torch.device, random_zoo: Zoo, random_models: ModelFolders, name: DetectorName
) -> None:
    on_gpu = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    crops = [noise(224, 224, seed) // (seed + 1) for seed in range(4)]
    with torch.inference_mode():
        slow, fast = (
            fake_logits(loaded.network, prepare(crops, loaded.card)).sigmoid()
            for loaded in (random_zoo.detector(name), on_gpu.detector(name))
        )
    torch.testing.assert_close(slow, fast, rtol=0, atol=1e-3)
