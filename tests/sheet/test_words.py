"""What a figure sheet says is what was measured, and how to make it again."""

import math
from dataclasses import replace

import pytest

from demo.core.analysis import Analysis, Settings
from demo.sheet.settings import PictureShown, SheetSettings
from demo.sheet.words import Magnified, caption, command
from tests.sheet.made_sheets import made_picture

MAGNIFIED = Magnified(panel=5, zoom=9, window=23)


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return made_picture("astronaut.png", (2,)).analyses[0]


def told(analysis: Analysis, settings: SheetSettings | None = None) -> str:
    shown = [PictureShown("astronaut.png", (analysis,))]
    return " ".join(caption(shown, settings or SheetSettings(), MAGNIFIED))


def test_the_caption_holds_every_number_and_where_it_came_from(analysis: Analysis) -> None:
    said, quality = told(analysis), analysis.chosen.quality
    for expected in (
        "astronaut.png (SHA-256 of its pixels 3387e1b4a3ef)",
        "face 1 of 1, crop of 93×93 px at (178, 78), shrunk by area.",
        f"K = 2, edsr: SSIM {quality.ssim:.4f}, PSNR {quality.psnr_db:.2f} dB",
        "Swin-Small 0.300 → 0.320 (real, unchanged)",
        "amplified ×8 in every panel",
        "23×23 px in the middle of the crop",
        "edsr_x2 222222222222, resnet50 aaaaaaaaaaaa",
        "super-resolution-robustness 0, on cpu",
        "no original photograph",
    ):
        assert expected in said


def test_the_caption_explains_only_the_rows_that_are_there(analysis: Analysis) -> None:
    said = told(analysis, SheetSettings(rows=("after",)))
    assert "5×5" in said
    for absent in ("Difference:", "Zoom:", "Scores:"):
        assert absent not in said
    assert "5×5" not in told(analysis, SheetSettings(rows=("scores",)))


def test_a_flip_is_told_in_words(analysis: Analysis) -> None:
    first = replace(analysis.chosen.scores[0], clean=0.9, attacked=0.1)
    result = replace(analysis.chosen, scores=(first,))
    said = told(replace(analysis, results=(result,)))
    assert "ResNet50 0.900 → 0.100 (fake → real, flipped)" in said


def test_identical_crops_and_absent_detectors_are_said(analysis: Analysis) -> None:
    quality = replace(analysis.chosen.quality, psnr_db=math.inf)
    result = replace(analysis.chosen, quality=quality, scores=())
    said = told(replace(analysis, results=(result,), problems=("Swin-Small is refused.",)))
    assert "PSNR ∞ dB." in said
    assert said.count("Swin-Small is refused.") == 1


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(face=1), "--face 2"),
        (Settings(scope="frame"), "--scope frame"),
        (Settings(whole=True), "--whole"),
        (Settings(box=(1, 2.5, 60, 70)), "--box 1 2.5 60 70"),
        (Settings(kernel="bicubic"), "--kernel bicubic"),
    ],
)
def test_the_command_says_every_setting(
    settings: Settings, expected: str, analysis: Analysis
) -> None:
    shown = [PictureShown("my face.png", (replace(analysis, settings=settings),))]
    said = " ".join(command(shown, SheetSettings(gain=4, window=9, at=(1.5, 2)), "o.png", ()))
    assert said.startswith("python -m demo sheet 'my face.png' --k 2 --method edsr --kernel ")
    assert f" {expected} " in said
    assert said.endswith("--width 175 --gain 4 --window 9 --at 1.5 2 -o o.png")
