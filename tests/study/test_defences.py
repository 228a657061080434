"""A study that asks the defences too: its rows, what a killed run leaves, what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demo.core.attack import round_trip
from demo.core.defences import defence_logits, find_defences
from demo.core.errors import SettingsError
from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.core.quality import measure
from demo.study.costs import COSTS, read_costs, write_costs
from demo.study.measuring import CLEAN, JPEG, JPEG_QUALITY, PGD
from demo.study.parts import PART
from demo.study.report import write_report
from demo.study.results import asked_defences, read_results
from demo.study.run import Plan, run_study
from demo.study.samples import DataSet
from models.cards import DETECTOR_NAMES
from models.training.distortions import reencode_jpeg
from models.zoo import Zoo
from tests.study.test_run import KilledError, ignore

PLAN = Plan(("edsr", "bicubic"), (2.0,), "area", seed=3, defences=True, white_box=5)
DEFENCES = [
    "resnet50_robust",
    "policy_actions_resnet50",
    "small",
    "small_residual",
    "small_attention",
    "small_ensemble",
]


@pytest.fixture(scope="module")
def toolbox(quick_defences: Path) -> Toolbox:
    return Toolbox(Zoo("cpu", folder=quick_defences, cards=quick_defences), FaceDetector())


@pytest.fixture(scope="module")
def finished(
    small_set: DataSet, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("defended")
    run_study(small_set, PLAN, toolbox, out, ignore)
    return out


@pytest.fixture(scope="module")
def rows(finished: Path) -> pd.DataFrame:
    return pd.read_parquet(finished / "scores.parquet")


def test_detectors_and_defences_are_asked_under_everything(
    rows: pd.DataFrame, finished: Path
) -> None:
    assert list(rows["detector"].unique()) == [*DETECTOR_NAMES, *DEFENCES]
    assert [one.name for one in asked_defences(finished)] == DEFENCES
    first = rows[rows["sample"] == rows["sample"].iloc[0]]
    for name in (*DETECTOR_NAMES, *DEFENCES):
        own = first[first["detector"] == name]
        assert list(own["method"]) == [CLEAN, "edsr", "bicubic", JPEG, PGD]
        assert list(own["k"]) == [1, 2, 2, 1, 1]


def test_a_defences_numbers_are_its_own_answers_and_its_threshold(
    rows: pd.DataFrame, small_set: DataSet, toolbox: Toolbox
) -> None:
    sample = small_set.samples[1]
    picture = small_set.read(sample)
    encoded = reencode_jpeg(picture, JPEG_QUALITY)
    for defence in find_defences(DEFENCES, toolbox.zoo):
        own = rows[(rows["sample"] == sample.name) & (rows["detector"] == defence.name)]
        expected = defence_logits(defence, [picture, encoded], toolbox.zoo)
        said = own.set_index("method")["logit"]
        assert [said[CLEAN], said[JPEG]] == expected
    robust = rows[rows["detector"] == "resnet50_robust"]
    assert set(robust["threshold"]) == {toolbox.zoo.detector("resnet50").card.threshold}
    jpeg = rows[(rows["sample"] == sample.name) & (rows["method"] == JPEG)]
    assert set(jpeg["ssim"]) == {measure(picture, encoded).ssim}


def test_pgd_has_the_psnr_of_edsr_on_the_same_crop_and_samples_spread_evenly(
    rows: pd.DataFrame, small_set: DataSet, toolbox: Toolbox
) -> None:
    names = [one.name for one in small_set.samples]
    pgd = rows[rows["method"] == PGD]
    assert [names.index(one) for one in pgd["sample"].unique()] == [0, 4, 8, 12, 16]
    for sample in (small_set.samples[0], small_set.samples[12]):
        picture = small_set.read(sample)
        restored = round_trip(picture, 2.0, "edsr", "area", toolbox.zoo)
        own = pgd[pgd["sample"] == sample.name]
        assert len(own) == len(DETECTOR_NAMES) + len(DEFENCES)
        expected = measure(picture, restored).psnr_db
        assert own["psnr_db"].to_numpy() == pytest.approx(expected, abs=0.3)
        behind = own.set_index("detector")["published_psnr_db"]
        assert behind["policy_actions_resnet50"] == behind["resnet50"], "it is the same picture"


def test_the_papers_tables_stay_about_the_plain_detectors_and_the_round_trips(
    finished: Path, small_set: DataSet, toolbox: Toolbox, tmp_path: Path
) -> None:
    run_study(small_set, replace(PLAN, defences=False, white_box=0), toolbox, tmp_path, ignore)
    plain = read_results(tmp_path)
    pd.testing.assert_frame_equal(read_results(finished).rows, plain.rows)
    assert asked_defences(tmp_path) == ()
    assert plain.round_trips == (("edsr", 2.0), ("bicubic", 2.0))


def test_a_killed_run_ends_with_the_bytes_of_an_unbroken_one(
    finished: Path, small_set: DataSet, toolbox: Toolbox, tmp_path: Path
) -> None:
    def kill(done: int, total: int) -> None:
        if done == PART:
            raise KilledError

    with pytest.raises(KilledError):
        run_study(small_set, PLAN, toolbox, tmp_path, kill)
    run_study(small_set, PLAN, toolbox, tmp_path, ignore)
    for name in ("scores.parquet", "manifest.json", "asked.json"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_costs_are_taken_once_beside_the_scores(
    finished: Path, small_set: DataSet, toolbox: Toolbox, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    shutil.copytree(finished, out)
    assert read_costs(out) == {}
    write_costs(out, small_set, toolbox)
    costs = read_costs(out)
    assert list(costs) == [*DETECTOR_NAMES, *DEFENCES]
    assert min(costs.values()) > 0
    before = (out / COSTS).read_bytes()
    write_costs(out, small_set, toolbox)
    assert (out / COSTS).read_bytes() == before
    assert (out / "scores.parquet").read_bytes() == (finished / "scores.parquet").read_bytes()
    write_report(out)
    table = pd.read_csv(out / "tables" / "defences.csv").set_index("Detector")
    assert table["Cost per face"].to_dict() == pytest.approx(costs)
    ratio = costs["resnet50_robust"] / costs["resnet50"]
    assert table.loc["resnet50_robust", "Cost over plain's"] == pytest.approx(ratio)
    assert np.isnan(table.loc["small", "Cost over plain's"])


def test_the_manifest_names_the_weights_of_every_defence(finished: Path, toolbox: Toolbox) -> None:
    weights = json.loads((finished / "manifest.json").read_text())["weights"]
    zoo = toolbox.zoo
    for name in DEFENCES[:-1]:
        loaded = zoo.policy(name) if name.startswith("policy") else zoo.defence(name)
        assert weights[name] == loaded.card.weights.sha256


@pytest.mark.parametrize("wrong", [{"white_box": -1}, {"defences": False}])
def test_gradients_belong_to_the_table_of_defences(
    wrong: dict[str, int], small_set: DataSet, toolbox: Toolbox, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="--white-box N together with --defences"):
        run_study(small_set, replace(PLAN, **wrong), toolbox, tmp_path / "new", ignore)  # type: ignore[arg-type]


def test_defences_that_do_not_ship_or_stand_against_others_are_refused(
    small_set: DataSet, toolbox: Toolbox, small_detectors: Path, tmp_path: Path
) -> None:
    none = Toolbox(Zoo("cpu", folder=small_detectors, cards=small_detectors), FaceDetector())
    plan = replace(PLAN, methods=("bicubic",), white_box=0)
    with pytest.raises(SettingsError, match="none ships here"):
        run_study(small_set, plan, none, tmp_path / "new", ignore)
    cards = [("fake", small_detectors / "resnet50.json")]
    with pytest.raises(SettingsError, match="Leave --defences or --detectors out"):
        run_study(small_set, plan, toolbox, tmp_path / "new", ignore, cards)
