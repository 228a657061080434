"""Grad-CAM on networks that were taught, here and in seconds, to see one pasted patch."""

import dataclasses
import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from demo.core.attention import CELL, LOOKS, attend, cells, heat
from demo.core.errors import WeightsError
from demo.core.scoring import score_crops
from models.cards import DETECTOR_NAMES, DetectorName, WeightsFile
from models.detectors import build_detector, prepare
from models.loading import LoadedDetector
from tests.made_models import ARCHITECTURE, detector_card

Pixels = npt.NDArray[np.uint8]

NO_FILE = WeightsFile("none.safetensors", "0" * 64, 1, "float32")
SIDE: dict[DetectorName, int] = {"resnet50": 160, "swin_small": 224, "xception": 160}
PATCH = 48
LESSONS = 6


def background(seed: int, side: int) -> Pixels:
    """Smooth greys without anything small in them."""
    coarse = np.random.default_rng(seed).integers(90, 166, (4, 4), dtype=np.uint8)
    grey = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)


def with_patch(crop: Pixels, x: int, y: int) -> Pixels:
    """The crop with a chequered square of magenta and black, its upper left corner at (x, y)."""
    rows, columns = np.mgrid[:PATCH, :PATCH] // 4
    patched = crop.copy()
    patched[y : y + PATCH, x : x + PATCH] = 0
    patched[y : y + PATCH, x : x + PATCH, ::2] = 255 * ((rows + columns) % 2)[..., None]
    return patched


def untaught(name: DetectorName, side: int) -> LoadedDetector:
    """A random detector as the zoo gives it: evaluation mode, no weight wants a gradient."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_detector(ARCHITECTURE[name])
    card = dataclasses.replace(detector_card(name, NO_FILE), input_size=side)
    return LoadedDetector(card, network.requires_grad_(False))


def taught(name: DetectorName) -> LoadedDetector:
    """A detector whose last layer was fitted to tell crops with the patch from those without."""
    side = SIDE[name]
    loaded = untaught(name, side)
    network = loaded.network
    places = np.random.default_rng(1).integers(0, side - PATCH, (LESSONS, 2))
    clean = [background(seed, side) for seed in range(LESSONS)]
    patched = [with_patch(crop, *place) for crop, place in zip(clean, places, strict=True)]
    batch = prepare([*clean, *patched], loaded.card)
    settle_norms(network, batch)
    with torch.no_grad():
        features = network.forward_head(network.forward_features(batch), pre_logits=True)  # type: ignore[operator]
        centre = features.mean(0)
        kernel = (features - centre) @ (features - centre).T
        wanted = torch.tensor([-3.0] * LESSONS + [3.0] * LESSONS)
        ridge = 0.01 * kernel.diagonal().mean() * torch.eye(len(wanted))
        weight = (features - centre).T @ torch.linalg.solve(kernel + ridge, wanted)
        last = network.get_classifier()  # type: ignore[operator]
        last.weight.copy_(weight[None])
        last.bias.copy_(-(centre @ weight)[None])
    return loaded


def settle_norms(network: nn.Module, batch: torch.Tensor) -> None:
    """Let batch norms measure the batch, and let every path of a random ResNet count."""
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.momentum = 1.0
        norm.weight.fill_(1.0)
    network.train()
    with torch.no_grad():
        network.forward_features(batch)  # type: ignore[operator]
    network.eval()


@pytest.fixture(scope="module", params=DETECTOR_NAMES)
def pupil(request: pytest.FixtureRequest) -> LoadedDetector:
    return taught(request.param)


@pytest.fixture
def small() -> LoadedDetector:
    """A quick detector to which everything speaks for fake, more or less."""
    loaded = untaught("resnet50", 64)
    loaded.network.get_classifier().weight.abs_()  # type: ignore[operator]
    return loaded


# Where the heat is


def test_a_pasted_patch_lights_up_where_it_is_and_nowhere_else(pupil: LoadedDetector) -> None:
    side = pupil.card.input_size
    x, y = side - PATCH - 12, 20
    clean = background(LESSONS - 1, side)
    patched = with_patch(clean, x, y)
    without, found = heat(pupil, [clean, patched])
    assert found.max() == 1
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert x - 8 <= column < x + PATCH + 8
    assert y - 8 <= row < y + PATCH + 8
    on_patch = found[y : y + PATCH, x : x + PATCH].mean()
    before = without[y : y + PATCH, x : x + PATCH].mean()
    mirrored = found[side - y - PATCH : side - y, side - x - PATCH : side - x].mean()
    swapped = found[x : x + PATCH, y : y + PATCH].mean()
    assert on_patch > 0.4
    assert on_patch > 2 * max(mirrored, swapped, before)


def test_the_cells_add_up_to_the_fake_logit(pupil: LoadedDetector) -> None:
    side = pupil.card.input_size
    crops = [background(78, side), with_patch(background(79, side), 30, 90)]
    assert cells(pupil, crops).sum((1, 2)) == pytest.approx(
        score_crops(pupil, crops, torch.device("cpu")), abs=1e-3
    )


def test_each_cell_is_drawn_where_its_field_of_view_lies(pupil: LoadedDetector) -> None:
    look = LOOKS[pupil.card.architecture]
    batch = prepare([background(80, pupil.card.input_size)], pupil.card).requires_grad_()
    features = pupil.network.forward_features(batch)  # type: ignore[operator]
    if look.tokens:
        features = features.permute(0, 3, 1, 2)
    features[0, :, 2, 2].square().sum().backward()
    assert batch.grad is not None
    weight = batch.grad.square().sum((0, 1)).numpy()
    # The field is wider than the crop: only what lies evenly around the centre may be weighed.
    centre, reach = look.first + 2 * CELL, 60
    around = slice(math.ceil(centre - reach), math.floor(centre + reach) + 1)
    places = np.arange(pupil.card.input_size)[around]
    for seen in (weight.sum(0)[around], weight.sum(1)[around]):
        assert (seen * places).sum() / seen.sum() == pytest.approx(centre, abs=6)


# What comes out


def test_a_map_has_its_crops_size_and_the_strongest_place_of_all_crops_is_one(
    small: LoadedDetector,
) -> None:
    crops = [background(1, 64), with_patch(background(2, 150), 80, 10)[:, :97], background(3, 31)]
    maps = heat(small, crops)
    assert [one.shape for one in maps] == [(64, 64), (150, 97), (31, 31)]
    assert {one.dtype for one in maps} == {np.dtype(np.float32)}
    assert min(one.min() for one in maps) >= 0
    assert max(one.max() for one in maps) == 1


def test_clean_and_attacked_share_one_scale_and_the_difference_is_theirs(
    small: LoadedDetector,
) -> None:
    clean, attacked = background(4, 80), with_patch(background(4, 80), 20, 30)
    attention = attend(small, clean, attacked)
    np.testing.assert_array_equal(attention.clean, heat(small, [clean, attacked])[0])
    np.testing.assert_array_equal(attention.difference, attention.attacked - attention.clean)
    assert max(attention.clean.max(), attention.attacked.max()) == 1
    assert (attention.detector, attention.title) == ("resnet50", "ResNet50")
    strongest = max(float(cells(small, [clean, attacked]).max()), 0.0)
    assert 0.5 * strongest <= attention.peak <= strongest + 1e-6


def test_identical_crops_give_a_difference_of_exactly_zero(small: LoadedDetector) -> None:
    crop = background(5, 64)
    assert not attend(small, crop, crop.copy()).difference.any()


def test_where_nothing_speaks_for_fake_the_map_is_zero_and_not_stretched_noise(
    small: LoadedDetector,
) -> None:
    last = small.network.get_classifier()  # type: ignore[operator]
    last.weight.fill_(-0.1)
    last.bias.fill_(0.0)
    (found,) = heat(small, [background(6, 64)])
    assert not found.any()


def test_a_crop_called_fake_has_a_place_that_says_so_even_by_the_bias_alone(
    small: LoadedDetector,
) -> None:
    last = small.network.get_classifier()  # type: ignore[operator]
    last.weight.fill_(-0.001)
    last.bias.fill_(8.0)
    crop = background(6, 64)
    assert score_crops(small, [crop], torch.device("cpu"))[0] > 0
    assert heat(small, [crop])[0].max() == 1


def test_many_crops_are_asked_in_parts_and_keep_their_order(small: LoadedDetector) -> None:
    crops = [background(seed, 64) for seed in range(18)]
    together = cells(small, crops)
    np.testing.assert_allclose(together[17:], cells(small, crops[17:]), rtol=1e-3, atol=1e-6)


# What is refused


def test_a_network_that_answers_with_nan_is_refused(small: LoadedDetector) -> None:
    small.network.get_classifier().weight.fill_(float("nan"))  # type: ignore[operator]
    with pytest.raises(WeightsError, match="ResNet50: where it looks is refused: expected finite"):
        heat(small, [background(7, 64)])


def test_crops_of_two_sizes_have_no_difference(small: LoadedDetector) -> None:
    with pytest.raises(ValueError, match="two crops of one size"):
        attend(small, background(8, 64), background(8, 65))


def test_no_crop_is_refused(small: LoadedDetector) -> None:
    with pytest.raises(ValueError, match="one or more crops"):
        heat(small, [])


# What is left behind


def test_the_shared_network_is_left_as_it_was(small: LoadedDetector) -> None:
    crop = background(9, 64)
    before = score_crops(small, [crop], torch.device("cpu"))
    with torch.inference_mode():
        heat(small, [crop])
    assert score_crops(small, [crop], torch.device("cpu")) == before
    for part in small.network.modules():
        assert not part._forward_hooks
        assert not part.training
    for weight in small.network.parameters():
        assert weight.grad is None
        assert not weight.requires_grad


def test_maps_and_scores_asked_from_several_threads_at_once_are_the_ones_asked_alone(
    small: LoadedDetector,
) -> None:
    crops = [background(seed, 64) for seed in range(4)]
    cpu = torch.device("cpu")
    alone = [heat(small, [crop])[0] for crop in crops]
    scores = [score_crops(small, [crop], cpu) for crop in crops]
    with ThreadPoolExecutor(4) as threads:
        maps = [threads.submit(heat, small, [crop]) for crop in crops * 2]
        again = [threads.submit(score_crops, small, [crop], cpu) for crop in crops * 2]
    for asked, expected in zip(maps, alone * 2, strict=True):
        np.testing.assert_array_equal(asked.result()[0], expected)
    assert [asked.result() for asked in again] == scores * 2
