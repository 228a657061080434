"""The page's words are true to the numbers, and hold no markup that somebody else wrote."""

import math
from dataclasses import replace

import numpy as np
import pytest

from demo.core.analysis import Analysis, FaceResult, Settings
from demo.core.faces import Face
from demo.core.quality import Quality
from demo.core.scoring import DetectorScore
from demo.ui import wording
from demo.ui.stepping import Step
from models.cards import DetectorCard, WeightsFile
from tests.made_models import detector_card


def score(clean: float, attacked: float, title: str = "ResNet50") -> DetectorScore:
    return DetectorScore("resnet50", title, clean, attacked, 0.0, 0.0, 0.5)


def result(*scores: DetectorScore) -> FaceResult:
    crop = np.zeros((30, 20, 3), np.uint8)
    face = Face((10, 10, 30, 40), 0.99, (), "mtcnn")
    return FaceResult(face, (10, 10, 30, 40), crop, crop, Quality(1.0, math.inf, 0.0, 0), scores)


def analysis(shown: FaceResult, settings: Settings) -> Analysis:
    picture = np.zeros((60, 60, 3), np.uint8)
    return Analysis(picture, picture, (shown.face,), (shown,), settings, "cpu", (), (), ())


@pytest.fixture
def card() -> DetectorCard:
    return detector_card("resnet50", WeightsFile("a.safetensors", "0" * 64, 1, "float32"))


def test_a_flip_is_named_with_both_verdicts() -> None:
    shown = result(score(0.9, 0.1), score(0.2, 0.3, "Swin-Small"))
    text = wording.verdict(analysis(shown, Settings(k=3.0)), shown)
    assert "1 of 2 verdicts flipped" in text
    assert "fake → real" in text
    assert "Swin-Small: real, unchanged" in text
    assert "K = 3," in text


def test_no_flip_is_said_to_be_none() -> None:
    shown = result(score(0.9, 0.8))
    assert "No verdict flipped" in wording.verdict(analysis(shown, Settings()), shown)


def test_a_probability_at_the_threshold_counts_as_fake_everywhere() -> None:
    card = wording.detectors([score(0.5, 0.4999)])
    assert "Flipped: fake → real" in card


def test_a_card_tells_both_probabilities_the_change_and_the_threshold() -> None:
    card = wording.detectors([score(0.9124, 0.1)])
    for words in ("0.912", "0.100", "Threshold 0.500", "\N{MINUS SIGN}0.812"):
        assert words in card


def test_identical_crops_have_no_finite_psnr() -> None:
    assert "∞" in wording.quality(result(score(0.1, 0.1)))


def test_the_size_of_the_crop_is_width_by_height() -> None:
    assert "20 × 30" in wording.quality(result())


def test_titles_and_sentences_cannot_carry_markup(card: DetectorCard) -> None:
    wicked = "<img src=x onerror=alert(1)>"
    shown = result(score(0.9, 0.1, wicked))
    texts = (
        wording.verdict(analysis(shown, Settings()), shown),
        wording.detectors(shown.scores),
        wording.problem(wicked),
        wording.progress(Step(wicked, 0.5)),
        wording.heading(wicked),
        wording.honesty([replace(card, title=wicked, note=wicked)]),
    )
    assert all("<img" not in text for text in texts)


def test_the_honesty_shows_data_error_and_limits(card: DetectorCard) -> None:
    text = wording.honesty([card])
    for words in ("Trained on: none", "AUC 0.5 (0.45 to 0.55)", "no proof", card.note):
        assert words in text


def test_without_cards_the_limits_still_stand() -> None:
    assert "no proof" in wording.honesty([])


def test_the_hint_says_what_a_click_does() -> None:
    assert "opposite corner" in wording.hint(0, "box", corner=True)
    assert "two opposite corners" in wording.hint(2, "box")
    assert "2 faces found" in wording.hint(2, "0")
    assert "Whole picture" in wording.hint(0, None)


def test_the_heading_says_where_it_runs_and_whether_exactly() -> None:
    assert "<strong>CPU</strong></p>" in wording.heading("cpu")
    assert "bfloat16, the fast mode: scores differ" in wording.heading("cpu", "bfloat16")
