"""Beside the verdicts: a line a crop about a round trip, and which scores deserve less trust."""

import dataclasses
import math

import numpy as np
import pytest

from demo.core.analysis import FaceResult
from demo.core.faces import Face
from demo.core.quality import Quality
from demo.core.round_trip_detection import RoundTripOpinion, RoundTripVerdict
from demo.ui.round_trip_wording import round_trips


def verdict(probability: float) -> RoundTripVerdict:
    opinion = RoundTripOpinion(probability, 0.6, 2.5)
    return RoundTripVerdict(opinion, opinion)


@pytest.fixture
def result() -> FaceResult:
    crop = np.zeros((40, 40, 3), np.uint8)
    face = Face((10, 10, 50, 50), 0.99, (), "mtcnn")
    quality = Quality(1.0, math.inf, 0.0, 0)
    return FaceResult(face, face.box, crop, crop, quality, (), verdict(0.12), verdict(0.98))


def test_each_crop_has_its_line_and_the_attacked_one_loses_trust(result: FaceResult) -> None:
    text = round_trips(result)
    assert "<dt>Clean crop</dt><dd>not seen (12 %)</dd>" in text
    assert "<dt>Attacked crop</dt><dd>seen (98 %), K about 2.5</dd>" in text
    assert "The scores of the attacked crop deserve less trust." in text


def test_only_a_line_that_fired_stands_out(result: FaceResult) -> None:
    text = round_trips(result)
    assert text.count('class="seen"') == 1
    assert text.index('class="unseen"') < text.index('class="seen"')
    quiet = dataclasses.replace(result, attacked_round_trip=verdict(0.2))
    assert 'class="seen"' not in round_trips(quiet)
    assert "trust" not in round_trips(quiet)


def test_nothing_is_shown_where_nothing_can_be_said(result: FaceResult) -> None:
    unknown = dataclasses.replace(result, clean_round_trip=None, attacked_round_trip=None)
    assert round_trips(unknown) == ""
