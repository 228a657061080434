"""Boxes lie inside the picture, and a crop put back leaves every other pixel alone."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from demo.core.errors import SettingsError
from demo.core.faces import (
    MIN_FACE_SIDE,
    Box,
    Face,
    box_from_hand,
    crop_box,
    cut,
    paste,
    whole_picture,
)
from demo.core.images import Picture
from models.cards import CropPolicy

POLICY = CropPolicy(scale=0.97, shift=0.08)

sides = st.integers(20, 400)
coordinates = st.floats(-500, 1000)


@st.composite
def boxes_in_pictures(draw: st.DrawFn, smallest: int = 1) -> tuple[tuple[int, int], Box]:
    """A picture's (height, width), and a box inside it."""
    height, width = draw(sides), draw(sides)
    x0 = draw(st.integers(0, width - smallest))
    y0 = draw(st.integers(0, height - smallest))
    x1 = draw(st.integers(x0 + smallest, width))
    y1 = draw(st.integers(y0 + smallest, height))
    return (height, width), (x0, y0, x1, y1)


def noise(height: int, width: int, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def found(box: Box) -> Face:
    return Face(box=box, probability=0.99, landmarks=(), source="mtcnn")


def test_a_box_drawn_by_hand_is_rounded_and_clipped() -> None:
    picture = noise(100, 150)
    assert box_from_hand(picture, (10.4, 19.6, 60, 80)).box == (10, 20, 60, 80)
    assert box_from_hand(picture, (-30, -1e300, 1e300, 50)).box == (0, 0, 150, 50)
    assert box_from_hand(picture, (60, 80, 10, 20)).box == (10, 20, 60, 80)
    assert box_from_hand(picture, (130, 80, 150, 100)).box == (130, 80, 150, 100)
    face = box_from_hand(picture, (10, 20, 60, 80))
    assert (face.probability, face.landmarks, face.source) == (None, (), "hand")


@given(st.lists(coordinates, min_size=4, max_size=4))
def test_a_box_drawn_by_hand_lies_inside_the_picture_or_is_refused(drawn: list[float]) -> None:
    picture = np.zeros((100, 150, 3), np.uint8)
    try:
        x0, y0, x1, y1 = box_from_hand(picture, drawn).box
    except SettingsError as refused:
        assert "at least 20 pixels" in str(refused)
        return
    assert 0 <= x0 <= x1 - MIN_FACE_SIDE <= 150 - MIN_FACE_SIDE
    assert 0 <= y0 <= y1 - MIN_FACE_SIDE <= 100 - MIN_FACE_SIDE
    assert all(isinstance(side, int) for side in (x0, y0, x1, y1))


@pytest.mark.parametrize(
    "drawn",
    [
        (10, 10, 29, 90),
        (10, 10, 90, 29),
        (150, 10, 300, 90),
        (-80, 10, 19, 90),
        (10, 10, 10, 10),
    ],
)
def test_a_box_too_small_inside_the_picture_is_refused(drawn: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match=r"at least 20 pixels a side.*150×100.*larger"):
        box_from_hand(noise(100, 150), drawn)


def test_numbers_of_any_size_and_of_numpy_are_numbers() -> None:
    picture = noise(100, 150)
    assert box_from_hand(picture, (-(10**400), -1e308, 10**400, 1e308)).box == (0, 0, 150, 100)
    face = box_from_hand(picture, list(np.array([10, 20, 60, 70], np.float32)))
    assert face.box == (10, 20, 60, 70)
    assert all(type(side) is int for side in face.box)


@pytest.mark.parametrize(
    "drawn",
    [
        (math.nan, 0, 50, 50),
        (0, 0, math.inf, 50),
        (0, -math.inf, 50, 50),
        (0, 0, 50),
        (0, 0, 50, 50, 50),
        (),
        "0059",
        (0, 0, None, 50),
        (0, 0, "50", 50),
        (0, 0, 50j, 50),
    ],
)
def test_what_is_not_four_numbers_is_refused(drawn: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="four finite numbers"):
        box_from_hand(noise(100, 150), drawn)


def test_the_whole_picture_can_be_the_face() -> None:
    face = whole_picture(noise(40, 70))
    assert face == Face(box=(0, 0, 70, 40), probability=None, landmarks=(), source="picture")


def test_a_found_faces_crop_is_the_policys_square() -> None:
    # The box's sides average √(80·100) = 89.4; the crop's side is 0.97 of it, 86.8, so 87. The
    # centre (140, 150) moves down by 0.08 of the side to (140, 156.9).
    assert crop_box(found((100, 100, 180, 200)), POLICY, (600, 600)) == (96, 113, 183, 200)
    wide = CropPolicy(scale=2.0, shift=0.0)
    assert crop_box(found((100, 100, 200, 200)), wide, (600, 600)) == (50, 50, 250, 250)


def test_a_crop_that_would_stick_out_is_moved_inside() -> None:
    wide = CropPolicy(scale=2.0, shift=0.0)
    assert crop_box(found((0, 0, 100, 100)), wide, (600, 500)) == (0, 0, 200, 200)
    assert crop_box(found((400, 500, 500, 600)), wide, (600, 500)) == (300, 400, 500, 600)
    assert crop_box(found((150, 20, 250, 120)), wide, (140, 500)) == (130, 0, 270, 140)
    assert crop_box(found((0, 0, 100, 400)), wide, (400, 100)) == (0, 150, 100, 250)


@given(
    place=boxes_in_pictures(smallest=20),
    scale=st.floats(0.3, 4),
    shift=st.floats(-0.5, 0.5),
)
def test_a_crop_is_a_square_inside_the_picture(
    place: tuple[tuple[int, int], Box], scale: float, shift: float
) -> None:
    (height, width), box = place
    crop = crop_box(found(box), CropPolicy(scale, shift), (height, width))
    x0, y0, x1, y1 = crop
    assert all(isinstance(side, int) for side in crop)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert x1 - x0 == y1 - y0
    wanted = scale * math.sqrt((box[2] - box[0]) * (box[3] - box[1]))
    assert abs(x1 - x0 - min(wanted, height, width)) <= 0.5


@given(place=boxes_in_pictures(smallest=20), shift=st.floats(-0.1, 0.1))
def test_a_crop_with_room_around_it_has_the_policys_centre(
    place: tuple[tuple[int, int], Box], shift: float
) -> None:
    (height, width), box = place
    side = math.sqrt((box[2] - box[0]) * (box[3] - box[1]))
    across, down = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + shift * side
    assume(side / 2 + 1 < across < width - side / 2 - 1)
    assume(side / 2 + 1 < down < height - side / 2 - 1)
    x0, y0, x1, y1 = crop_box(found(box), CropPolicy(1.0, shift), (height, width))
    assert abs((x0 + x1) / 2 - across) <= 1
    assert abs((y0 + y1) / 2 - down) <= 1


@given(boxes_in_pictures(smallest=20))
def test_a_box_that_a_person_chose_is_the_crop_itself(place: tuple[tuple[int, int], Box]) -> None:
    size, box = place
    for face in (Face(box, None, (), "hand"), Face(box, None, (), "picture")):
        assert crop_box(face, POLICY, size) == box


@given(boxes_in_pictures(), st.integers(0, 1000))
def test_pasting_changes_the_box_and_not_one_bit_outside_it(
    place: tuple[tuple[int, int], Box], seed: int
) -> None:
    (height, width), box = place
    x0, y0, x1, y1 = box
    picture = noise(height, width, seed)
    before = picture.copy()
    crop = 255 - cut(picture, box)
    pasted = paste(picture, crop, box)
    outside = np.ones((height, width), bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(pasted[outside], before[outside])
    assert np.array_equal(pasted[y0:y1, x0:x1], 255 - before[y0:y1, x0:x1])
    assert np.array_equal(picture, before)
    assert pasted.dtype == np.uint8


@given(boxes_in_pictures(), st.integers(0, 1000))
def test_a_crop_pasted_where_it_was_cut_gives_the_picture_again(
    place: tuple[tuple[int, int], Box], seed: int
) -> None:
    (height, width), box = place
    picture = noise(height, width, seed)
    crop = cut(picture, box)
    assert crop.shape == (box[3] - box[1], box[2] - box[0], 3)
    assert np.array_equal(paste(picture, crop, box), picture)
    crop[:] = 0
    assert np.array_equal(picture, noise(height, width, seed))


@pytest.mark.parametrize(
    "crop",
    [
        noise(20, 30),
        noise(29, 20),
        noise(1, 1),
        np.zeros((30, 20), np.uint8),
        np.zeros((30, 20, 4), np.uint8),
        np.zeros((30, 20, 3), np.float32),
    ],
)
def test_a_crop_that_is_not_the_boxs_size_or_kind_is_refused(
    crop: npt.NDArray[np.generic],
) -> None:
    with pytest.raises(SettingsError, match=r"20×30 pixels was expected.*came"):
        paste(noise(100, 150), crop, (10, 10, 30, 40))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "box", [(-1, 0, 19, 30), (0, -1, 20, 29), (131, 0, 151, 30), (0, 71, 20, 101), (9, 9, 9, 39)]
)
def test_a_box_that_is_not_inside_the_picture_is_refused(box: Box) -> None:
    picture = noise(100, 150)
    with pytest.raises(SettingsError, match="inside the picture of 150×100"):
        cut(picture, box)
    with pytest.raises(SettingsError, match="inside the picture of 150×100"):
        paste(picture, noise(30, 20), box)
