"""Faces are cut out once, by the card's policy, and what gives none is listed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.core.errors import ImageError, SettingsError
from demo.core.faces import FaceDetector, crop_box, cut
from demo.core.images import Picture
from demo.study import face_crops
from demo.study.face_crops import FaceCrops, extract_faces
from demo.study.samples import PRISTINE, DataSet, Sample
from models.cards import CropPolicy

POLICY = CropPolicy(scale=1.2, shift=0.0)
SIDE = 40


@pytest.fixture(scope="module")
def faces() -> FaceDetector:
    return FaceDetector()


@pytest.fixture
def data(astronaut: Picture) -> DataSet:
    """Two portraits, a picture without a face and one that cannot be read."""
    small = np.asarray(cv2.resize(astronaut[:256, 96:352], (128, 128)))
    pictures = {"a": small, "faceless": np.zeros_like(small), "b": 255 - (255 - small) // 2}

    def read(sample: Sample) -> Picture:
        if sample.name == "broken":
            raise ImageError("A picture was expected, but this one is broken.")
        return pictures[sample.name]

    names = ("a", "faceless", "broken", "b")
    samples = tuple(Sample(name, PRISTINE, source=name, place=name) for name in names)
    return DataSet("made up", samples, False, read)


def extract(data: DataSet, faces: FaceDetector, folder: Path, side: int = SIDE) -> FaceCrops:
    return extract_faces(data, POLICY, side, faces, 2, folder)


def test_crops_are_the_largest_faces_by_the_policy(
    data: DataSet, faces: FaceDetector, tmp_path: Path
) -> None:
    crops = extract(data, faces, tmp_path)
    assert [one.name for one in crops.samples] == ["a", "b"]
    for crop, sample in zip(crops.pictures, crops.samples, strict=True):
        picture = data.read(sample)
        face = faces.find(picture)[0]
        expected = cut(picture, crop_box(face, POLICY, picture.shape[:2]))
        assert expected.shape[0] > SIDE
        resized = cv2.resize(expected, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        assert (crop == resized).all()


def test_a_picture_without_a_crop_is_listed_with_its_reason(
    data: DataSet, faces: FaceDetector, tmp_path: Path
) -> None:
    refused = {one.sample: one.why for one in extract(data, faces, tmp_path).refused}
    assert set(refused) == {"faceless", "broken"}
    assert "none was found" in refused["faceless"]
    assert refused["broken"] == "A picture was expected, but this one is broken."


class KilledError(Exception):
    pass


def killed_at(name: str, read: Callable[[Sample], Picture]) -> Callable[[Sample], Picture]:
    def killed(sample: Sample) -> Picture:
        if sample.name == name:
            raise KilledError
        return read(sample)

    return killed


def test_a_broken_run_goes_on_with_the_part_that_it_lacks(
    data: DataSet, faces: FaceDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = extract(data, faces, tmp_path / "whole")
    monkeypatch.setattr(face_crops, "PART", 2)
    with pytest.raises(KilledError):
        extract(replace(data, read=killed_at("b", data.read)), faces, tmp_path / "broken")
    resumed = extract(replace(data, read=killed_at("a", data.read)), faces, tmp_path / "broken")
    assert (resumed.pictures == whole.pictures).all()
    assert (resumed.samples, resumed.refused) == (whole.samples, whole.refused)


def test_finished_crops_are_taken_as_they_are(
    data: DataSet, faces: FaceDetector, tmp_path: Path
) -> None:
    first = extract(data, faces, tmp_path)
    again = extract(replace(data, read=killed_at("a", data.read)), faces, tmp_path)
    assert (again.pictures == first.pictures).all()
    assert again.refused == first.refused


def test_crops_of_another_size_in_the_same_folder_are_refused(
    data: DataSet, faces: FaceDetector, tmp_path: Path
) -> None:
    extract(data, faces, tmp_path)
    with pytest.raises(SettingsError, match="other data or of another size"):
        extract(data, faces, tmp_path, side=48)


def test_data_without_any_face_are_refused(
    data: DataSet, faces: FaceDetector, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="none of 2 can be used"):
        extract(replace(data, samples=data.samples[1:3]), faces, tmp_path)
