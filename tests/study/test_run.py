"""A killed study goes on, ends with the bytes of an unbroken one, and leaves nothing out."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from demo.core.analysis import analyse
from demo.core.errors import SettingsError
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from demo.study.measuring import CLEAN, measure_sample, study_judges
from demo.study.parts import PART
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet, draw

PLAN = Plan(methods=("bicubic", "lanczos"), factors=(2.0,), kernel="area", seed=3)


class KilledError(Exception):
    pass


def ignore(done: int, total: int) -> None:
    pass


@pytest.fixture(scope="module")
def finished(
    small_set: DataSet, study_toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("study")
    run_study(small_set, PLAN, study_toolbox, out, ignore)
    return out


def test_every_number_is_that_of_the_single_analysis(
    finished: Path, small_set: DataSet, study_toolbox: Toolbox
) -> None:
    rows = pd.read_parquet(finished / "scores.parquet")
    sample = small_set.samples[11]
    (result,) = analyse(
        small_set.read(sample), Settings(method="lanczos", whole=True), study_toolbox
    ).results
    own = rows[(rows["sample"] == sample.name) & (rows["method"] == "lanczos")]
    assert own["logit"].tolist() == [score.attacked_logit for score in result.scores]
    assert set(own["ssim"]) == {result.quality.ssim}
    assert set(own["psnr_db"]) == {result.quality.psnr_db}
    clean = rows[(rows["sample"] == sample.name) & (rows["method"] == CLEAN)]
    assert clean["logit"].tolist() == [score.clean_logit for score in result.scores]


def test_nothing_is_left_out_silently(finished: Path, small_set: DataSet) -> None:
    rows = pd.read_parquet(finished / "scores.parquet")
    manifest = json.loads((finished / "manifest.json").read_text())
    assert [one["sample"] for one in manifest["refused"]] == ["fake/fake 3.png"]
    assert manifest["refused"][0]["why"].endswith(".")
    assert set(rows["sample"]) | {"fake/fake 3.png"} == {one.name for one in small_set.samples}
    assert len(rows) == 19 * 3 * 3
    assert manifest["measured"] == 19


@pytest.mark.parametrize("parts", [0, 1])
def test_a_broken_run_goes_on_and_ends_with_the_same_bytes(
    parts: int, finished: Path, small_set: DataSet, study_toolbox: Toolbox, tmp_path: Path
) -> None:
    def kill(done: int, total: int) -> None:
        if done == parts * PART:
            raise KilledError

    out = tmp_path / "study"
    with pytest.raises(KilledError):
        run_study(small_set, PLAN, study_toolbox, out, kill)
    assert not (out / "scores.parquet").exists()
    run_study(small_set, PLAN, study_toolbox, out, ignore)
    for name in ("scores.parquet", "manifest.json", "asked.json"):
        assert (out / name).read_bytes() == (finished / name).read_bytes()


def test_another_study_in_the_same_folder_is_refused(
    finished: Path, small_set: DataSet, study_toolbox: Toolbox, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    shutil.copytree(finished, out)
    with pytest.raises(SettingsError, match="other data, settings"):
        run_study(small_set, replace(PLAN, factors=(3.0,)), study_toolbox, out, ignore)


def test_two_runs_into_one_folder_are_refused(
    small_set: DataSet, study_toolbox: Toolbox, tmp_path: Path
) -> None:
    def again(done: int, total: int) -> None:
        with pytest.raises(SettingsError, match="Another run is writing"):
            run_study(small_set, PLAN, study_toolbox, tmp_path, ignore)
        raise KilledError

    with pytest.raises(KilledError):
        run_study(small_set, PLAN, study_toolbox, tmp_path, again)


@pytest.mark.parametrize("wrong", [{"methods": ()}, {"factors": (2.0, 2.0)}, {"factors": (7.0,)}])
def test_a_plan_that_cannot_be_carried_out_is_refused(
    wrong: dict[str, tuple[float, ...]], small_set: DataSet, study_toolbox: Toolbox, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError):
        run_study(small_set, replace(PLAN, **wrong), study_toolbox, tmp_path / "new", ignore)  # type: ignore[arg-type]
    assert not (tmp_path / "new").exists()


def test_a_drawn_part_keeps_the_order_and_a_smaller_draw_is_in_a_larger(small_set: DataSet) -> None:
    some, more = (draw(small_set, limit, seed=4).samples for limit in (5, 9))
    assert len(some) == 5
    assert set(some) < set(more)
    places = [small_set.samples.index(one) for one in more]
    assert places == sorted(places)
    assert draw(small_set, 5, seed=5).samples != some
    assert draw(small_set, 99, seed=4) is small_set
    with pytest.raises(SettingsError, match="1 picture or more"):
        draw(small_set, 0, seed=4)


def test_a_named_box_is_attacked_and_a_native_size_is_told(
    small_set: DataSet, study_toolbox: Toolbox
) -> None:
    sample = replace(small_set.samples[2], box=(3, 4, 33, 34), native_side=120.0)
    picture = small_set.read(sample)
    judges = study_judges(study_toolbox.zoo.detectors(), (), study_toolbox.zoo)
    rows = measure_sample(
        sample, picture, False, [Settings(method="bicubic")], judges, study_toolbox
    )
    (result,) = analyse(
        picture, Settings(method="bicubic", box=(3.0, 4.0, 33.0, 34.0)), study_toolbox
    ).results
    attacked = [row for row in rows if row.method == "bicubic"]
    assert [row.logit for row in attacked] == [score.attacked_logit for score in result.scores]
    assert {row.ssim for row in attacked} == {result.quality.ssim}
    assert {row.face_side for row in rows} == {120.0}
