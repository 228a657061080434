"""Each action changes what it says, and nothing else."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models.crop_actions import CROP_ACTIONS, CropAction, act

Pixels = npt.NDArray[np.uint8]


def noise(side: int) -> Pixels:
    """No pixel is black, so that a mask changes every pixel that it covers."""
    return np.random.default_rng(0).integers(1, 256, (side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("action", CROP_ACTIONS)
def test_an_action_gives_a_crop_of_the_same_form_and_leaves_its_input_as_it_was(
    action: CropAction,
) -> None:
    crop = noise(224)
    before = crop.copy()
    changed = act(action, crop)
    assert changed.shape == crop.shape
    assert changed.dtype == np.uint8
    np.testing.assert_array_equal(crop, before)
    np.testing.assert_array_equal(act(action, crop), changed)
    assert np.array_equal(changed, crop) == (action == "leave")


@pytest.mark.parametrize(("side", "first"), [(224, 80), (299, 117), (256, 96), (64, 0)])
def test_the_mask_blackens_exactly_the_central_64_by_64_pixels(side: int, first: int) -> None:
    crop = noise(side)
    changed = (act("mask", crop) != crop).all(axis=2)
    centre = np.zeros((side, side), np.bool_)
    centre[first : first + 64, first : first + 64] = True
    np.testing.assert_array_equal(changed, centre)
    np.testing.assert_array_equal(act("mask", crop)[~centre], crop[~centre])
    assert not act("mask", crop)[centre].any()


def test_a_mask_indexed_as_if_the_channels_came_first_would_change_no_pixel() -> None:
    """What the published code does: the reason why ours is tested pixel by pixel."""
    crop = noise(224)
    published = crop.copy()
    published[:, 80:144, 80:144] = 0
    assert np.array_equal(published, crop)


def test_a_crop_without_such_a_centre_is_not_masked() -> None:
    with pytest.raises(ValueError, match="64 px or more, found 63"):
        act("mask", noise(63))


def test_the_shift_moves_one_column_to_the_right() -> None:
    crop = noise(70)
    moved = act("shift", crop)
    np.testing.assert_array_equal(moved[:, 1:], crop[:, :-1])
    np.testing.assert_array_equal(moved[:, 0], crop[:, 0])


def test_the_blur_spreads_a_point_as_a_gaussian_of_one_pixel_does() -> None:
    crop = np.zeros((65, 65, 3), np.uint8)
    crop[32, 32] = 255
    blurred = act("blur", crop)[..., 0].astype(float)
    centre = blurred[32, 32]
    assert centre == pytest.approx(255 / (2 * np.pi), rel=0.03)
    assert blurred[32, 33] / centre == pytest.approx(np.exp(-0.5), abs=0.03)


def test_unsharp_masking_overshoots_on_both_sides_of_an_edge_and_leaves_what_is_even() -> None:
    crop = np.full((64, 64, 3), 100, np.uint8)
    crop[:, 32:] = 150
    sharp = act("unsharp", crop).astype(int)
    assert sharp[32, 31].max() < 100
    assert sharp[32, 32].min() > 150
    np.testing.assert_array_equal(sharp[:, :20], 100)
    np.testing.assert_array_equal(sharp[:, 44:], 150)


def test_unsharp_masking_stays_between_black_and_white() -> None:
    crop = np.zeros((64, 64, 3), np.uint8)
    crop[:, 32:] = 255
    np.testing.assert_array_equal(act("unsharp", crop), crop)


def test_jpeg_is_that_of_quality_75() -> None:
    crop = noise(64)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 75]
    encoded = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), quality)[1]
    decoded = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(act("jpeg", crop), decoded)
