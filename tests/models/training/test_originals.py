import numpy as np
import pytest

from models.training.originals import joined, of_originals, split_originals
from tests.models.training.made_faces import made_faces

TRAIN = [f"train{index}" for index in range(80)]
VAL = [f"val{index}" for index in range(9)]
TEST = [f"test{index}" for index in range(11)]


def test_a_fifth_to_choose_a_fifth_to_test_and_the_rest_to_learn() -> None:
    split = split_originals(TRAIN, VAL, TEST, seed=0)
    assert (len(split.train), len(split.val), len(split.test)) == (60, 20, 20)
    assert split.train | split.val | split.test == {*TRAIN, *VAL, *TEST}


def test_the_projects_splits_stay_where_they_are() -> None:
    split = split_originals(TRAIN, VAL, TEST, seed=0)
    assert set(VAL) <= split.val
    assert set(TEST) <= split.test
    assert split.train <= set(TRAIN)


def test_the_draw_depends_on_the_seed_and_not_on_the_order() -> None:
    assert split_originals(TRAIN, VAL, TEST, 3) == split_originals(TRAIN[::-1], VAL, TEST, 3)
    assert split_originals(TRAIN, VAL, TEST, 3) != split_originals(TRAIN, VAL, TEST, 4)


def test_splits_that_share_an_original_are_refused() -> None:
    with pytest.raises(ValueError, match="in two"):
        split_originals(TRAIN, [*VAL, "train3"], TEST, seed=0)


def test_a_split_above_a_fifth_is_refused() -> None:
    with pytest.raises(ValueError, match="at most a fifth"):
        split_originals(TRAIN[:20], VAL, TEST, seed=0)


def test_crops_of_some_originals_still_know_what_they_were_made_of() -> None:
    faces = made_faces(5, seed=1)
    some = of_originals(faces, {"video1", "video4"})
    assert list(some.source) == ["video1", "video4", "video1", "video4"]
    assert list(some.original) == [0, 1, 0, 1]
    assert (some.pictures[2] == faces.pictures[6]).all()


def test_joined_splits_still_know_what_they_were_made_of() -> None:
    first, second = made_faces(2, seed=1), made_faces(3, seed=2)
    both = joined(first, second)
    assert len(both.fake) == 10
    for index in np.flatnonzero(both.fake):
        real = both.pictures[both.original[index]]
        assert (real[:50] == both.pictures[index][:50]).all()
        assert not both.fake[both.original[index]]
