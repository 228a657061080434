"""The list of a frame's faces: true to the analysis, pixel by pixel, and a way to each face."""

import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from demo.core.analysis import Analysis, FaceResult, Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from demo.core.images import Picture, read_picture
from demo.ui.faces_list import SIDE, chosen, faces_list
from demo.ui.first_look import FirstLook
from demo.ui.handlers import Handlers
from demo.ui.keeping import Keeping
from demo.ui.running import Runs
from demo.views import enlarge_pixels, shrunk
from models.zoo import Zoo
from tests.ui.test_handlers import Visitor, last
from tests.ui.test_studio import embedded

SKIPPED = gr.skip()


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="module")
def couple(astronaut: Picture) -> Picture:
    """Two faces whose crops are larger and smaller than what the list has room for."""
    canvas = np.full((512, 800, 3), 90, np.uint8)
    canvas[:, :512] = np.repeat(np.repeat(astronaut[0:256, 100:356], 2, axis=0), 2, axis=1)
    canvas[100:356, 530:786] = astronaut[0:256, 100:356]
    return canvas


@pytest.fixture(scope="module")
def together(couple: Picture, toolbox: Toolbox) -> Analysis:
    analysis = analyse(couple, Settings(scope="faces", method="bicubic"), toolbox)
    assert len(analysis.results) == 2
    return analysis


@pytest.fixture
def handlers(toolbox: Toolbox, astronaut: Picture, tmp_path: Path) -> Handlers:
    return Handlers(toolbox, Keeping(tmp_path), Runs(), FirstLook(astronaut, toolbox))


def entries(html: str) -> list[str]:
    return re.findall(r"<li.*?</li>", html)


def event(**data: object) -> gr.EventData:
    return gr.EventData(None, data)


def test_every_face_is_listed_with_its_own_numbers(together: Analysis) -> None:
    items = entries(faces_list(together, together.chosen))
    assert len(items) == 2
    for number, (item, result) in enumerate(zip(items, together.results, strict=True), 1):
        assert f"<h3>Face {number}</h3>" in item
        assert f"SSIM {result.quality.ssim:.4f}" in item
        for score in result.scores:
            assert f"{score.clean:.3f} → {score.attacked:.3f}" in item
        assert item.count("Flipped: ") == sum(score.flipped for score in result.scores)
        assert item.count("Unchanged: ") == sum(not score.flipped for score in result.scores)


def test_a_flip_is_told_in_words_and_counted(together: Analysis) -> None:
    def flip(result: FaceResult) -> FaceResult:
        first = replace(result.scores[0], clean=0.9, attacked=0.1, threshold=0.5)
        others = (replace(s, clean=0.1, attacked=0.1) for s in result.scores[1:])
        return replace(result, scores=(first, *others))

    flipped = replace(together, results=tuple(flip(result) for result in together.results))
    html = faces_list(flipped, flipped.chosen)
    assert "2 faces: 2 of 6 verdicts flipped" in html
    assert all("Flipped: fake → real" in item for item in entries(html))


def test_clean_lies_beside_attacked_in_whole_pixels_or_is_said_to_be_shrunk(
    together: Analysis,
) -> None:
    html = faces_list(together, together.chosen)
    large, small = together.results
    assert max(large.clean.shape) > SIDE > max(small.clean.shape)
    pictures = list(embedded(html))
    expected = [
        shrunk(large.clean, SIDE),
        shrunk(large.attacked, SIDE),
        small.clean,
        small.attacked,
    ]
    for picture, wanted in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(picture, wanted)
    first, second = entries(html)
    assert f"shrunk here to {SIDE} px" in first
    assert "drawn pixel by pixel" in second


def test_a_small_crop_is_enlarged_by_a_whole_factor_and_says_so(together: Analysis) -> None:
    def tiny(result: FaceResult) -> FaceResult:
        return replace(result, clean=result.clean[:30, :30], attacked=result.attacked[:30, :30])

    small = replace(together, results=tuple(tiny(result) for result in together.results))
    html = faces_list(small, small.chosen)
    np.testing.assert_array_equal(
        next(embedded(html)), enlarge_pixels(small.results[0].clean, SIDE // 30)
    )
    assert "every pixel drawn 5 × 5" in html


def test_the_face_on_show_is_marked_and_the_others_have_a_button(together: Analysis) -> None:
    turned = replace(together, settings=replace(together.settings, face=1))
    first, second = entries(faces_list(turned, turned.chosen))
    assert '<button type="button" data-face="0"' in first
    assert "<button" not in second
    assert "aria-current" in second
    assert 'href="#verdict" data-face="1"' in second


def test_overlapping_crops_are_said_to_share_pixels(together: Analysis) -> None:
    assert "overlap" not in faces_list(together, together.chosen)
    first, second = together.results
    close = replace(together, results=(first, replace(second, box=first.box)))
    assert "Some crops overlap" in faces_list(close, close.chosen)
    frame = replace(close, settings=replace(close.settings, scope="frame"))
    assert "overlap" not in faces_list(frame, frame.chosen)


def test_one_of_several_faces_says_how_to_get_them_all(
    couple: Picture, astronaut: Picture, toolbox: Toolbox
) -> None:
    def listed(picture: Picture, settings: Settings) -> str:
        analysis = analyse(picture, settings, toolbox)
        return faces_list(analysis, analysis.chosen)

    one = listed(couple, Settings(method="bicubic"))
    assert "2 faces were found" in one
    assert '<button type="button" data-scope="faces">' in one
    assert listed(astronaut, Settings(method="bicubic")) == ""
    assert listed(couple, Settings(method="bicubic", box=(0, 0, 99, 99))) == ""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"face": "1"}, (SKIPPED, "1")),
        ({"scope": "faces"}, ("faces", SKIPPED)),
        ({"face": "box"}, (SKIPPED, SKIPPED)),
        ({"face": 1}, (SKIPPED, SKIPPED)),
        ({"scope": "all"}, (SKIPPED, SKIPPED)),
        ({}, (SKIPPED, SKIPPED)),
    ],
)
def test_a_button_sets_the_face_or_the_scope_and_nothing_else(
    data: dict[str, object], expected: tuple[object, object]
) -> None:
    assert chosen(event(**data)) == expected


def test_another_face_of_the_same_analysis_is_shown_without_a_new_one(
    handlers: Handlers, couple: Picture, together: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.ui.handlers.analyse", None)
    settings = (2.0, "bicubic", "area", "faces", "1", None, None, None, None)
    panel = last(handlers.again(couple, *settings, Visitor(), together))
    second = together.results[1]
    assert np.array_equal(read_picture(Path(panel.comparison[1])), second.attacked)
    assert "face 2 of 2" in panel.verdict
    assert f"{second.quality.ssim:.4f}" in panel.quality
    assert panel.study.settings == replace(together.settings, face=1)


@pytest.mark.parametrize("change", ["picture", "k", "scope", "face"])
def test_anything_else_that_changes_is_analysed_anew(
    change: str, handlers: Handlers, couple: Picture, together: Analysis
) -> None:
    picture = np.ascontiguousarray(couple[:, ::-1]) if change == "picture" else couple
    k = 4.0 if change == "k" else 2.0
    scope = "face" if change == "scope" else "faces"
    face = "2" if change == "face" else "1"
    settings = (k, "bicubic", "area", scope, face, None, None, None, None)
    panel = last(handlers.again(picture, *settings, Visitor(), together))
    if change == "face":
        assert "Face 3 was asked for" in panel.problem
        return
    wanted = Settings(k=k, method="bicubic", scope=scope, face=1)
    analysis = analyse(picture, wanted, handlers.toolbox)
    assert np.array_equal(read_picture(Path(panel.comparison[1])), analysis.chosen.attacked)
    assert (panel.together is None) == (change == "scope")
