"""Views show what is in the pictures: no pixel is resampled, clipped or moved."""

import numpy as np
import pytest

from demo import views
from demo.core.errors import SettingsError
from demo.core.images import Picture


@pytest.fixture
def clean() -> Picture:
    return np.random.default_rng(7).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_identical_pictures_differ_nowhere(clean: Picture) -> None:
    assert not views.difference(clean, clean.copy(), 64).any()


@pytest.mark.parametrize("gain", [1, 2.5, 8, 64])
def test_the_difference_is_the_absolute_difference_times_the_gain(
    clean: Picture, gain: float
) -> None:
    attacked = np.random.default_rng(8).integers(0, 256, clean.shape, dtype=np.uint8)
    expected = np.abs(clean.astype(int) - attacked.astype(int)) * gain
    assert np.array_equal(
        views.difference(clean, attacked, gain), np.minimum(np.rint(expected), 255).astype(np.uint8)
    )


def test_a_darker_and_a_brighter_pixel_look_alike() -> None:
    grey = np.full((1, 2, 3), 100, np.uint8)
    moved = grey.copy()
    moved[0, 0], moved[0, 1] = 97, 103
    assert (views.difference(grey, moved, 4) == 12).all()


@pytest.mark.parametrize("gain", [0, 0.5, 65, float("nan")])
def test_a_gain_out_of_range_is_refused(clean: Picture, gain: float) -> None:
    with pytest.raises(SettingsError, match="1 to 64"):
        views.difference(clean, clean, gain)


def test_pictures_of_unequal_size_are_refused(clean: Picture) -> None:
    with pytest.raises(SettingsError, match="60 x 40 px and 60 x 39 px"):
        views.difference(clean, clean[:-1], 4)


def test_the_zoom_repeats_the_pixels_of_the_window(clean: Picture) -> None:
    large = views.zoom(clean, (30, 20), 16, 256)
    assert large.shape == (256, 256, 3)
    assert np.array_equal(large[::16, ::16], clean[12:28, 22:38])
    assert np.array_equal(large, np.kron(large[::16, ::16], np.ones((16, 16, 1), np.uint8)))


def test_the_zoom_factor_is_whole(clean: Picture) -> None:
    assert views.zoom(clean, (30, 20), 30, 256).shape == (240, 240, 3)


@pytest.mark.parametrize(
    ("centre", "box"),
    [
        ((0, 0), (0, 0, 16, 16)),
        ((60, 40), (44, 24, 60, 40)),
        ((-500, 1e9), (0, 24, 16, 40)),
        ((30, 20), (22, 12, 38, 28)),
    ],
)
def test_the_window_stays_inside_the_picture(
    clean: Picture, centre: tuple[float, float], box: tuple[int, int, int, int]
) -> None:
    assert views.window_box(clean, centre, 16) == box


def test_a_window_larger_than_the_picture_is_the_picture(clean: Picture) -> None:
    assert views.window_box(clean, (3, 3), 500) == (0, 0, 60, 40)


def test_a_window_without_a_place_is_refused(clean: Picture) -> None:
    with pytest.raises(SettingsError):
        views.window_box(clean, (float("nan"), 3), 16)


def test_the_outline_leaves_the_window_itself_untouched(clean: Picture) -> None:
    framed = views.outline(clean, (22, 12, 38, 28), 4)
    assert np.array_equal(framed[48:112:4, 88:152:4], clean[12:28, 22:38])
    assert (framed[47, 88:152] == views.OTHER).all()


def test_the_outline_of_a_window_in_the_corner_covers_nothing_of_it(clean: Picture) -> None:
    framed = views.outline(clean, (0, 0, 16, 16), 4)
    assert np.array_equal(framed[:64:4, :64:4], clean[:16, :16])
    assert (framed[:64, 64] == views.OTHER).all()


def test_the_frame_is_reduced_and_the_picture_untouched() -> None:
    picture = np.zeros((500, 2048, 3), np.uint8)
    frame = views.marked_frame(picture, {"1": (0, 0, 400, 400)}, "1")
    assert frame.shape == (250, 1024, 3)
    assert not picture.any()


def test_every_box_is_drawn_where_it_lies_and_the_chosen_one_differs() -> None:
    picture = np.full((300, 400, 3), 90, np.uint8)
    boxes = {"1": (20, 20, 120, 120), "2": (200, 100, 300, 200)}
    frame = views.marked_frame(picture, boxes, "2")
    assert (frame[110, 20] == views.OTHER).all()
    assert (frame[190, 200] == views.CHOSEN).all()
    assert (frame[160, 160] == 90).all()


def test_the_first_corner_of_a_drawn_box_is_marked() -> None:
    picture = np.full((300, 400, 3), 90, np.uint8)
    frame = views.marked_frame(picture, {}, None, corner=(200, 150))
    assert (frame[150, 200] == views.CHOSEN).all()
