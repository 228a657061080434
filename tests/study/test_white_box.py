"""A study of white-box attacks on small crops and quick detectors, from crops to report."""

import copy
import dataclasses
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from demo.cli import main
from demo.core.errors import SettingsError
from demo.core.own_gradient import MASKING
from demo.core.picture_attack import Toolbox
from demo.core.white_box import ATTACKS, FGSM, L0, PGD_L2
from demo.study.folder import open_folder
from demo.study.measuring import CLEAN
from demo.study.samples import DataSet
from demo.study.white_box import (
    run_white_box,
)
from demo.study.white_box_figures import read_white_box
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP, WhiteBoxPlan
from demo.study.white_box_report import write_white_box_report
from demo.study.white_box_tables import equal_psnr_table, findings, transfer_table
from models.cards import WeightsFile
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.made_models import detector_card

PLAN = WhiteBoxPlan(steps=3, levels=(1.0, 4.0), rms=(0.25, 2.0), pixels=(4.0, 400.0), curve_crops=3)


def quick(name: str, seed: int) -> LoadedDetector:
    """A detector of 16 px."""
    card = detector_card("resnet50", WeightsFile("none.safetensors", "0" * 64, 1, "float32"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = (nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten())
        last = nn.Linear(294, 1)
        network = nn.Sequential(*layers, last).eval().requires_grad_(False)
    last.weight.mul_(10)
    return LoadedDetector(dataclasses.replace(card, name=name, input_size=16), network)


DETECTORS = (quick("one", 0), quick("other", 1))


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Three crops of each class, and a broken one."""
    root = tmp_path_factory.mktemp("crops")
    rng = np.random.default_rng(3)
    for kind in ("real", "fake"):
        (root / kind).mkdir()
        for number in range(3):
            crop = rng.integers(0, 256, (24, 22 + number, 3), dtype=np.uint8)
            Image.fromarray(crop).save(root / kind / f"{number}.png")
    (root / "fake" / "3.png").write_bytes(b"no picture")
    return open_folder(root, crops=True)


def run(crops: DataSet, out: Path, zoo: Zoo, plan: WhiteBoxPlan = PLAN) -> list[tuple[int, int]]:
    said: list[tuple[int, int]] = []
    run_white_box(crops, plan, DETECTORS, zoo, out, lambda *done: said.append(done))
    return said


@pytest.fixture(scope="module")
def finished(crops: DataSet, random_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("white box") / "study"
    run(crops, folder, random_zoo)
    write_white_box_report(folder)
    return folder


@pytest.fixture
def rows(finished: Path) -> pd.DataFrame:
    return pd.read_parquet(finished / "scores.parquet")


# Measuring


def test_every_crop_is_attacked_at_equal_psnr_and_those_drawn_at_every_strength(
    rows: pd.DataFrame,
) -> None:
    each = rows.groupby(["detector", "attack"])["sample"].count().unstack()
    for detector in ("one", "other"):
        counted = each.loc[detector]
        assert counted[CLEAN] == counted[ROUND_TRIP] == 6
        assert counted[EQUAL_PSNR] == 12
        assert set(counted[list(ATTACKS)]) <= {4, 6}  # three crops, or two and the broken one


def test_the_psnr_of_round_trip_and_gradient_are_equal(rows: pd.DataFrame) -> None:
    trip = rows[rows["attack"] == ROUND_TRIP].groupby("sample")["psnr_db"].first()
    gradient = rows[rows["attack"] == EQUAL_PSNR].groupby("sample")["psnr_db"]
    assert float((gradient.max() - trip).abs().max()) <= 0.1
    assert float((gradient.min() - trip).abs().max()) <= 0.1


def test_attacks_push_against_the_label_and_the_one_who_knows_does_most(
    rows: pd.DataFrame,
) -> None:
    way = np.where(rows["forgery"] == "fake", -1, 1)
    clean = rows[rows["attack"] == CLEAN].set_index(["sample", "detector"])["logit"]
    asked = pd.MultiIndex.from_frame(rows[["sample", "detector"]])
    gain = pd.Series(way * (rows["logit"] - clean.loc[asked].to_numpy()), index=rows.index)
    equal = rows["attack"] == EQUAL_PSNR
    own = equal & (rows["knows"] == rows["detector"])
    assert (gain[own] > 0).all()
    assert gain[own].mean() > 2 * gain[equal & ~own].abs().mean()
    assert (gain[rows["attack"].isin([FGSM, PGD_L2])] > 0).all()


def test_the_strengths_hold(rows: pd.DataFrame) -> None:
    l0 = rows[rows["attack"] == L0]
    assert (l0["pixels_changed"] <= l0["strength"]).all()
    l2 = rows[(rows["attack"] == PGD_L2) & (rows["strength"] == 0.25)]
    np.testing.assert_allclose(l2["psnr_db"], 20 * math.log10(255 / 0.25), atol=0.1)


def test_a_strength_that_is_sure_stands_for_the_greater_ones(
    crops: DataSet, random_zoo: Zoo, tmp_path: Path
) -> None:
    strengths = (0.25, 40.0, 80.0)
    run(crops, tmp_path, random_zoo, dataclasses.replace(PLAN, rms=strengths, curve_crops=None))
    rows = pd.read_parquet(tmp_path / "scores.parquet")
    logits = rows[rows["attack"] == PGD_L2].pivot(
        index=["sample", "forgery", "detector"], columns="strength", values="logit"
    )
    way = np.where(logits.index.get_level_values("forgery") == "fake", -1, 1)
    for weaker, stronger in itertools.pairwise(strengths):
        sure = logits[weaker] * way > math.log(99)
        assert ((logits[weaker] == logits[stronger]) == sure).all()
    assert sure.any()


def test_a_run_that_was_broken_off_goes_on_and_ends_the_same(
    crops: DataSet, random_zoo: Zoo, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "again"

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_white_box(crops, PLAN, DETECTORS, random_zoo, out, stop)
    assert run(crops, out, random_zoo)[0] == (2, 7)
    for name in ("scores.parquet", "manifest.json"):
        assert (out / name).read_bytes() == (finished / name).read_bytes()
    with pytest.raises(SettingsError, match="a study of other data, settings"):
        run(crops, out, random_zoo, dataclasses.replace(PLAN, steps=4))


@pytest.mark.parametrize("detectors", [(), (DETECTORS[0], DETECTORS[0])])
def test_no_detector_or_one_twice_is_refused(
    detectors: tuple[LoadedDetector, ...], crops: DataSet, random_zoo: Zoo, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="face crops and one or more detectors, each named"):
        run_white_box(crops, PLAN, detectors, random_zoo, tmp_path, lambda *_: None)


# The figures


def test_success_counts_only_verdicts_that_were_right(finished: Path, rows: pd.DataFrame) -> None:
    results = read_white_box(finished)
    wide = rows[rows["detector"] == "one"]
    wrong = (wide["logit"] >= 0) != (wide["forgery"] == "fake")
    right = set(wide.loc[(wide["attack"] == CLEAN) & ~wrong, "sample"])
    for knows in ("one", "other"):
        turned = wide[(wide["attack"] == EQUAL_PSNR) & (wide["knows"] == knows) & wrong]
        (beside,) = (
            b for b in results.beside if (b.detector, b.knows, b.of) == ("one", knows, "all")
        )
        assert beside.right == len(right) > 0
        assert beside.gradient.value == len(right & set(turned["sample"])) / len(right)
        assert beside.more.value == pytest.approx(beside.gradient.value - beside.round_trip.value)
        assert 0 < beside.p_value <= 1


def test_the_transfer_table_has_who_knows_in_rows_and_who_is_asked_in_columns(
    finished: Path,
) -> None:
    results = read_white_box(finished)
    table = transfer_table(results)
    assert [column.title for column in table.columns] == ["Gradient of", "one", "other"]
    assert [row[0] for row in table.rows] == ["one", "other", "round trip"]
    asked = {(b.knows, b.detector): b.gradient for b in results.beside if b.of == "all"}
    assert table.rows[0][2] == asked["one", "other"]
    assert table.rows[1][1] == asked["other", "one"]


def test_p_values_are_adjusted_for_all_tests_of_the_table(finished: Path) -> None:
    table = equal_psnr_table(read_white_box(finished))
    titles = [column.title for column in table.columns]
    for row in table.rows:
        plain, adjusted = row[titles.index("p")], row[titles.index("p, Holm")]
        assert isinstance(plain, float)
        assert isinstance(adjusted, float)
        assert plain <= adjusted <= 1


def test_a_crop_stays_as_it_is_where_the_gradient_is_zero_and_that_is_called_no_robustness(
    crops: DataSet, random_zoo: Zoo, tmp_path: Path
) -> None:
    loud, other = DETECTORS
    deaf = copy.deepcopy(other.network)
    deaf.get_parameter("4.weight").zero_()
    detectors = (loud, dataclasses.replace(other, network=deaf))
    run_white_box(crops, PLAN, detectors, random_zoo, tmp_path, lambda *_: None)
    rows = pd.read_parquet(tmp_path / "scores.parquet")
    assert rows["sample"].nunique() == 6, "none is refused"
    own = rows[(rows["detector"] == "other") & (rows["knows"] == "other")]
    assert np.isinf(own["psnr_db"]).all() and (own["pixels_changed"] == 0).all()
    results = read_white_box(tmp_path)
    assert (results.still("one"), results.still("other")) == ((0, 6), (6, 6))
    (said,) = (note for note in equal_psnr_table(results).notes if MASKING in note)
    assert said.startswith("other: on 6 of 6 crops its own gradient is zero")
    assert said in findings(results)
    assert all(0 <= one.apart_db < 0.1 for one in results.beside)


# The report


def test_the_report_holds_tables_curves_and_the_broken_picture(finished: Path) -> None:
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "6 of 7 crops attacked, 1 refused" in page
    assert "fake/3.png: A JPEG, PNG, WebP or BMP picture was expected" in page
    assert page.count("<svg ") == 2
    assert page.count("<table>") == 3
    assert "http" not in page.replace("http://www.w3.org", "")
    for name in ("equal_psnr", "transfer", "strength"):
        for ending in (".md", ".csv", ".tex"):
            assert (finished / "tables" / f"{name}{ending}").stat().st_size > 0
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["plan"]["steps"] == 3
    assert {"foolbox", "torch"} <= set(manifest["versions"])


def test_a_study_without_curves_still_has_a_report(
    crops: DataSet, random_zoo: Zoo, tmp_path: Path
) -> None:
    run(crops, tmp_path, random_zoo, dataclasses.replace(PLAN, curve_crops=0))
    write_white_box_report(tmp_path)
    assert "no strength that was tried" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="finished study of white-box attacks was expected"):
        write_white_box_report(tmp_path)


# The command


def test_the_command_writes_a_report(
    crops_folder: Path,
    small_detectors: Path,
    random_zoo: Zoo,
    study_toolbox: Toolbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    words = ["study", "white-box", "--data", "folder", "--crops", "--root", str(crops_folder)]
    words += ["--limit", "2", "--curves", "0", "--steps", "1", "--networks", "resnet50"]
    assert main([*words, "--out", str(out)], lambda *asked: study_toolbox) == 0
    assert "report.html in out" in capsys.readouterr().out
    assert set(pd.read_parquet(out / "scores.parquet")["detector"]) == {"resnet50"}


def test_an_unknown_network_is_refused(
    crops_folder: Path,
    study_toolbox: Toolbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["study", "white-box", "--data", "folder", "--crops", "--root", str(crops_folder)]
    words += ["--networks", "resnet", "--out", str(tmp_path / "out")]
    assert main(words, lambda *asked: study_toolbox) == 2
    assert "'resnet' is unknown: expected resnet50, swin_small" in capsys.readouterr().err
