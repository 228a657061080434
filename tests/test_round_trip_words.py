"""What is said of a round trip: true to the probability, and what follows from it."""

import pytest

from demo.core.round_trip_detection import RoundTripOpinion, RoundTripVerdict
from demo.round_trip_words import advice, seen


def verdict(probability: float, k: float = 2.0) -> RoundTripVerdict:
    return RoundTripVerdict(RoundTripOpinion(0.5, 0.6, 4.0), RoundTripOpinion(probability, 0.6, k))


def test_a_round_trip_that_is_not_seen_comes_with_its_probability_alone() -> None:
    assert seen(verdict(0.124)) == "not seen (12 %)"


def test_one_that_is_seen_comes_with_its_likeliest_k() -> None:
    assert seen(verdict(0.98)) == "seen (98 %), K about 2"
    assert seen(verdict(0.6, 2.5)) == "seen (60 %), K about 2.5"


def test_certainty_is_not_claimed_by_rounding() -> None:
    assert seen(verdict(0.9999)) == "seen (over 99 %), K about 2"
    assert seen(verdict(0.0001)) == "not seen (under 1 %)"


def test_where_nothing_can_be_said_that_is_said() -> None:
    assert "cannot be said" in seen(None)


@pytest.mark.parametrize(
    ("clean", "attacked", "said"),
    [
        (verdict(0.1), verdict(0.1), ""),
        (None, None, ""),
        (verdict(0.1), verdict(0.9), "The scores of the attacked crop deserve less trust."),
        (verdict(0.9), None, "The scores of the clean crop deserve less trust."),
        (verdict(0.9), verdict(0.9), "The scores of both crops deserve less trust."),
    ],
)
def test_trust_is_taken_from_the_crops_that_show_a_round_trip(
    clean: RoundTripVerdict | None, attacked: RoundTripVerdict | None, said: str
) -> None:
    assert advice(clean, attacked) == said
