"""Several faces in one frame: each gets its own round trip and its own numbers, and no other."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.attack import round_trip
from demo.core.faces import Box, Face, FaceDetector, cut
from demo.core.images import Picture
from demo.core.picture_attack import attack_found
from demo.core.scoring import score_crops
from models.loading import LoadedDetector
from models.zoo import Zoo

SETTINGS = Settings(k=2.0, method="bicubic", scope="faces")


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="module")
def three_apart(astronaut: Picture) -> Picture:
    """The astronaut three times side by side: three faces whose crops lie apart."""
    return np.ascontiguousarray(np.tile(astronaut[0:256, 100:356], (1, 3, 1)))


@pytest.fixture(scope="module")
def three_close(astronaut: Picture) -> Picture:
    """Three astronauts so close together that neighbouring crops overlap."""
    return np.ascontiguousarray(np.tile(astronaut[30:220, 165:285], (1, 3, 1)))


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Box, ...]:
    """Two to five boxes in 60×60 px with corners on a coarse grid.

    Many of them share an edge or a corner, overlap, hold each other, or are the same.
    """
    edges = st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True).map(sorted)
    box = st.tuples(edges, edges).map(
        lambda sides: (
            10 * sides[0][0],
            10 * sides[1][0],
            10 * sides[0][1],
            10 * sides[1][1],
        )
    )
    return tuple(draw(st.lists(box, min_size=2, max_size=5)))


def noise(seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (60, 60, 3), dtype=np.uint8)


def attacked(picture: Picture, places: tuple[Box, ...], zoo: Zoo) -> Picture:
    """The picture after all boxes went through the round trip together."""
    faces = tuple(Face(box, None, (), "hand") for box in places)
    return attack_found(picture, faces, SETTINGS, zoo).attacked


def alone(picture: Picture, box: Box, zoo: Zoo, method: str = "bicubic") -> Picture:
    """One box's own round trip, whatever else is in the picture."""
    return round_trip(cut(picture, box), SETTINGS.k, method, SETTINGS.kernel, zoo)


def holders(places: tuple[Box, ...], x: int, y: int) -> list[Box]:
    return [box for box in places if box[0] <= x < box[2] and box[1] <= y < box[3]]


def area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def union(places: tuple[Box, ...], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    inside = np.zeros(shape[:2], bool)
    for x0, y0, x1, y1 in places:
        inside[y0:y1, x0:x1] = True
    return inside


@settings(deadline=None)
@given(places=boxes(), seed=st.integers(0, 100))
def test_not_one_pixel_outside_the_boxes_changes(
    places: tuple[Box, ...], seed: int, random_zoo: Zoo
) -> None:
    picture = noise(seed)
    outside = ~union(places, picture.shape)
    np.testing.assert_array_equal(
        attacked(picture, places, random_zoo)[outside], noise(seed)[outside]
    )
    np.testing.assert_array_equal(picture, noise(seed))


@settings(deadline=None)
@given(places=boxes())
def test_every_pixel_goes_once_through_the_round_trip_of_the_smallest_box_that_holds_it(
    places: tuple[Box, ...], random_zoo: Zoo
) -> None:
    picture = noise()
    made = attacked(picture, places, random_zoo)
    lone = {box: alone(picture, box, random_zoo) for box in places}
    for y, x in np.argwhere(union(places, picture.shape)):
        inside = holders(places, x, y)
        smallest = min(area(box) for box in inside)
        own = [lone[box][y - box[1], x - box[0]] for box in inside if area(box) == smallest]
        assert any((made[y, x] == pixel).all() for pixel in own)


@settings(deadline=None)
@given(places=boxes().flatmap(lambda found: st.permutations(found).map(lambda p: (found, p))))
def test_the_order_in_which_faces_are_found_does_not_matter(
    places: tuple[tuple[Box, ...], list[Box]], random_zoo: Zoo
) -> None:
    found, shuffled = places
    np.testing.assert_array_equal(
        attacked(noise(), found, random_zoo), attacked(noise(), tuple(shuffled), random_zoo)
    )


@pytest.mark.parametrize("method", ["edsr", "bicubic", "lanczos"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((10, 10, 30, 40), (30, 10, 50, 40)),
        ((10, 10, 40, 30), (10, 30, 40, 50)),
        ((10, 10, 30, 30), (30, 30, 50, 50)),
        ((0, 0, 31, 60), (31, 0, 60, 60)),
        ((10, 10, 30, 40), (30, 20, 37, 33)),
    ],
    ids=["side by side", "one below the other", "corner to corner", "odd sides", "unlike sizes"],
)
def test_touching_boxes_take_no_pixel_from_each_other(
    one: Box, other: Box, method: str, random_zoo: Zoo
) -> None:
    picture = noise()
    faces = tuple(Face(box, None, (), "hand") for box in (one, other))
    asked = Settings(k=2.0, method=method, scope="faces")
    made = attack_found(picture, faces, asked, random_zoo).attacked
    for box in (one, other):
        np.testing.assert_array_equal(cut(made, box), alone(picture, box, random_zoo, method))


def test_a_face_inside_another_lies_on_top_whole(random_zoo: Zoo) -> None:
    picture, around, inside = noise(), (0, 0, 60, 60), (20, 20, 41, 41)
    made = attacked(picture, (around, inside), random_zoo)
    np.testing.assert_array_equal(cut(made, inside), alone(picture, inside, random_zoo))
    frame = union((around,), picture.shape) & ~union((inside,), picture.shape)
    np.testing.assert_array_equal(made[frame], alone(picture, around, random_zoo)[frame])


def test_a_faces_pixels_and_numbers_are_those_that_it_has_alone(
    three_apart: Picture, toolbox: Toolbox
) -> None:
    together = analyse(three_apart, Settings(scope="faces"), toolbox)
    assert len(together.results) == 3
    for index, result in enumerate(together.results):
        (lone,) = analyse(three_apart, Settings(face=index), toolbox).results
        np.testing.assert_array_equal(result.clean, lone.clean)
        np.testing.assert_array_equal(result.attacked, lone.attacked)
        assert (result.box, result.quality, result.scores) == (lone.box, lone.quality, lone.scores)


def test_real_faces_whose_crops_overlap_each_keep_the_round_trip_of_their_clean_crop(
    three_close: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(three_close, Settings(scope="faces"), toolbox)
    places = tuple(result.box for result in analysis.results)
    assert len(places) == 3
    assert union(places, three_close.shape).sum() < sum(map(area, places)), "No crops overlap."
    expected = three_close.copy()
    for box in sorted(places, key=area, reverse=True):
        x0, y0, x1, y1 = box
        expected[y0:y1, x0:x1] = alone(three_close, box, toolbox.zoo, "edsr")
    np.testing.assert_array_equal(analysis.attacked, expected)
    for result in analysis.results:
        np.testing.assert_array_equal(result.attacked, cut(expected, result.box))


def test_each_detector_is_asked_once_about_all_crops_of_a_frame(
    three_apart: Picture, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []

    def counted(loaded: LoadedDetector, crops: list[Picture], device: torch.device) -> list[float]:
        asked.append((loaded.card.name, len(crops)))
        return score_crops(loaded, crops, device)

    monkeypatch.setattr("demo.core.analysis.score_crops", counted)
    analyse(three_apart, Settings(scope="faces", method="bicubic"), toolbox)
    assert asked == [(name, 6) for name in toolbox.zoo.detector_names]
