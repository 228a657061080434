"""The studio: its charts, tables and pictures say what the core found, about this picture only."""

import base64
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from demo.core.analysis import Settings, Toolbox, analyse, asked_crops
from demo.core.attention import attend
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.core.spectrum import compare_spectra
from demo.core.sweep_rows import rows
from demo.map_views import change_bar, change_over, heat_bar, heat_over
from demo.ui.keeping import Keeping
from demo.ui.panel import Study, finished
from demo.ui.running import Runs
from demo.ui.studio_handlers import CHANGED, INVITATION, NOTHING, Kept, StudioHandlers
from demo.ui.studio_tab import LOOK, SPECTRUM, SWEEP
from demo.ui.study_pictures import BAR_HEIGHT, BAR_WIDTH, spectra_shown
from demo.ui.sweep_chart import point_words, sweep_chart
from models.card_files import read_detector_card
from models.detectors import build_detector
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.made_models import ModelFolders
from tests.ui.test_handlers import Visitor

SKIPPED = gr.skip()


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture(scope="module")
def study(toolbox: Toolbox, astronaut: Picture, tmp_path_factory: pytest.TempPathFactory) -> Study:
    keeping = Keeping(tmp_path_factory.mktemp("kept"))
    panel = finished(analyse(astronaut, Settings(), toolbox), keeping, toolbox.zoo)
    assert isinstance(panel.study, Study)
    return panel.study


@pytest.fixture(scope="module")
def swept_once(toolbox: Toolbox, astronaut: Picture, study: Study) -> tuple[list[Any], Kept]:
    """Everything that a run yields, and the sweep that it leaves."""
    run = StudioHandlers(toolbox, Runs()).run(astronaut, study, None, Visitor())
    yielded = list(run)
    return yielded, yielded[-1][1]


@pytest.fixture
def handlers(toolbox: Toolbox) -> StudioHandlers:
    return StudioHandlers(toolbox, Runs())


def embedded(html: str) -> Iterator[Picture]:
    for encoded in re.findall(r'src="data:image/png;base64,([^"]+)"', html):
        yield np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_a_run_shows_progress_and_then_the_sweep_of_this_face(
    swept_once: tuple[list[Any], Kept], toolbox: Toolbox, astronaut: Picture, study: Study
) -> None:
    yielded, kept = swept_once
    assert all("<progress" in html for html, _ in yielded[:-1])
    point = next(p for p in kept.sweep.points if (p.method, p.k) == ("edsr", 2.0))
    assert point.scores == analyse(astronaut, Settings(), toolbox).results[0].scores
    assert yielded[-1][0] == sweep_chart(kept.sweep)
    assert (kept.digest, kept.settings.face) == (study.digest, 0)


def test_chart_and_table_tell_every_point_of_the_same_rows(
    swept_once: tuple[list[Any], Kept],
) -> None:
    made = swept_once[1].sweep
    html = sweep_chart(made)
    for row in rows(made):
        assert point_words(row) in html
        assert f"{row.probability:.3f}" in point_words(row)
        assert (", flipped" in point_words(row)) == row.flipped
    flips = sum(row.flipped for row in rows(made))
    assert html.count('class="mark flip" data-k') == flips
    assert html.count("<strong>flipped</strong>") == flips
    assert html.count('<button type="button" data-k') == 18
    assert html.count("<svg") == html.count("</svg>")


def test_a_name_from_outside_is_escaped(swept_once: tuple[list[Any], Kept]) -> None:
    made = swept_once[1].sweep
    evil = tuple(
        replace(point, scores=tuple(replace(s, title="<b>&\"'") for s in point.scores))
        for point in made.points
    )
    assert "<b>&" not in sweep_chart(replace(made, points=evil, problems=("<b>&",)))


def test_the_same_face_is_not_swept_twice(
    swept_once: tuple[list[Any], Kept], handlers: StudioHandlers, astronaut: Picture, study: Study
) -> None:
    other = replace(study, settings=replace(study.settings, k=4.0, method="lanczos"))
    assert list(handlers.run(astronaut, other, swept_once[1], Visitor())) == [(SKIPPED, SKIPPED)]
    chart, _, _ = handlers.show(SWEEP, other, swept_once[1])
    assert chart == sweep_chart(swept_once[1].sweep)


def test_a_sweep_of_another_picture_or_face_is_never_shown(
    swept_once: tuple[list[Any], Kept], handlers: StudioHandlers, study: Study
) -> None:
    for other in (
        replace(study, digest="0" * 64),
        replace(study, settings=replace(study.settings, kernel="bicubic")),
        replace(study, settings=replace(study.settings, face=1)),
        None,
    ):
        assert handlers.show(SWEEP, other, swept_once[1])[0] == INVITATION


def test_without_a_result_or_with_another_picture_a_run_says_so(
    handlers: StudioHandlers, astronaut: Picture, study: Study
) -> None:
    assert list(handlers.run(astronaut, None, None, Visitor())) == [(NOTHING, SKIPPED)]
    assert list(handlers.run(None, study, None, Visitor())) == [(NOTHING, SKIPPED)]
    mirrored = np.ascontiguousarray(astronaut[:, ::-1])
    assert list(handlers.run(mirrored, study, None, Visitor())) == [(CHANGED, SKIPPED)]


def test_leaving_or_stopping_ends_a_sweep(
    handlers: StudioHandlers, astronaut: Picture, study: Study
) -> None:
    run = handlers.run(astronaut, study, None, Visitor())
    next(run)
    run.close()
    assert len(handlers.runs) == 0
    run = handlers.run(astronaut, study, None, Visitor())
    next(run)
    handlers.halt(Visitor())
    assert list(run)[-1] == (INVITATION, SKIPPED)


def test_only_the_open_view_is_computed(handlers: StudioHandlers, study: Study) -> None:
    assert handlers.show(SWEEP, study, None)[1:] == (SKIPPED, SKIPPED)
    assert handlers.show(SPECTRUM, study, None)[1] == SKIPPED
    assert handlers.show(LOOK, None, None) == (INVITATION, NOTHING, NOTHING)


def test_the_looks_shown_are_those_of_the_detectors_on_their_own_crops(
    handlers: StudioHandlers, toolbox: Toolbox, study: Study
) -> None:
    html = handlers.show(LOOK, study, None)[1]
    pictures = list(embedded(html))
    assert html.count('class="pixels"') == 3 * len(study.asked) == 9
    first = study.asked[0]
    found = attend(toolbox.zoo.detector(first.detector), first.clean, first.attacked)
    assert (pictures[0] == heat_over(first.clean, found.clean)).all()
    assert (pictures[2] == change_over(first.clean, found.difference)).all()
    assert found.title in html
    assert (pictures[3] == heat_bar(BAR_WIDTH, BAR_HEIGHT)).all()
    assert (pictures[4] == change_bar(BAR_WIDTH, BAR_HEIGHT)).all()
    assert f"> +{found.peak:.3g}</span><span>Change: −{found.peak:.3g} <" in html


def test_each_detector_is_shown_the_crop_that_it_was_asked_about(
    toolbox: Toolbox, astronaut: Picture, study: Study
) -> None:
    analysis = analyse(astronaut, Settings(), toolbox)
    asked = asked_crops(analysis, analysis.results[0], toolbox.zoo)
    assert [one.detector for one in asked] == [s.detector for s in analysis.results[0].scores]
    for one, kept in zip(asked, study.asked, strict=True):
        assert (one.clean == kept.clean).all() and (one.attacked == kept.attacked).all()
    assert (asked[0].clean == analysis.results[0].clean).all()


def test_the_spectrum_marks_the_cutoff_and_a_crop_without_change_shows_none(study: Study) -> None:
    html = spectra_shown(compare_spectra(study.clean, study.attacked, 2.0))
    assert "1/(2K) = 0.250 cycles per pixel" in html
    levels = [int(tick) for tick in re.findall(r'"end">([^<]+)<', html)]
    assert len(levels) > 1 and all(level % 10 == 0 for level in levels)
    same = spectra_shown(compare_spectra(study.clean, study.clean, 2.0))
    assert "+0.0 dB; above it: +0.0 dB" in same
    change = list(embedded(same))[2]
    assert (change == change[0, 0]).all()


def test_a_crop_too_small_for_a_spectrum_gets_a_sentence(
    handlers: StudioHandlers, study: Study
) -> None:
    tiny = replace(study, clean=study.clean[:4, :4], attacked=study.attacked[:4, :4])
    assert "at least 8 pixels" in handlers.show(SPECTRUM, tiny, None)[2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"k": 3, "method": "lanczos"}, (3, "lanczos")),
        ({"k": "3", "method": "edsr"}, (SKIPPED, SKIPPED)),
        ({"k": 3, "method": "magic"}, (SKIPPED, SKIPPED)),
        ({}, (SKIPPED, SKIPPED)),
    ],
)
def test_a_click_sets_k_and_method_of_a_point_and_nothing_else(
    handlers: StudioHandlers, data: dict[str, object], expected: tuple[object, object]
) -> None:
    assert handlers.set_to(gr.EventData(None, data)) == expected


def test_a_detector_without_a_known_last_feature_map_has_a_sentence(
    random_models: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    card = replace(
        read_detector_card(random_models.cards / "resnet50.json"),
        name="mine",
        architecture="small",
        input_size=256,
    )
    own = LoadedDetector(card, build_detector("small").requires_grad_(False))
    zoo = Zoo("cpu", folder=random_models.weights, cards=random_models.cards, added=[own])
    with_own = Toolbox(zoo, FaceDetector())
    study = finished(analyse(astronaut, Settings(), with_own), Keeping(tmp_path), zoo).study
    assert isinstance(study, Study)
    html = StudioHandlers(with_own, Runs()).show(LOOK, study, None)[1]
    assert html.count("mine: no map") == 1
    assert html.count("<section") == len(study.asked) - 1


def test_in_the_fast_mode_the_looks_are_those_of_the_exact_networks(
    handlers: StudioHandlers, toolbox: Toolbox, study: Study
) -> None:
    fast = StudioHandlers(Toolbox(toolbox.zoo.in_bfloat16(), toolbox.faces), Runs())
    assert fast.show(LOOK, study, None)[1] == handlers.show(LOOK, study, None)[1]
