"""The table of defences, recomputed by a few lines of scikit-learn from made-up scores."""

import csv
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from demo.core.defences import Defence
from demo.core.own_gradient import MASKING
from demo.study.measuring import CLEAN, JPEG, PGD
from demo.study.report import write_report
from demo.study.samples import PRISTINE
from tests.made_studies import made_scores

ROBUST = Defence("xception_robust", "XceptionNet, robust", "robust training", "xception")
WORSE = Defence("resnet50_robust", "ResNet50, robust", "robust training", "resnet50")
SMALL = Defence("small", "Small network", "small network", "")
ROUND_TRIPS = (("edsr", 2.0), ("bicubic", 2.0), (JPEG, 1.0), (PGD, 1.0))
THRESHOLD = float(np.log(0.6 / 0.4))


def scores() -> pd.DataFrame:
    """XceptionNet misses attacked fakes and its defence does not; ResNet50 suffers nothing, and its
    defence has a price."""
    made = made_scores(240, harm=2.0, round_trips=ROUND_TRIPS).assign(trained_on="")
    clean = made[made["method"] == CLEAN].set_index(["sample", "detector"])["logit"]
    plain = pd.Series(
        [clean[one] for one in zip(made["sample"], made["detector"], strict=True)], made.index
    )
    defended = made.copy()
    defended["logit"] = np.where(
        made["detector"] == "xception", plain + (made["logit"] - plain) / 20, plain * 0.2
    )
    noise = np.random.default_rng(1).normal(size=len(made))
    worse = made["detector"] == "resnet50"
    defended.loc[worse, "logit"] += noise[worse]
    defended["detector"] += "_robust"
    small = made[worse].assign(detector="small")
    every = pd.concat([made, defended, small])
    number = every["sample"].str.removesuffix(".jpg").astype(int)
    silent = (every["method"] == PGD) & (every["detector"] == WORSE.name) & (number < 7)
    every["psnr_db"] = every["psnr_db"].mask(silent, np.inf)
    return every[(every["method"] != PGD) | (number < 100)].reset_index(drop=True)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study")
    scores().to_parquet(out / "scores.parquet")
    said = {
        "data": "made up",
        "samples": 240,
        "measured": 240,
        "plan": {"seed": 4},
        "refused": [],
        "defences": [asdict(one) for one in (WORSE, ROBUST, SMALL)],
    }
    (out / "manifest.json").write_text(json.dumps(said))
    costs = {"resnet50": 20.0, "xception": 40.0, "xception_robust": 60.0}
    (out / "costs.json").write_text(json.dumps({"milliseconds": costs}))
    write_report(out)
    return out


def table(study: Path, name: str) -> list[dict[str, str]]:
    with (study / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def of(rows: pd.DataFrame, detector: str, method: str) -> pd.DataFrame:
    return rows[(rows["detector"] == detector) & (rows["method"] == method)]


def errors(found: pd.DataFrame) -> tuple[float, float]:
    fake, called = found["forgery"] != PRISTINE, found["logit"] >= THRESHOLD
    return float((~called[fake]).mean()), float(called[~fake].mean())


def auc(found: pd.DataFrame) -> float:
    return float(roc_auc_score(found["forgery"] != PRISTINE, found["logit"]))


def test_every_row_says_its_errors_clean_and_attacked(study: Path) -> None:
    rows = scores()
    made = {row["Detector"]: row for row in table(study, "defences")}
    assert list(made) == ["resnet50", "xception", "resnet50_robust", "xception_robust", "small"]
    columns = {
        CLEAN: "clean",
        "edsr": "edsr, K = 2",
        JPEG: "JPEG 60",
        PGD: "PGD of equal PSNR, n = 100",
    }
    for name, row in made.items():
        for method, words in columns.items():
            fnr, fpr = errors(of(rows, name, method))
            assert float(row[f"FNR, {words}"]) == pytest.approx(fnr)
            assert float(row[f"FPR, {words}"]) == pytest.approx(fpr)
            assert float(row[f"FNR, {words} low"]) <= fnr <= float(row[f"FNR, {words} high"])
        assert float(row["Clean AUC"]) == pytest.approx(auc(of(rows, name, CLEAN)))
    assert not any("bicubic" in title for title in made["small"]), "controls are further down"


def test_a_price_is_the_difference_of_the_clean_aucs_with_a_paired_interval(study: Path) -> None:
    rows = scores()
    for row in table(study, "defences"):
        plain = {"resnet50_robust": "resnet50", "xception_robust": "xception"}
        said = row["Clean AUC less plain's"]
        if row["Detector"] not in plain:
            assert said == ""
            continue
        own, other = (
            auc(of(rows, one, CLEAN)) for one in (row["Detector"], plain[row["Detector"]])
        )
        assert float(said) == pytest.approx(own - other)
        low, high = (float(row[f"Clean AUC less plain's {end}"]) for end in ("low", "high"))
        assert low <= float(said) <= high
        if row["Detector"] == "xception_robust":
            assert low == high == 0, "the clean answers are the same, picture by picture"
        else:
            assert high < 0


def test_the_bar_is_a_third_of_the_plain_detectors_change_and_a_price(study: Path) -> None:
    rows = scores()
    made = {(row["Defence"], row["Attack"]): row for row in table(study, "defences_bar")}
    assert len(made) == 2 * 4
    kept = made["xception_robust", "edsr, K = 2"]
    changes = [
        sum(errors(of(rows, name, "edsr"))) - sum(errors(of(rows, name, CLEAN)))
        for name in ("xception", "xception_robust")
    ]
    assert float(kept["Change of FNR + FPR, plain"]) == pytest.approx(changes[0])
    assert float(kept["Change of FNR + FPR, defended"]) == pytest.approx(changes[1])
    assert float(kept["Defended less plain"]) == pytest.approx(changes[1] - changes[0])
    assert float(kept["Defended over plain"]) == pytest.approx(changes[1] / changes[0])
    assert float(kept["p"]) < 0.001 and kept["Bar"] == "kept"
    hardly = made["resnet50_robust", "edsr, K = 2"]
    assert (hardly["Bar"], hardly["Defended over plain"]) == ("plain hardly suffers", "")


def test_a_ratio_that_is_small_but_dear_misses_the_bar(tmp_path: Path) -> None:
    rows = scores()
    noise = np.random.default_rng(2).normal(size=len(rows)) * 1.5
    robust = rows["detector"] == "xception_robust"
    per_sample = dict(zip(rows["sample"].unique(), noise, strict=False))
    rows.loc[robust, "logit"] += rows.loc[robust, "sample"].map(per_sample)
    rows.to_parquet(tmp_path / "scores.parquet")
    said = {"data": "x", "samples": 1, "measured": 1, "plan": {"seed": 4}, "refused": []}
    said["defences"] = [asdict(ROBUST)]
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    write_report(tmp_path)
    first = table(tmp_path, "defences_bar")[0]
    assert float(first["Defended over plain"]) < 1 / 3
    assert first["Bar"] == "missed"


def test_every_defence_is_tested_against_plain_on_the_same_pictures(study: Path) -> None:
    rows = scores()
    made = table(study, "defences_against_plain")
    assert len(made) == 2 * 5
    for row in made:
        method = {
            "clean": CLEAN,
            "edsr, K = 2": "edsr",
            "bicubic, K = 2": "bicubic",
            "JPEG 60": JPEG,
            "PGD of equal PSNR": PGD,
        }[row["Pictures"]]
        own, plain = (errors(of(rows, row[one], method)) for one in ("Defence", "Against"))
        assert float(row["FNR less plain's"]) == pytest.approx(own[0] - plain[0])
        assert float(row["FPR less plain's"]) == pytest.approx(own[1] - plain[1])
        assert float(row["Holm's p, FNR"]) >= float(row["p, FNR"])
    least = min(float(row["p, FNR"]) for row in made)
    held = [float(row["Holm's p, FNR"]) for row in made if float(row["p, FNR"]) == least]
    assert held[0] == pytest.approx(min(1.0, 2 * len(made) * least))


def test_the_report_says_who_keeps_the_bar_at_which_price_and_where_plain_suffers(
    study: Path,
) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="defences">') :]
    assert "3 defences were asked about the same 240 pictures as the plain detectors" in section
    assert "100 of them under PGD too." in section
    assert "xception_robust: keeps the bar after edsr, K = 2, where" in section
    assert "its price is +0.0 (+0.0 to +0.0) points of clean AUC." in section
    assert "resnet50 hardly suffers (change of FNR + FPR +0.0 (+0.0 to +0.0) points)" in section
    assert "FNR + FPR of xception surely rises after 2 of 2 round trips: edsr, K = 2" in section
    assert "FNR + FPR of resnet50 surely rises after 0 of 2 round trips." in section
    assert "JPEG" not in page[: page.index('<section id="defences">')]


def test_crops_that_pgd_left_as_they_were_are_counted_and_called_no_robustness(study: Path) -> None:
    notes = (study / "tables" / "defences.md").read_text(encoding="utf-8")
    rows = scores()
    still = rows[(rows["method"] == PGD) & np.isinf(rows["psnr_db"])].groupby("detector").size()
    assert len(still) > 0
    for name in rows["detector"].unique():
        said = f"{name}: on {still.get(name, 0)} of the crops under PGD its own gradient is zero"
        assert (said in notes) == (name in still.index)
    assert notes.count(MASKING) == len(still)


def test_cost_stands_beside_plains(study: Path) -> None:
    made = {row["Detector"]: row for row in table(study, "defences")}
    assert float(made["xception_robust"]["Cost over plain's"]) == pytest.approx(1.5)
    assert float(made["xception_robust"]["Cost over resnet50's"]) == pytest.approx(3)
    assert made["small"]["Cost per face"] == ""


def test_gradients_on_one_class_alone_leave_a_sentence(tmp_path: Path) -> None:
    rows = scores()
    rows = rows[(rows["method"] != PGD) | (rows["sample"] == "1.jpg")]
    rows.to_parquet(tmp_path / "scores.parquet")
    said = {"data": "x", "samples": 1, "measured": 1, "plan": {"seed": 4}, "refused": []}
    said["defences"] = [asdict(ROBUST)]
    (tmp_path / "manifest.json").write_text(json.dumps(said))
    write_report(tmp_path)
    assert "only one of the two came" in (tmp_path / "tables" / "defences.md").read_text()
