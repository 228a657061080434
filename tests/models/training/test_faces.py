import csv
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.faces import SIDE, Cutting, Pairs, manipulated, read_faces, resize_square
from tests.models.training.made_faces import made_faces

CUTTING = Cutting(side=64, narrowest=112, widest=200, strength=0.5, blended=0.3, plain_pairs=0)


def test_the_same_number_is_always_the_same_pair() -> None:
    faces = made_faces(4, seed=1)
    whole = Pairs(faces, [], CUTTING, seed=5, start=0, count=6)
    rest = Pairs(faces, [], CUTTING, seed=5, start=4, count=2)
    for left, right in zip((whole[4], whole[5]), (rest[0], rest[1]), strict=True):
        assert all(bool((a == b).all()) for a, b in zip(left, right, strict=True))
    assert not bool((whole[0][0] == whole[1][0]).all())


def test_a_pair_is_cut_and_distorted_alike() -> None:
    faces = made_faces(3, seed=2)
    plain = Cutting(side=112, narrowest=112, widest=112, strength=0.9, blended=0.0, plain_pairs=0)
    unchanged = type(faces)(
        np.concatenate([faces.pictures[:3]] * 2), faces.fake, faces.original, faces.source
    )
    for index in range(8):
        pixels, changed = Pairs(unchanged, [], plain, seed=3, start=index, count=1)[0]
        assert bool((pixels[0] == pixels[1]).all())
        assert float(changed.max()) == 0.0


def test_the_map_says_where_the_fake_differs() -> None:
    faces = made_faces(1, seed=3)
    changed = manipulated(faces.pictures[0], faces.pictures[1])
    assert changed[70:150, 70:150].min() == 1.0
    assert changed[:40].max() == 0.0
    assert changed.shape == (SIDE, SIDE)


def test_the_map_is_mirrored_with_the_crop() -> None:
    faces = made_faces(1, seed=4)
    faces.pictures[1] = faces.pictures[0]
    faces.pictures[1][:, :60] = 255 - faces.pictures[1][:, :60]
    whole = Cutting(side=224, narrowest=224, widest=224, strength=0.0, blended=0.0, plain_pairs=0)
    seen = set()
    for index in range(12):
        pixels, changed = Pairs(faces, [], whole, seed=0, start=index, count=1)[0]
        differs = (pixels[0] != pixels[1]).any(dim=0).float().numpy()
        left, right = differs[:, :30].mean(), differs[:, -30:].mean()
        assert (changed[:, :4].mean() > 0.9) == (left > 0.5)
        assert (changed[:, -4:].mean() > 0.9) == (right > 0.5)
        seen.add(bool(left > right))
    assert seen == {True, False}


def test_portraits_become_self_blended_fakes() -> None:
    faces = made_faces(2, seed=5)
    portrait = np.full((300, 300, 3), 200, np.uint8)
    blended = Cutting(side=112, narrowest=224, widest=224, strength=0.0, blended=1.0, plain_pairs=0)
    pairs = [
        Pairs(faces, [portrait], blended, seed=1, start=index, count=1)[0][0] for index in range(16)
    ]
    from_portrait = [bool((real == 200).all()) for real, _ in pairs]
    assert 2 <= sum(from_portrait) <= 14


def test_a_split_is_read_whole_and_in_the_order_of_its_index(tmp_path: Path) -> None:
    rows = [
        {"name": "a", "label": "real", "original": "a", "split": "val", "shard": "one.tar"},
        {"name": "b", "label": "real", "original": "b", "split": "test", "shard": "one.tar"},
        {"name": "c", "label": "fake", "original": "a", "split": "val", "shard": "one.tar"},
    ]
    with (tmp_path / "index.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with tarfile.open(tmp_path / "one.tar", "w") as archive:
        for level, row in zip((10, 20, 30), rows, strict=True):
            red = np.zeros((SIDE, SIDE, 3), np.uint8)
            red[..., 2] = level
            content = cv2.imencode(".jpg", red)[1].tobytes()
            entry = tarfile.TarInfo(f"{row['name']}.jpg")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    for _ in range(2):
        faces = read_faces(tmp_path, "val", tmp_path / "cache")
        assert list(faces.fake) == [False, True]
        assert list(faces.original) == [0, 0]
        assert [int(picture[0, 0, 0]) for picture in faces.pictures] == pytest.approx(
            [10, 30], abs=2
        )
    with pytest.raises(ValueError, match="train, val or test"):
        read_faces(tmp_path, "all", tmp_path / "cache")


def test_nothing_is_resized_at_its_own_size() -> None:
    crop = made_faces(1, seed=6).pictures[0]
    assert resize_square(crop, SIDE) is crop
    assert resize_square(crop, 100).shape == (100, 100, 3)
