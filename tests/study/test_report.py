"""Tables recomputed by a few lines of scikit-learn, and files that are the same twice."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from demo.study.measuring import CLEAN
from demo.study.paper_tables import PAPER
from demo.study.report import write_report
from demo.study.samples import PRISTINE

METHODS = (("edsr", 2.0), ("bicubic", 2.0))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of 60 sources, made up: the attack hides some fakes of one detector."""
    out = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(2)
    rows = []
    for number in range(120):
        fake = number % 2 == 1
        for place, detector in enumerate(("resnet50", "xception")):
            clean = rng.normal() + (1.5 if fake else -1.5)
            for method, k in ((CLEAN, 1.0), *METHODS):
                harm = 0.0 if method == CLEAN or not fake else 1.2 * place
                rows.append(
                    {
                        "sample": f"{number}.jpg",
                        "forgery": "Deepfakes" if fake else PRISTINE,
                        "source": f"video {number // 2}",
                        "picture_sha256": f"{number:064d}",
                        "face_side": float(80 + number),
                        "method": method,
                        "k": k,
                        "detector": detector,
                        "threshold": 0.6,
                        "logit": clean - harm,
                        "ssim": 1.0 if method == CLEAN else 0.9 + number / 2000,
                        "psnr_db": np.inf if method == CLEAN else 30.0 + number / 100,
                        "published_ssim": 1.0 if method == CLEAN else 0.95,
                        "published_psnr_db": np.inf if method == CLEAN else 35.0,
                    }
                )
    pd.DataFrame(rows).to_parquet(out / "scores.parquet")
    (out / "manifest.json").write_text(
        '{"data": "made up", "samples": 121, "measured": 120, "plan": {"seed": 4}, "refused": '
        '[{"sample": "<b>.png", "forgery": "Deepfakes", "why": "It is no picture."}]}'
    )
    write_report(out)
    return out


def table(study: Path, name: str) -> list[dict[str, str]]:
    with (study / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("setup", [1, 2])
def test_tables_1_and_2_are_what_scikit_learn_says(study: Path, setup: int) -> None:
    scores = pd.read_parquet(study / "scores.parquet")
    for row in table(study, f"table_{setup}_edsr_k2"):
        own = scores[scores["detector"] == row["Detector"]]
        clean, attacked = (own[own["method"] == method] for method in (CLEAN, "edsr"))
        fake = (clean["forgery"] != PRISTINE).to_numpy()
        logit = clean["logit"].to_numpy()
        if row["Images"] == "attacked":
            moved = fake | (setup == 1)
            logit = np.where(moved, attacked["logit"].to_numpy(), logit)
        called = 1 / (1 + np.exp(-logit)) >= 0.6
        (spared, alarms), (missed, caught) = confusion_matrix(fake, called)
        assert float(row["FNR"]) == pytest.approx(missed / (missed + caught))
        assert float(row["FPR"]) == pytest.approx(alarms / (alarms + spared))
        assert float(row["AUC"]) == pytest.approx(roc_auc_score(fake, logit))
        error = float(row["FNR"]) + float(row["FPR"])
        assert float(row["Accuracy"]) == pytest.approx(1 - error / 2)
        assert float(row["FNR low"]) <= float(row["FNR"]) <= float(row["FNR high"])


def test_the_papers_own_figures_stand_beside(study: Path) -> None:
    clean = table(study, "table_1_edsr_k2")[0]
    assert (clean["Detector"], clean["Forgery"], clean["Images"]) == (
        "resnet50",
        "Deepfakes",
        "clean",
    )
    assert float(clean["Paper's FNR"]) == pytest.approx(0.055)
    assert float(clean["FNR less paper's"]) == pytest.approx(float(clean["FNR"]) - 0.055)
    likeness = {row["Images"]: row for row in table(study, "table_3_edsr_k2")}
    assert float(likeness["Deepfakes"]["Paper's SSIM"]) == pytest.approx(0.97)


def test_the_published_rows_keep_their_identity() -> None:
    with (PAPER / "tables_1_2.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    for row in rows:
        half = (float(row["fnr"]) + float(row["fpr"])) / 2
        assert float(row["accuracy"]) == pytest.approx(100 - half, abs=0.11)


def test_harm_is_told_where_it_was_done_and_against_plain_blur(study: Path) -> None:
    harm = {(row["Detector"], row["Method"]): row for row in table(study, "harm")}
    assert float(harm["xception", "edsr"]["Change of FNR low"]) > 0.05
    assert float(harm["resnet50", "edsr"]["Change of FNR"]) == 0
    assert {float(row["FNR less bicubic's"]) for row in table(study, "control")} == {0.0}


def test_the_report_stands_alone_and_leaves_nothing_out(study: Path) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;.png: It is no picture." in page
    assert "120 of 121 pictures measured" in page
    assert not any(word in page for word in ("http-equiv", "src=", "<script", "url(h"))


def test_the_report_is_the_same_twice(study: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(study, again)
    write_report(again)
    for file in sorted(path for path in study.rglob("*") if path.is_file()):
        assert (again / file.relative_to(study)).read_bytes() == file.read_bytes(), file.name
