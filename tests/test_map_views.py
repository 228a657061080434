import cv2
import numpy as np
import pytest

from demo import map_views

CROP = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
GREY = cv2.cvtColor(cv2.cvtColor(CROP, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def luminance(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float64) @ (0.2126, 0.7152, 0.0722)


def test_where_nothing_is_seen_the_grey_crop_shows() -> None:
    assert (map_views.heat_over(CROP, np.zeros((40, 30), np.float32)) == GREY).all()
    assert (map_views.change_over(CROP, np.zeros((40, 30), np.float32)) == GREY).all()


def test_the_hottest_place_is_nearly_one_colour() -> None:
    heat = np.zeros((40, 30), np.float32)
    heat[10:20, 10:20] = 1
    shown = map_views.heat_over(CROP, heat)
    assert (shown[0] == GREY[0]).all()
    assert np.ptp(shown[10:20, 10:20].astype(int), axis=(0, 1)).max() <= 256 * map_views.LEAST_CROP


def test_levels_grow_brighter_in_grey_too() -> None:
    ramp = np.linspace(-30.0, 50.0, 64)[None]
    brightness = luminance(map_views.levels(ramp, -30, 50))[0]
    assert (np.diff(brightness) > -1).all()
    assert brightness[-1] > brightness[0] + 120


def test_beyond_the_scale_the_ends_are_drawn() -> None:
    drawn = map_views.levels(np.array([[-99.0, 0.0, 1.0, 99.0]]), 0, 1)[0]
    assert (drawn[0] == drawn[1]).all() and (drawn[2] == drawn[3]).all()


@pytest.mark.parametrize("level", [0.3, 1.0])
def test_rise_and_fall_have_two_hues_of_like_weight(level: float) -> None:
    zero, up, down = map_views.signed_levels(np.array([[0.0, level, -level]]), 1.0)[0].astype(int)
    assert np.ptp(zero) < 12
    assert up[0] > up[2] and down[2] > down[0]
    assert abs(luminance(up) - luminance(down)) < 60
