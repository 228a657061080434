import cv2
import numpy as np
import pytest

from demo import map_views

CROP = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
GREY = cv2.cvtColor(cv2.cvtColor(CROP, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


def luminance(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float64) @ (0.2126, 0.7152, 0.0722)


def flat(grey: int, *values: float) -> tuple[np.ndarray, np.ndarray]:
    """A crop of one grey, and a map that holds the values from left to right."""
    return np.full((1, len(values), 3), grey, np.uint8), np.array([values], np.float32)


def lab(picture: np.ndarray) -> np.ndarray:
    """CIELAB, in which distances are about those that eyes see."""
    scaled = picture.astype(np.float32) / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2Lab), np.float64)


def test_where_nothing_changed_the_grey_crop_shows() -> None:
    assert (map_views.change_over(CROP, np.zeros((40, 30), np.float32)) == GREY).all()


def test_every_place_of_the_crop_shows_through_alike() -> None:
    for heat in (0.0, 0.5, 1.0):
        crop, even = flat(0, heat, heat)
        crop[0, 1] = 250
        dark, bright = map_views.heat_over(crop, even)[0].astype(int)
        assert np.abs(bright - dark - 250 * (1 - map_views.HEAT_SHARE)).max() <= 1


@pytest.mark.parametrize("grey", [0, 64, 128, 192, 255])
def test_heat_grows_brighter_and_low_heat_can_be_told_from_none(grey: int) -> None:
    ramp = map_views.heat_over(*flat(grey, *np.linspace(0, 1, 101)))
    lightness = lab(ramp)[0, :, 0]
    assert (np.diff(lightness[::5]) > 0).all()
    colours = lab(map_views.heat_over(*flat(grey, 0, 0.15, 0.3, 0.6, 1)))[0]
    assert (np.linalg.norm(np.diff(colours, axis=0), axis=1) > 10).all()


@pytest.mark.parametrize("grey", [0, 64, 128, 192, 255])
def test_a_loss_shows_as_much_as_a_gain(grey: int) -> None:
    for size in (0.1, 0.4, 1.0):
        zero, up, down = lab(map_views.change_over(*flat(grey, 0, size, -size)))[0]
        gain, loss = np.linalg.norm(up - zero), np.linalg.norm(down - zero)
        assert min(gain, loss) > 50 * size
        assert 0.8 < gain / loss < 1.25


def test_a_change_of_two_fifths_moves_middle_grey_visibly() -> None:
    up, down = map_views.change_over(*flat(128, 0.4, -0.4))[0].astype(int)
    assert min(np.abs(up - 128).max(), np.abs(down - 128).max()) >= 25
    # Red-green-blind eyes tell the two by the blue.
    assert up[2] < 128 - 25 and down[2] > 128 + 25


def test_the_bars_are_the_colours_of_the_maps_over_middle_grey() -> None:
    heat, change = np.linspace(0, 1, 9), np.linspace(-1, 1, 9)
    assert (map_views.heat_bar(9, 1) == map_views.heat_over(*flat(128, *heat))).all()
    assert (map_views.change_bar(9, 1) == map_views.change_over(*flat(128, *change))).all()
    assert (map_views.change_bar(9, 3)[:, 4] == 128).all()
    assert (map_views.signed_bar(9, 1) == map_views.signed_levels(change[None], 1)).all()


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


def test_a_change_grows_brighter_with_the_gain_in_colour_and_in_grey() -> None:
    clean = np.full((1, 256, 3), 0, np.uint8)
    attacked = clean.copy()
    attacked[0, :, 1] = np.arange(256)
    shown = map_views.change_levels(clean, attacked, 1)
    assert (shown == map_views.levels_bar(256, 1)).all()
    assert (np.diff(luminance(shown)[0]) > -1).all()
    amplified = map_views.change_levels(clean, attacked, 8)
    assert (amplified[0, 32:] == shown[0, 255]).all()
    assert (map_views.change_levels(attacked, attacked, 64) == shown[0, 0]).all()
