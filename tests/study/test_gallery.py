"""Fakes that were missed: chosen by their fall, attacked again, marked, the same twice."""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from demo.core.analysis import analyse
from demo.core.errors import SettingsError
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from demo.study.gallery import FOLDER, choose, read_gallery, write_gallery
from demo.study.measuring import CLEAN
from demo.study.report import write_report
from demo.study.results import Results
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet

PLAN = Plan(("bicubic",), (2.0, 4.0), "area", 3)


@pytest.fixture(scope="module")
def few_faces(small_set: DataSet) -> DataSet:
    """Two pristine crops and three fakes."""
    return replace(small_set, samples=(*small_set.samples[:2], *small_set.samples[10:13]))


@pytest.fixture(scope="module")
def study(
    few_faces: DataSet, study_toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished study whose first two fakes a detector caught clean and missed attacked."""
    out = tmp_path_factory.mktemp("study")
    run_study(few_faces, PLAN, study_toolbox, out, lambda done, total: None)
    scores = pd.read_parquet(out / "scores.parquet")
    for number, fall in ((0, 2.0), (1, 4.0)):
        own = (scores["sample"] == f"fake/fake {number}.png") & (scores["detector"] == "xception")
        clean = scores["method"] == CLEAN
        odds = np.log(scores["threshold"] / (1 - scores["threshold"]))
        scores.loc[own & clean, "logit"] = odds + 1
        scores.loc[own & ~clean, "logit"] = odds + 1 - fall
    named = scores["sample"].isin(["fake/fake 0.png", "fake/fake 1.png"])
    others = (scores["detector"] != "xception") | ~named
    scores.loc[others, "logit"] = -9.0
    scores.to_parquet(out / "scores.parquet")
    return out


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / FOLDER).iterdir())}


def test_the_furthest_fall_comes_first_and_a_handful_is_kept(study: Path) -> None:
    results = Results(pd.read_parquet(study / "scores.parquet"))
    chosen = choose(results, "xception", "bicubic", 2.0, 4)
    assert [one.sample for one in chosen] == ["fake/fake 1.png", "fake/fake 0.png"]
    assert choose(results, "xception", "bicubic", 2.0, 1) == chosen[:1]
    assert choose(results, "resnet50", "bicubic", 2.0, 4) == ()
    for one in chosen:
        assert one.attacked < one.threshold <= one.clean


def test_faces_are_those_that_were_measured_and_attacked_ones_are_marked(
    study: Path, few_faces: DataSet, study_toolbox: Toolbox
) -> None:
    write_gallery(study, few_faces, PLAN.round_trips(True), study_toolbox, 1)
    (one,) = read_gallery(study)
    assert (one.sample, one.k) == ("fake/fake 1.png", 2.0), "the paper's K alone"
    sample = next(sample for sample in few_faces.samples if sample.name == one.sample)
    (result,) = analyse(
        few_faces.read(sample), Settings(method="bicubic", whole=True), study_toolbox
    ).results
    with Image.open(study / FOLDER / f"{one.name}-attacked.png") as attacked:
        assert np.array_equal(np.array(attacked), result.attacked)
        assert "not an original photograph" in attacked.info["Description"]
    with Image.open(study / FOLDER / f"{one.name}-clean.png") as clean:
        assert np.array_equal(np.array(clean), result.clean)


def test_the_report_shows_the_pictures_that_are_there(
    study: Path, few_faces: DataSet, study_toolbox: Toolbox
) -> None:
    trips = PLAN.round_trips(True)
    write_gallery(study, few_faces, trips, study_toolbox, 2)
    first = kept(study)
    write_gallery(study, few_faces, trips, study_toolbox, 2)
    assert kept(study) == first
    write_report(study)
    page = (study / "report.html").read_text(encoding="utf-8")
    pictures = [content for name, content in first.items() if name.endswith(".png")]
    assert len(pictures) == 4
    for content in pictures:
        assert b64encode(content).decode() in page
    (study / FOLDER / "bicubic-k2-xception-1-clean.png").unlink()
    assert len(read_gallery(study)) == 1
    write_gallery(study, few_faces, trips, study_toolbox, 0)
    assert not (study / FOLDER).exists()
    write_report(study)
    assert "data:image" not in (study / "report.html").read_text(encoding="utf-8")


def test_a_picture_that_has_changed_is_refused(
    study: Path, few_faces: DataSet, study_toolbox: Toolbox
) -> None:
    other = replace(few_faces, read=lambda one: np.zeros((48, 48, 3), np.uint8))
    with pytest.raises(SettingsError, match="but it has changed"):
        write_gallery(study, other, PLAN.round_trips(True), study_toolbox, 1)
    assert not (study / FOLDER / "gallery.json").exists()


def test_a_negative_number_is_refused(
    study: Path, few_faces: DataSet, study_toolbox: Toolbox
) -> None:
    with pytest.raises(SettingsError, match="0 pictures or more"):
        write_gallery(study, few_faces, PLAN.round_trips(True), study_toolbox, -1)


def test_what_is_listed_has_no_place_of_the_machine(
    study: Path, few_faces: DataSet, study_toolbox: Toolbox
) -> None:
    write_gallery(study, few_faces, PLAN.round_trips(True), study_toolbox, 1)
    listed = (study / FOLDER / "gallery.json").read_text(encoding="utf-8")
    assert str(study) not in listed
    assert len(json.loads(listed)) == 1
