"""Tables recomputed by a few lines of scikit-learn, and files that are the same twice."""

import csv
import json
import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    precision_score,
    recall_score,
    roc_auc_score,
)

from demo.core.errors import SettingsError
from demo.study.measuring import CLEAN
from demo.study.paper_tables import PAPER
from demo.study.report import write_report
from demo.study.samples import PRISTINE
from tests.made_studies import made_scores

METHODS = (("edsr", 2.0), ("bicubic", 2.0))


def finished(out: Path, scores: pd.DataFrame) -> Path:
    """A folder as a run leaves it."""
    out.mkdir(parents=True, exist_ok=True)
    scores.to_parquet(out / "scores.parquet")
    (out / "manifest.json").write_text(
        '{"data": "made up", "samples": 121, "measured": 120, "plan": {"seed": 4}, "refused": '
        '[{"sample": "<b>.png", "forgery": "Deepfakes", "why": "It is no picture."}]}'
    )
    return out


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = finished(tmp_path_factory.mktemp("study"), made_scores())
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
        assert float(row["Recall"]) == pytest.approx(recall_score(fake, called))
        assert float(row["Precision"]) == pytest.approx(precision_score(fake, called))
        assert float(row["AUC"]) == pytest.approx(roc_auc_score(fake, logit))
        assert float(row["Accuracy"]) == pytest.approx(balanced_accuracy_score(fake, called))
        assert float(row["FNR low"]) <= float(row["FNR"]) <= float(row["FNR high"])


def test_the_papers_own_figures_stand_beside(study: Path) -> None:
    clean = table(study, "table_1_edsr_k2")[0]
    assert (clean["Detector"], clean["Forgery"], clean["Images"]) == (
        "resnet50",
        "Deepfakes",
        "clean",
    )
    assert float(clean["Paper's FNR"]) == pytest.approx(0.055)
    for title, said in (("FNR", 0.055), ("precision", 0.967), ("AUC", 0.992), ("accuracy", 0.956)):
        measured = float(clean[title[0].upper() + title[1:]])
        assert float(clean[f"Paper's {title}"]) == pytest.approx(said)
        assert float(clean[f"{title} less paper's"]) == pytest.approx(measured - said)
    attacked = table(study, "table_2_edsr_k2")[1]
    assert float(attacked["Paper's change of FNR"]) == pytest.approx(0.014)
    assert "Change of FPR" not in attacked, "no pristine picture is attacked in setup 2"
    likeness = {row["Images"]: row for row in table(study, "table_3_edsr_k2")}
    assert float(likeness["Deepfakes"]["Paper's SSIM"]) == pytest.approx(0.97)


def test_the_published_rows_keep_their_identity() -> None:
    with (PAPER / "tables_1_2.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    for row in rows:
        half = (float(row["fnr"]) + float(row["fpr"])) / 2
        assert float(row["accuracy"]) == pytest.approx(100 - half, abs=0.11)


def test_pictures_that_the_paper_does_not_have_get_no_columns_of_it(tmp_path: Path) -> None:
    scores = made_scores().replace({"forgery": {"Deepfakes": "DFDC"}})
    write_report(finished(tmp_path, scores))
    for name in ("table_1_edsr_k2", "table_3_edsr_k2"):
        assert not any("aper's" in title for title in table(tmp_path, name)[0])
    said = (tmp_path / "tables" / "table_1_edsr_k2.md").read_text()
    assert "The paper has no figures of these forgeries." in said


def test_table_3_is_the_mean_of_each_class(study: Path) -> None:
    scores = pd.read_parquet(study / "scores.parquet")
    own = scores[(scores["method"] == "edsr") & (scores["detector"] == "xception")]
    for row in table(study, "table_3_edsr_k2"):
        mean = own[own["forgery"] == row["Images"]].mean(numeric_only=True)
        assert float(row["SSIM"]) == pytest.approx(mean["ssim"])
        assert float(row["PSNR"]) == pytest.approx(mean["psnr_db"])
        published = float(row["PSNR, published protocol (wraps)"])
        assert published == pytest.approx(mean["published_psnr_db"])
        less = float(row["PSNR less paper's"])
        assert less == pytest.approx(published - float(row["Paper's PSNR"]))


def test_the_correlation_is_by_class(study: Path) -> None:
    scores = pd.read_parquet(study / "scores.parquet").query("detector == 'xception'")
    clean, attacked = (scores[scores["method"] == method] for method in (CLEAN, "edsr"))
    fake = (clean["forgery"] != PRISTINE).to_numpy()
    before, after = (1 / (1 + np.exp(-one["logit"].to_numpy()[fake])) for one in (clean, attacked))
    expected = spearmanr(attacked["ssim"].to_numpy()[fake], before - after).statistic
    (row,) = (
        one
        for one in table(study, "correlation_edsr_k2")
        if (one["Detector"], one["Images"]) == ("xception", "fake")
    )
    assert float(row["Spearman's rho"]) == pytest.approx(expected)


def test_harm_is_told_where_it_was_done_and_against_plain_blur(study: Path) -> None:
    harm = {(row["Detector"], row["Method"]): row for row in table(study, "harm")}
    assert float(harm["xception", "edsr"]["Change of FNR low"]) > 0.05
    assert float(harm["resnet50", "edsr"]["Change of FNR"]) == 0
    assert {float(row["FNR less bicubic's"]) for row in table(study, "control")} == {0.0}


def test_what_was_found_stands_first_in_sentences(study: Path) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    found = page[: page.index('<nav aria-label="Contents">')]
    assert "120 pictures of 60 sources: 60 pristine and 60 fake." in found
    assert "The largest rise of an FNR (fakes missed) is +" in found
    assert "of xception after edsr at K = 2" in found
    assert "No FPR rose" in found
    assert "The largest fall of an AUC" in found
    assert (
        "No more harm by edsr than bicubic in 4 comparisons at the same K (p &lt; 0.05) was"
        in found
    )
    assert "FNR +18.7 points (Resnet50, FaceShifter)" in found


def test_more_harm_than_plain_blur_is_said_where_it_was_done(tmp_path: Path) -> None:
    scores = made_scores()
    spared = scores["method"] == "bicubic"
    clean = scores.loc[scores["method"] == CLEAN, "logit"].to_numpy()
    scores.loc[spared, "logit"] = clean
    write_report(finished(tmp_path, scores))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "More harm by edsr than bicubic in 4 comparisons at the same K" in page
    assert "Its FNR was higher in 1 and lower in 0 of 2" in page
    rate = {row["Detector"]: row for row in table(tmp_path, "control")}["xception"]
    assert float(rate["Holm's p, FNR"]) == pytest.approx(4 * float(rate["p, FNR"]))


def test_more_of_one_error_and_less_of_the_other_are_both_said(tmp_path: Path) -> None:
    scores = made_scores()
    edsr = (scores["method"] == "edsr") & (scores["detector"] == "xception")
    scores.loc[edsr, "logit"] -= 2.0
    scores.loc[scores["method"] == "bicubic", "logit"] += 2.5
    write_report(finished(tmp_path, scores))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "edsr did more harm in some and less in others than bicubic in 4" in page
    assert "Its FNR was higher in 1 and lower in 0 of 2" in page
    assert "Its FPR was higher in 0 and lower in 2 of 2." in page


def test_the_report_stands_alone_and_leaves_nothing_out(study: Path) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;.png: It is no picture." in page
    assert "120 of 121 pictures measured" in page
    assert not any(word in page for word in ("http-equiv", "src=", "<script", "url(h", "@import"))


def test_a_report_says_that_its_numbers_are_those_of_the_fast_mode(
    study: Path, tmp_path: Path
) -> None:
    fast = tmp_path / "fast"
    shutil.copytree(study, fast)
    manifest = json.loads((fast / "manifest.json").read_text())
    (fast / "manifest.json").write_text(json.dumps(manifest | {"precision": "bfloat16"}))
    write_report(fast)
    assert "computed in bfloat16" in (fast / "report.html").read_text(encoding="utf-8")
    assert "bfloat16" not in (study / "report.html").read_text(encoding="utf-8")


def test_the_page_is_told_to_those_who_do_not_see_it(study: Path) -> None:
    page = (study / "report.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    assert page.count("<table>") == page.count("<caption>") == page.count('tabindex="0"><table>')
    assert page.count("<svg ") == page.count('<svg role="img" aria-label="')
    assert not any(count > 1 for count in Counter(re.findall(r' id="([^"]*)"', page)).values())
    assert page.count("<details open>") == 4, "K = 2 of both methods: tables, and sizes"


def test_an_impossible_table_says_why_and_the_others_stand(tmp_path: Path) -> None:
    scores = made_scores()
    write_report(finished(tmp_path, scores[scores["forgery"] == PRISTINE]))
    said = (tmp_path / "tables" / "table_1_edsr_k2.md").read_text()
    assert said.count("resnet50, xception: A table needs pristine and fake pictures") == 1
    assert table(tmp_path, "table_1_edsr_k2") == []
    assert len(table(tmp_path, "table_3_edsr_k2")) == 1
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "only one of the two came" in page
    assert "60 pictures of 60 sources: 60 pristine and 0 fake." in page


def test_a_forgery_of_one_source_alone_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    scores = made_scores()
    scores.loc[scores["sample"] == "1.jpg", "forgery"] = "FaceSwap"
    scores = scores[(scores["forgery"] != PRISTINE) | (scores["sample"] == "0.jpg")]
    write_report(finished(tmp_path, scores))
    assert {row["Forgery"] for row in table(tmp_path, "table_1_edsr_k2")} == {"Deepfakes"}
    said = (tmp_path / "tables" / "table_1_edsr_k2.md").read_text()
    assert "resnet50, FaceSwap, xception, FaceSwap: A table needs pictures of two" in said


def test_detectors_of_one_forgery_each_have_curves_and_rows_of_their_own(tmp_path: Path) -> None:
    scores = made_scores().assign(trained_on="")
    own = {"resnet50": "Deepfakes", "xception": "FaceSwap"}
    scores["trained_on"] = scores["detector"].map(own)
    fake = scores["forgery"] != PRISTINE
    half = scores["sample"].str.removesuffix(".jpg").astype(int) % 4 == 1
    scores.loc[fake & half, "forgery"] = "FaceSwap"
    write_report(finished(tmp_path, scores[~fake | (scores["forgery"] == scores["trained_on"])]))
    named = [(row["Detector"], row["Forgery"]) for row in table(tmp_path, "table_1_edsr_k2")[::2]]
    assert named == [("resnet50 (Deepfakes)", "Deepfakes"), ("xception (FaceSwap)", "FaceSwap")]
    assert float(table(tmp_path, "table_1_edsr_k2")[2]["Paper's FNR"]) == pytest.approx(0.051)
    curves = {path.name for path in tmp_path.glob("roc_edsr*.svg")}
    assert curves == {"roc_edsr_k2_Deepfakes.svg", "roc_edsr_k2_FaceSwap.svg"}
    assert (tmp_path / "change_resnet50-Deepfakes.svg").is_file()


def test_a_size_with_one_class_alone_is_told(tmp_path: Path) -> None:
    scores = made_scores()
    scores.loc[scores["forgery"] == PRISTINE, "face_side"] += 300
    write_report(finished(tmp_path, scores))
    sizes = [row["Faces"] for row in table(tmp_path, "size_edsr_k2")]
    assert sizes == ["middle third"] * 2
    said = (tmp_path / "tables" / "size_edsr_k2.md").read_text()
    assert "resnet50, smallest third, resnet50, largest third, xception" in said


def test_a_study_whose_pictures_were_all_refused_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="all were refused"):
        write_report(finished(tmp_path, made_scores().head(0)))


def test_the_report_is_the_same_twice(study: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(study, again)
    write_report(again)
    for file in sorted(path for path in study.rglob("*") if path.is_file()):
        assert (again / file.relative_to(study)).read_bytes() == file.read_bytes(), file.name
