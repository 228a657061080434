"""Figures and thresholds of the round-trip detector: counted right, and chosen as is said."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from demo.core.spectrum import Array
from demo.defences.round_trip_figures import (
    ATTACKED,
    CLEAN,
    ENLARGED,
    HARMLESS,
    STORED,
    Answers,
    Measured,
    Said,
    ask,
    figures,
)
from demo.defences.round_trip_shipping import (
    FALSE_ALARMS,
    attack_each,
    choose_thresholds,
    threshold_of,
)
from models.cards import Figure
from models.round_trip_card import RoundTripCard
from models.training.faces import Faces
from models.zoo import Zoo
from tests.defences.made_samples import noisy_crops

K = np.array([1.5, 2.0, 3.0, 4.0])


def logits(seen: list[float], likeliest: list[int] | None = None) -> Array:
    table = np.zeros((len(seen), 7))
    table[:, 0] = seen
    if likeliest is not None:
        table[np.arange(len(seen)), 1 + np.array(likeliest)] = 5
    return table


@pytest.fixture(scope="module")
def card(random_zoo: Zoo) -> RoundTripCard:
    card = random_zoo.round_trip_detector().card
    return replace(card, linear_threshold=0.5, network_threshold=float(expit(1.0)))


@pytest.fixture(scope="module")
def measured() -> Measured:
    crops = list(np.zeros((4, 64, 64, 3), np.uint8))
    method = np.array(["edsr", "edsr", "bicubic", "lanczos"])
    return Measured(crops, crops, K, method, np.array(["a", "b", "c", "d"]), "four crops")


@pytest.fixture(scope="module")
def said() -> Said:
    quiet = logits([-3, -2, -1, 0.5])
    clean = Answers(linear=quiet, network=quiet + 0)
    # K said: 1.5, 2.5, 4, 4 where 1.5, 2, 3, 4 is right.
    attacked = Answers(logits([2, 3, -2.5, 4]), logits([2, 3, 4, 0.9], [0, 2, 5, 5]))
    return Said(
        before={one.words: clean for one in (*HARMLESS, ENLARGED)},
        after={one.words: attacked for one in (ATTACKED, *STORED)},
        portraits=Answers(logits([-1, 1]), logits([-1, 1])),
    )


@pytest.fixture(scope="module")
def found(card: RoundTripCard, measured: Measured, said: Said) -> tuple[Figure, ...]:
    return figures(card, measured, said, "two portraits")


def figure(found: tuple[Figure, ...], name: str, condition: str, of: str = "four crops") -> Figure:
    (one,) = (f for f in found if (f.name, f.condition, f.of) == (name, condition, of))
    return one


def test_what_is_seen_is_counted_at_each_models_own_threshold(
    found: tuple[Figure, ...],
) -> None:
    assert figure(found, "round trip seen, network", "round trip").value == 75
    assert figure(found, "round trip seen, linear", "round trip").value == 75
    for change in (*HARMLESS, ENLARGED):
        assert figure(found, "round trip seen, network", change.words).value == 0
        assert figure(found, "round trip seen, linear", change.words).value == 25
    assert figure(found, "round trip seen, network", "clean", "two portraits").value == 50


def test_k_is_counted_where_it_is_right_and_where_it_is_near(
    found: tuple[Figure, ...],
) -> None:
    assert figure(found, "K right, network", "round trip").value == 50
    assert figure(found, "K within 0.5, network", "round trip").value == 75


def test_the_area_is_of_all_methods_and_of_each(
    found: tuple[Figure, ...],
) -> None:
    area = "clean against a round trip"
    assert figure(found, "AUC, network", area).value == 1
    assert figure(found, "AUC, linear", area).value == pytest.approx(13 / 16)
    assert figure(found, "AUC, linear", f"{area} by edsr").value == 1
    assert figure(found, "AUC, linear", f"{area} by bicubic").value == 0


def test_a_threshold_lets_at_most_the_stated_share_of_either_group_through() -> None:
    rng = np.random.default_rng(0)
    faces, portraits = rng.normal(0, 2, 2000), rng.normal(1, 2, 500)
    chosen = threshold_of([logits(list(faces))], logits(list(portraits)))
    for group, close in ((faces, False), (portraits, True)):
        share = (expit(group) >= chosen).mean()
        assert share <= FALSE_ALARMS
        assert (share > FALSE_ALARMS - 0.01) == close


def test_a_threshold_is_never_below_a_half() -> None:
    assert threshold_of([logits([-5] * 50)], logits([-6] * 50)) == 0.5


def test_each_model_gets_its_own_threshold(said: Said) -> None:
    loud = Answers(logits([3.0] * 4), logits([-3.0] * 4))
    linear, network = choose_thresholds(replace(said, portraits=loud))
    assert linear == pytest.approx(expit(3.0), abs=0.001)
    assert network == pytest.approx(expit(0.5), abs=0.001)


def test_everything_is_asked_about_once_after_what_is_done_to_it(random_zoo: Zoo) -> None:
    loaded = random_zoo.round_trip_detector()
    crops = noisy_crops(6, 64, 1)
    fake = np.array([True, False, True, False, True, False])
    faces = Faces(crops, fake, np.arange(6), np.array(list("abcdef")))
    measured = attack_each(faces, random_zoo, seed=0)
    again = attack_each(faces, random_zoo, seed=0)
    np.testing.assert_array_equal(measured.attacked, again.attacked)
    assert all((one != other).any() for one, other in zip(crops, measured.attacked, strict=True))
    said = ask(loaded, measured, [crops[0]])
    clean = said.before[CLEAN.words]
    assert clean.linear.shape == clean.network.shape == (6, 7)
    for change in (*HARMLESS[1:], ENLARGED):
        assert not np.array_equal(said.before[change.words].network, clean.network)
    assert not np.array_equal(said.after[ATTACKED.words].linear, clean.linear)
    np.testing.assert_array_equal(said.portraits.linear[0], clean.linear[0])
