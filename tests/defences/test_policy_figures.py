"""Rates, the best single action and the gain over it, on an example counted by hand."""

import numpy as np
import pytest

from demo.defences import policy_figures as figures
from demo.defences.policy_crops import Answers, Flags, PolicyCrops
from demo.study.rates import Estimate
from demo.study.table import comma_separated
from models.cards import WeightsFile
from models.crop_actions import CROP_ACTIONS
from tests.made_models import policy_card

CARD = policy_card("policy_mask_resnet50", WeightsFile("some.safetensors", "0" * 64, 1, "int8"))
LEAVE, MASK = CROP_ACTIONS.index("leave"), CROP_ACTIONS.index("mask")


def crops() -> PolicyCrops:
    """Four videos with a real and a fake crop each, clean and attacked."""
    return PolicyCrops(
        pictures=np.zeros((16, 1, 1, 3), np.uint8),
        fake=np.tile([False, True], 8),
        attacked=np.repeat([False, True], 8),
        source=np.tile(np.repeat(["a", "b", "c", "d"], 2), 2),
    )


def answers() -> Answers:
    """Left alone: one of four fakes caught and no alarm; after the attack no fake is caught.

    Masked: every fake caught, and one alarm clean, two attacked. Nothing else is ever right.
    """
    fake = crops().fake
    logits = np.where(fake[:, None], np.float32(-1), np.float32(2)).repeat(6, axis=1)
    logits[:, LEAVE] = -1
    logits[1, LEAVE] = 2
    logits[:, MASK] = np.where(fake, 2, -1)
    logits[[0, 8, 10], MASK] = 2
    return Answers(logits, 0.5, fake)


def kept(attacked: bool) -> Flags:
    return crops().attacked if attacked else ~crops().attacked


def test_the_rates_are_those_counted_by_hand() -> None:
    def measured(action: int, attacked: bool) -> tuple[float, ...]:
        choices = np.full(16, action)
        one = figures.measure_choices(figures.judge(crops(), answers(), choices, kept(attacked)))
        return (
            one.tpr.value,
            one.fpr.value,
            one.tnr.value,
            one.fnr.value,
            one.balanced_accuracy.value,
        )

    assert measured(LEAVE, False) == (0.25, 0.0, 1.0, 0.75, 0.625)
    assert measured(LEAVE, True) == (0.0, 0.0, 1.0, 1.0, 0.5)
    assert measured(MASK, False) == (1.0, 0.25, 0.75, 0.0, 0.875)
    assert measured(MASK, True) == (1.0, 0.5, 0.5, 0.0, 0.75)


def test_a_complements_interval_is_turned_round() -> None:
    one = figures.measure_choices(figures.judge(crops(), answers(), np.full(16, MASK), kept(True)))
    assert one.tnr == Estimate(1 - one.fpr.value, 1 - one.fpr.high, 1 - one.fpr.low)
    assert one.fpr.low < one.fpr.high


def test_the_policys_own_choice_counts_for_each_crop() -> None:
    choices = np.where(crops().fake, MASK, LEAVE)
    one = figures.measure_choices(figures.judge(crops(), answers(), choices, kept(True)))
    assert (one.tpr.value, one.tnr.value, one.balanced_accuracy.value) == (1, 1, 1)


def test_the_best_single_action_is_that_of_highest_balanced_accuracy() -> None:
    assert figures.best_single_action(answers(), CROP_ACTIONS) == "mask"
    assert figures.best_single_action(answers(), ("leave", "blur")) == "leave"
    assert figures.best_single_action(answers(), ("blur", "jpeg")) == "blur"


def test_the_gain_is_the_difference_of_balanced_accuracy() -> None:
    """Left alone 1 of 8 fakes is caught without an alarm; masked all 8, with 3 alarms of 8."""
    found = figures.compared(crops(), answers(), np.full(16, MASK), "leave")
    assert found.points.value == pytest.approx((7 / 8 - 3 / 8) / 2)
    assert found.points.low < found.points.value < found.points.high
    assert found.sources == 4
    assert not found.beaten  # four videos prove nothing: at best p is 2 of 16


def test_a_policy_that_does_as_the_best_single_action_gains_nothing() -> None:
    found = figures.compared(crops(), answers(), np.full(16, MASK), "mask")
    assert (found.points, found.p_value) == (Estimate(0, 0, 0), 1)
    assert not found.beaten


def test_a_gain_over_many_videos_is_one_and_a_loss_is_none() -> None:
    count = 30
    many = PolicyCrops(
        pictures=np.zeros((2 * count, 1, 1, 3), np.uint8),
        fake=np.tile([False, True], count),
        attacked=np.zeros(2 * count, np.bool_),
        source=np.repeat(np.arange(count).astype(str), 2),
    )
    logits = np.full((2 * count, 6), -1, np.float32)
    logits[:, MASK] = np.where(many.fake, 1, -1)
    said = Answers(logits, 0.0, many.fake)
    masking, leaving = np.full(2 * count, MASK), np.full(2 * count, LEAVE)
    assert figures.compared(many, said, masking, "leave").beaten
    assert not figures.compared(many, said, leaving, "mask").beaten


def test_the_sentence_says_plainly_whether_the_best_single_action_is_beaten() -> None:
    better = figures.Gain(Estimate(0.031, 0.012, 0.05), 0.0004, 120)
    worse = figures.Gain(Estimate(-0.004, -0.012, 0.005), 0.41, 120)
    assert figures.sentence(CARD, "mask", better, "all") == (
        "policy_mask_resnet50 beats the best single action, which is always to mask (chosen on "
        "val): balanced accuracy +3.1 points (+1.2 to +5.0; p = 0.0004, paired over 120 source "
        "videos) on all."
    )
    said = figures.sentence(CARD, "leave", worse, "all")
    assert "does not beat the best single action, which is always to leave" in said
    assert "\u22120.4 points (\u22121.2 to +0.5; p = 0.41" in said


def test_a_random_choice_is_even_among_the_actions_and_repeats() -> None:
    drawn = figures.at_random(("leave", "shift"), 4000, seed=0)
    assert set(drawn) == {LEAVE, CROP_ACTIONS.index("shift")}
    assert (drawn == LEAVE).mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(drawn, figures.at_random(("leave", "shift"), 4000, seed=0))


def test_how_often_each_action_was_chosen_is_said() -> None:
    choices = np.where(crops().attacked, MASK, LEAVE)
    choices[0] = MASK
    assert figures.shares(CARD, choices, crops().attacked) == (
        "policy_mask_resnet50 chose: of the clean crops leave 88 %, mask 12 %; of the attacked "
        "crops leave 0 %, mask 100 %."
    )


def test_the_table_has_every_way_to_choose_on_clean_and_attacked_crops() -> None:
    ways = {"always leave": np.full(16, LEAVE), "always mask": np.full(16, MASK)}
    table = figures.policies_table(crops(), answers(), ways, "made up", ("A note.",))
    assert [row[:2] for row in table.rows] == [
        (way, word) for way in ways for word in ("clean", "attacked")
    ]
    lines = comma_separated(table).splitlines()
    assert lines[0].startswith("Which action,Crops,TPR,TPR low,TPR high,FPR,")
    assert lines[4].startswith("always mask,attacked,1.0,1.0,1.0,0.5,")


def test_the_cards_figures_are_per_cent_of_both_conditions_and_the_gain() -> None:
    found = figures.card_figures(crops(), answers(), np.full(16, MASK), "leave", "made up")
    assert len(found) == 11
    by_name = {(figure.name, figure.condition): figure for figure in found}
    assert by_name["TPR", "clean"].value == 100
    assert by_name["balanced accuracy", "attacked"].value == 75
    assert by_name["balanced accuracy", "attacked"].of == "made up, 8 crops"
    gained = by_name["balanced accuracy gained over always leave", "clean and attacked"]
    assert gained.value == 25
    assert gained.of == "made up, 16 crops"
