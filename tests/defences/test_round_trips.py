"""Pairs drawn with a seed; a fake and its real crop take the same round trip, which is kept."""

from pathlib import Path

import numpy as np
import pytest

from demo.core.attack import FACTORS, round_trip
from demo.core.restoring import METHODS
from demo.defences.round_trips import KERNEL, RoundTrips, read_round_trips
from models.training.faces import Faces
from models.zoo import Zoo
from tests.models.training.made_faces import made_faces

PAIRS = 4


@pytest.fixture(scope="module")
def faces() -> Faces:
    return made_faces(6, seed=1)


@pytest.fixture(scope="module")
def trips(faces: Faces, random_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> RoundTrips:
    return read_round_trips(faces, "train", PAIRS, 2, tmp_path_factory.mktemp("cache"), random_zoo)


def test_a_fake_is_drawn_once_and_beside_its_real_crop(faces: Faces, trips: RoundTrips) -> None:
    assert len(set(trips.fake)) == PAIRS
    assert faces.fake[trips.fake].all()
    assert not faces.fake[trips.real].any()
    assert (faces.source[trips.fake] == faces.source[trips.real]).all()


def test_both_of_a_pair_take_the_round_trip_that_was_drawn(
    faces: Faces, trips: RoundTrips, random_zoo: Zoo
) -> None:
    for place in range(PAIRS):
        k, method = float(trips.k[place]), str(trips.method[place])
        assert k in FACTORS
        assert method in METHODS
        for side, index in enumerate((trips.real[place], trips.fake[place])):
            expected = round_trip(faces.pictures[index], k, method, KERNEL, random_zoo)
            assert (trips.attacked[place, side] == expected).all()


def test_more_pairs_than_fakes_repeat_them(faces: Faces, random_zoo: Zoo, tmp_path: Path) -> None:
    trips = read_round_trips(faces, "val", 13, 2, tmp_path, random_zoo)
    assert sorted(np.unique(trips.fake, return_counts=True)[1]) == [2, 2, 2, 2, 2, 3]


def test_attacked_once_and_read_after(faces: Faces, random_zoo: Zoo, tmp_path: Path) -> None:
    first = read_round_trips(faces, "val", 2, 3, tmp_path, random_zoo)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    again = read_round_trips(faces, "val", 2, 3, tmp_path, random_zoo)
    assert kept.stat().st_mtime_ns == written
    assert (again.attacked == first.attacked).all()
    assert (again.k == first.k).all()
