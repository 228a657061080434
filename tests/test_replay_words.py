"""What came of a repeated analysis, in words: every kind of number, and no number lost."""

import pytest

from demo.core.replay import Difference, Reason, Replay, Value
from demo.replay_words import Row, explanation, headline, reason, row

SSIM = Difference("face 1", "", "ssim", 0.9, 0.8125)
TORCH = Reason("version", "torch", "2.15.0", "2.16.0")


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (SSIM, Row("Face 1, SSIM", "0.9", "0.8125", "−0.0875")),
        (
            Difference("hand", "xception", "attacked", 0.1 + 0.2, 0.3),
            Row(
                "Face marked by hand, xception, fake probability after",
                "0.30000000000000004",
                "0.3",
                "−5.55e-17",
            ),
        ),
        (
            Difference("whole", "", "psnr_db", None, 30.5),
            Row("Whole picture, PSNR", "∞", "30.5", "–"),
        ),
        (
            Difference("face 2", "", "crop_box", (1, 2, 3, 4), (1, 2, 3, 9)),
            Row("Face 2, box of the crop", "1, 2, 3, 4", "1, 2, 3, 9", "+5 px"),
        ),
        (
            Difference("face 1", "", "landmarks", (40.5, 50.0), (40.5, 49.9)),
            Row("Face 1, landmarks", "40.5, 50.0", "40.5, 49.9", "−0.1 px"),
        ),
        (
            Difference("face 1", "mine", "clean_fake", True, False),
            Row("Face 1, mine, verdict before", "fake", "real", "–"),
        ),
        (
            Difference("face 1", "mine", "flipped", True, False),
            Row("Face 1, mine, verdict flipped", "yes", "no", "–"),
        ),
        (
            Difference("attacked", "", "sha256", "a" * 64, "b" * 64),
            Row("Attacked picture, SHA-256", "aaaaaaaaaaaa…", "bbbbbbbbbbbb…", "–"),
        ),
        (
            Difference("picture", "", "faces", 1, 3),
            Row("Picture, faces found", "1", "3", "+2"),
        ),
    ],
)
def test_a_difference_has_its_name_both_values_to_the_last_digit_and_the_change(
    difference: Difference, expected: Row
) -> None:
    assert row(difference) == expected


@pytest.mark.parametrize("value", ["a\x1b[31m", "x" * 500])
def test_a_text_of_the_record_is_made_fit_for_a_terminal(value: Value) -> None:
    shown = row(Difference("face 1", "", "source", value, "mtcnn")).recorded
    assert shown.isprintable()
    assert len(shown) <= 81


def test_a_reason_names_what_is_not_the_same() -> None:
    assert reason(TORCH) == Row("Version of torch", "2.15.0", "2.16.0", "")
    model = Reason("model", "resnet50", "a" * 64, None)
    assert reason(model) == Row("Weights of resnet50, SHA-256", "aaaaaaaaaaaa…", "–", "")
    assert reason(Reason("device", "device", "cuda", "cpu")) == Row("Device", "cuda", "cpu", "")


def test_the_headline_says_whether_everything_is_the_same() -> None:
    assert headline(Replay(36, (), ())).startswith("The same to the last digit: all 36 ")
    assert headline(Replay(36, (SSIM,), ())).startswith("1 difference from the record")
    assert headline(Replay(36, (SSIM, SSIM), ())).startswith("2 differences from the record")


def test_the_explanation_fits_what_was_found() -> None:
    assert explanation(Replay(36, (), ())) == ""
    assert "although" in explanation(Replay(36, (), (TORCH,)))
    assert "may be the reason" in explanation(Replay(36, (SSIM,), (TORCH,)))
    assert "are the same as in the record" in explanation(Replay(36, (SSIM,), ()))
