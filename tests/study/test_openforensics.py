"""OpenForensics: every annotated face is a sample, attacked inside its picture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.core.errors import ImageError, SettingsError
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from demo.study.measuring import measure_sample, study_judges
from demo.study.openforensics import open_openforensics
from demo.study.run import Plan, run_study
from demo.study.samples import PRISTINE

# The numbers of the categories are not the usual ones: their names decide.
CATEGORIES = [{"id": 7, "name": "Fake"}, {"id": 3, "name": "Real"}]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two pictures, one below Images/ as the annotations say, one unpacked without it."""
    rng = np.random.default_rng(4)
    for place, size in (("Images/Test/groß.png", (90, 120)), ("Test/b.png", (80, 80))):
        file = tmp_path / place
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(file)
    return tmp_path


def written(root: Path, *faces: dict[str, Any], width: int = 120) -> Path:
    file = root / "Test_poly.json"
    images = [
        {"id": 11, "file_name": "Images/Test/groß.png", "width": width, "height": 90},
        {"id": 12, "file_name": "Images/Test/b.png", "width": 80, "height": 80},
        {"id": 13, "file_name": "../secret.png", "width": 80, "height": 80},
    ]
    said = {"categories": CATEGORIES, "images": images, "annotations": list(faces)}
    file.write_text(json.dumps(said), encoding="utf-8")
    return file


def face(picture: int, box: object, category: int = 7) -> dict[str, Any]:
    return {"image_id": picture, "category_id": category, "bbox": box}


def test_every_face_is_a_sample_of_its_picture(root: Path) -> None:
    faces = (
        face(11, [10, 12, 40, 50]),
        face(12, [0, 0, 30, 30], category=3),
        face(11, [55.4, 20.0, 30.2, 40], category=3),
    )
    data = open_openforensics(root, written(root, *faces))
    named = [(one.name, one.forgery, one.source, one.box) for one in data.samples]
    groß, b = "Images/Test/groß.png", "Images/Test/b.png"
    assert named == [
        (f"{groß}#1", "OpenForensics", groß, (10, 12, 50, 62)),
        (f"{groß}#2", PRISTINE, groß, (55, 20, 86, 60)),
        (f"{b}#1", PRISTINE, b, (0, 0, 30, 30)),
    ]
    assert not data.crops
    assert data.read(data.samples[2]).shape == (80, 80, 3)
    assert data.read(data.samples[0]) is data.read(data.samples[1]), "decoded once"


def test_other_annotations_are_other_data(root: Path) -> None:
    names = {
        open_openforensics(root, written(root, face(11, [10, 12, side, 50]))).name
        for side in (40, 41)
    }
    assert len(names) == 2


def test_a_face_that_sticks_out_is_clipped_when_it_is_measured(
    root: Path, study_toolbox: Toolbox
) -> None:
    data = open_openforensics(root, written(root, face(11, [-20, 40, 60, 80])))
    (sample,) = data.samples
    rows = measure_sample(
        sample,
        data.read(sample),
        data.crops,
        [Settings(method="bicubic")],
        study_judges(study_toolbox.zoo.detectors(), (), study_toolbox.zoo),
        study_toolbox,
    )
    assert {row.face_side for row in rows} == {(40 * 50) ** 0.5}


def test_what_cannot_be_measured_is_listed_with_its_reason(
    root: Path, study_toolbox: Toolbox, tmp_path: Path
) -> None:
    faces = (
        face(11, [10, 10, 0, 40]),
        face(11, [10, 10, 40, -4]),
        face(11, [10, 10, 40]),
        face(11, [10, 10, 5, 5]),
        face(11, [10, 10, 50, 50]) | {"iscrowd": 1},
        face(13, [10, 10, 50, 50]),
        face(12, [10, 10, 50, 50]),
    )
    data = open_openforensics(root, written(root, *faces))
    out = tmp_path / "out"
    plan = Plan(("bicubic",), (2.0,), "area", 0)
    run_study(data, plan, study_toolbox, out, lambda done, total: None)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    why = [one["why"] for one in manifest["refused"]]
    assert manifest["measured"] == 1
    assert [len([one for one in why if said in one]) for said in (
        "no box of two corners",
        "at least 20 pixels a side",
        "a box around a crowd",
        "name another place",
    )] == [3, 1, 1, 1]  # fmt: skip


def test_a_picture_of_another_size_than_annotated_is_refused(root: Path) -> None:
    data = open_openforensics(root, written(root, face(11, [10, 12, 40, 50]), width=240))
    with pytest.raises(ImageError, match="240×90 pixels was expected"):
        data.read(data.samples[0])


@pytest.mark.parametrize("content", ["", "[]", '{"images": []}', '{"categories": [{"id": 0}]}'])
def test_another_file_is_refused_with_a_sentence(root: Path, content: str) -> None:
    file = root / "other.json"
    file.write_text(content)
    with pytest.raises(SettingsError, match="file of OpenForensics annotations"):
        open_openforensics(root, file)


def test_annotations_without_a_face_are_refused(root: Path) -> None:
    with pytest.raises(SettingsError, match="name none"):
        open_openforensics(root, written(root))
