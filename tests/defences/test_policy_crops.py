"""Crops beside their attacked twins, and a detector's answers to each under every action."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import logit

from demo.core.attack import round_trip
from demo.core.scoring import score_crops
from demo.defences.policy_crops import (
    Answers,
    PolicyCrops,
    answers_file,
    ask_actions,
    attack_each,
    of_pairs,
)
from demo.defences.round_trips import RoundTrips
from models.crop_actions import CROP_ACTIONS, act
from models.training.faces import Faces
from models.zoo import Zoo


def some_faces() -> Faces:
    """Two real crops of 16 px, and a fake of each."""
    pictures = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    return Faces(
        pictures=pictures,
        fake=np.array([False, False, True, True]),
        original=np.array([0, 1, 0, 1]),
        source=np.array(["a", "b", "a", "b"]),
    )


def test_a_pair_gives_its_real_crop_and_its_fake_clean_and_attacked() -> None:
    faces = some_faces()
    attacked = np.random.default_rng(1).integers(0, 256, (3, 2, 16, 16, 3), dtype=np.uint8)
    words = np.array(["edsr"] * 3)
    trips = RoundTrips(np.array([3, 2, 3]), np.array([1, 0, 1]), words, np.ones(3), attacked)
    crops = of_pairs(faces, trips, 2)
    np.testing.assert_array_equal(crops.pictures[:4], faces.pictures[[1, 3, 0, 2]])
    np.testing.assert_array_equal(crops.pictures[4:], attacked[:2].reshape(4, 16, 16, 3))
    assert crops.fake.tolist() == [False, True] * 4
    assert crops.attacked.tolist() == [False] * 4 + [True] * 4
    assert crops.source.tolist() == ["b", "b", "a", "a"] * 2


def test_each_crop_is_attacked_once_and_the_seed_repeats_it(random_zoo: Zoo) -> None:
    faces = some_faces()
    crops = attack_each(faces, 0, random_zoo)
    np.testing.assert_array_equal(crops.pictures[:4], faces.pictures)
    assert crops.fake.tolist() == faces.fake.tolist() * 2
    assert crops.source.tolist() == faces.source.tolist() * 2
    assert (crops.pictures[4:] != crops.pictures[:4]).any(axis=(1, 2, 3)).all()
    again, other = attack_each(faces, 0, random_zoo), attack_each(faces, 1, random_zoo)
    np.testing.assert_array_equal(again.pictures, crops.pictures)
    assert (other.pictures != crops.pictures).any()
    one = [
        round_trip(faces.pictures[0], k, method, "area", random_zoo)
        for k in (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
        for method in ("edsr", "bicubic", "lanczos")
    ]
    assert any(np.array_equal(crops.pictures[4], trip) for trip in one)


def a_crop() -> PolicyCrops:
    pictures = np.random.default_rng(2).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    return PolicyCrops(pictures, np.array([True]), np.array([False]), np.array(["a"]))


def test_the_detector_is_asked_about_the_crop_after_every_action(
    random_zoo: Zoo, tmp_path: Path
) -> None:
    loaded, crops = random_zoo.detector("resnet50"), a_crop()
    found = ask_actions(loaded, crops, random_zoo, tmp_path / "answers.npy")
    changed = [act(action, crops.pictures[0]) for action in CROP_ACTIONS]
    expected = score_crops(loaded, changed, random_zoo.device)
    assert found.logits[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert found.threshold == logit(loaded.card.threshold)


def test_answers_are_read_and_a_broken_run_is_filled_up(random_zoo: Zoo, tmp_path: Path) -> None:
    cache = tmp_path / "answers.npy"
    loaded, crops = random_zoo.detector("resnet50"), a_crop()
    kept = np.arange(6, dtype=np.float32)[None]
    np.save(cache, kept)
    np.testing.assert_array_equal(ask_actions(loaded, crops, random_zoo, cache).logits, kept)
    kept[0, 5] = np.nan
    np.save(cache, kept)
    found = ask_actions(loaded, crops, random_zoo, cache).logits
    assert np.isfinite(found).all()
    assert (found != kept).all()
    np.testing.assert_array_equal(np.load(cache), found)


def test_answers_to_other_crops_are_refused(random_zoo: Zoo, tmp_path: Path) -> None:
    np.save(tmp_path / "answers.npy", np.zeros((5, 6), np.float32))
    with pytest.raises(ValueError, match=r"shape \(1, 6\), found \(5, 6\)"):
        ask_actions(random_zoo.detector("resnet50"), a_crop(), random_zoo, tmp_path / "answers.npy")


def test_answers_of_other_weights_or_another_precision_have_another_name(random_zoo: Zoo) -> None:
    names = {
        answers_file(Path(), zoo.detector(name), zoo, "val")
        for zoo in (random_zoo, random_zoo.in_bfloat16())
        for name in ("resnet50", "xception")
    }
    assert len(names) == 4


def test_a_verdict_is_right_where_it_is_the_truth_and_the_threshold_itself_is_fake() -> None:
    logits = np.array([[0.4, 0.5, 0.6]] * 2, np.float32)
    right = Answers(logits, 0.5, np.array([True, False])).right
    assert right.tolist() == [[False, True, True], [True, False, False]]
