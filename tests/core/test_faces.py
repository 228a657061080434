"""Faces are found where they are, in every size of picture and from every thread."""

import csv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage

from demo.core.faces import (
    MIN_FACE_SIDE,
    MIN_PROBABILITY,
    Box,
    Face,
    FaceDetector,
)
from demo.core.images import Picture, read_picture


def noise(height: int, width: int, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def overlap(one: Box, other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def assert_proper(faces: tuple[Face, ...], picture: Picture) -> None:
    height, width = picture.shape[:2]
    areas = []
    for face in faces:
        x0, y0, x1, y1 = face.box
        assert [type(side) for side in face.box] == [int] * 4
        assert x0 >= 0 and x0 + MIN_FACE_SIDE <= x1 <= width
        assert y0 >= 0 and y0 + MIN_FACE_SIDE <= y1 <= height
        assert face.probability is not None
        assert MIN_PROBABILITY <= face.probability <= 1
        assert len(face.landmarks) == 5
        assert face.source == "mtcnn"
        areas.append((x1 - x0) * (y1 - y0))
    assert areas == sorted(areas, reverse=True)


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def test_the_astronauts_face_is_found_with_eyes_nose_and_mouth(
    detector: FaceDetector, astronaut: Picture
) -> None:
    faces = detector.find(astronaut)
    assert len(faces) == 1
    assert_proper(faces, astronaut)
    assert overlap(faces[0].box, (181, 62, 268, 173)) > 0.9
    x0, y0, x1, y1 = faces[0].box
    assert all(x0 < x < x1 and y0 < y < y1 for x, y in faces[0].landmarks)
    left_eye, right_eye, nose, left_mouth, right_mouth = faces[0].landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_pictures_without_a_face_have_none(detector: FaceDetector) -> None:
    assert detector.find(skimage.data.coffee()) == ()
    assert detector.find(skimage.data.rocket()) == ()
    assert detector.find(noise(300, 400)) == ()
    assert detector.find(np.zeros((300, 400, 3), np.uint8)) == ()


def test_what_is_hardly_a_face_is_left_out(detector: FaceDetector, astronaut: Picture) -> None:
    portrait = astronaut[20:220, 130:330]
    assert len(detector.find(cv2.GaussianBlur(portrait, (0, 0), 6))) == 1
    assert detector.find(cv2.GaussianBlur(portrait, (0, 0), 8)) == ()


def test_a_face_under_20_px_is_left_out(detector: FaceDetector, astronaut: Picture) -> None:
    for side, count in ((140, 1), (100, 0)):
        small = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
        assert len(detector.find(small)) == count


@pytest.mark.parametrize(
    "size",
    [(1, 1), (5, 300), (19, 19), (20, 20), (20, 21), (33, 20), (20, 4000), (4000, 20), (60, 2000)],
)
def test_small_and_thin_pictures_are_searched_without_complaint(
    detector: FaceDetector, astronaut: Picture, size: tuple[int, int]
) -> None:
    for picture in (noise(*size), np.asarray(cv2.resize(astronaut, size[::-1]), np.uint8)):
        assert_proper(detector.find(picture), picture)


def test_several_faces_come_largest_first(detector: FaceDetector, astronaut: Picture) -> None:
    half = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    picture = np.zeros((512, 1024, 3), np.uint8)
    picture[:256, :256] = half
    picture[256:, 256:512] = half
    picture[:, 512:] = astronaut
    faces = detector.find(picture)
    assert len(faces) == 3
    assert_proper(faces, picture)
    centres = [((face.box[0] + face.box[2]) / 2 // 256, face.box[1] // 256) for face in faces]
    assert centres == [(2, 0), (0, 0), (1, 1)] or centres == [(2, 0), (1, 1), (0, 0)]


def test_a_face_that_leaves_the_picture_is_clipped(
    detector: FaceDetector, astronaut: Picture
) -> None:
    edges = {
        "left": astronaut[:, 200:],
        "right": astronaut[:, :250],
        "top": astronaut[80:],
        "bottom": astronaut[:160],
    }
    boxes = {}
    for edge, part in edges.items():
        picture = np.ascontiguousarray(part)
        faces = detector.find(picture)
        assert_proper(faces, picture)
        boxes[edge] = faces[0].box
    assert boxes["left"][0] == 0
    assert boxes["right"][2] == 250
    assert boxes["top"][1] == 0
    assert boxes["bottom"][3] == 160


@pytest.mark.parametrize("shape", [(3000, 4000), (4000, 3000), (2000, 1500)])
def test_a_large_picture_is_searched_small_and_its_boxes_scaled_back(
    detector: FaceDetector, astronaut: Picture, shape: tuple[int, int]
) -> None:
    side = min(shape)
    picture = np.zeros((*shape, 3), np.uint8)
    picture[-side:, -side:] = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_CUBIC)
    faces = detector.find(picture)
    assert_proper(faces, picture)
    assert len(faces) == 1
    small = np.array(detector.find(astronaut)[0].box) * side / 512
    place = small + np.tile([shape[1] - side, shape[0] - side], 2)
    assert overlap(faces[0].box, tuple(place)) > 0.85
    landmarks = np.array(faces[0].landmarks) - [shape[1] - side, shape[0] - side]
    expected = np.array(detector.find(astronaut)[0].landmarks) * side / 512
    assert np.abs(landmarks - expected).max() < 0.02 * side


def test_threads_share_a_detector_and_get_the_same_faces(
    detector: FaceDetector, astronaut: Picture
) -> None:
    pictures = [np.ascontiguousarray(astronaut[:, shift:]) for shift in (0, 30, 60, 90)]
    alone = [detector.find(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(detector.find, pictures * 2)) == alone * 2


@pytest.mark.slow
def test_the_portraits_faces_lie_where_their_index_says(
    detector: FaceDetector, shared_data: Path
) -> None:
    folder = shared_data / "portraits"
    with (folder / "index.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::8]
    assert len(rows) >= 30
    for row in rows:
        picture = read_picture(folder / row["file"])
        faces = detector.find(picture)
        assert_proper(faces, picture)
        place = tuple(float(row[side]) for side in ("x0", "y0", "x1", "y1"))
        assert overlap(faces[0].box, place) > 0.8, row["file"]
