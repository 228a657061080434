"""The studies that ship: of the networks that ship, without faces, and quoted as they are."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score

from demo.study.finished import BUNDLED
from models.card_files import CARDS_FOLDER

ROOT = Path(__file__).parents[2]
DEFENCES = ROOT / "assets" / "defences" / "dfdc_test"
STUDIES = sorted(path.name for path in BUNDLED.iterdir())


def test_test_and_val_are_kept_apart() -> None:
    assert STUDIES == ["dfdc_test", "dfdc_val"]


@pytest.mark.parametrize("name", STUDIES)
def test_it_is_of_the_networks_that_ship(name: str) -> None:
    manifest = json.loads((BUNDLED / name / "manifest.json").read_text())
    assert name.removeprefix("dfdc_") + " split" in manifest["data"]
    for network, sha256 in manifest["weights"].items():
        card = json.loads((CARDS_FOLDER / f"{network}.json").read_text())
        assert card["weights"]["sha256"] == sha256


@pytest.mark.parametrize("name", STUDIES)
def test_it_holds_no_face(name: str) -> None:
    endings = {path.suffix for path in (BUNDLED / name).rglob("*") if path.is_file()}
    assert endings == {".csv", ".html", ".json", ".md", ".parquet", ".svg", ".tex"}
    assert "data:image" not in (BUNDLED / name / "report.html").read_text()


@pytest.mark.parametrize("name", STUDIES)
def test_its_table_says_what_the_scores_say(name: str) -> None:
    rows = pd.read_parquet(BUNDLED / name / "scores.parquet")
    harm = pd.read_csv(BUNDLED / name / "tables" / "harm.csv")
    assert len(harm) == 3 * 18
    for line in harm.itertuples(index=False):
        said = dict(zip(harm.columns, line, strict=True))
        own = rows[
            (rows["detector"] == said["Detector"])
            & (rows["method"] == said["Method"])
            & (rows["k"] == said["K"])
        ]
        fake = (own["forgery"] != "pristine").to_numpy()
        called = 1 / (1 + np.exp(-own["logit"])) >= own["threshold"]
        (spared, alarms), (missed, caught) = confusion_matrix(fake, called)
        assert said["FNR, attacked"] == pytest.approx(missed / (missed + caught))
        assert said["FPR, attacked"] == pytest.approx(alarms / (alarms + spared))
        assert said["AUC, attacked"] == pytest.approx(roc_auc_score(fake, own["logit"]))


def test_the_readme_quotes_the_table() -> None:
    table = (BUNDLED / "dfdc_test" / "tables" / "harm.md").read_text()
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    quoted = (ROOT / "README.md").read_text()
    for line in lines[2:]:
        if line[1] in ("edsr", "bicubic") and line[2] in ("2.0", "4.0"):
            kept = [line[column] for column in (0, 1, 2, 3, 7, 9, 10, 12)]
            assert f"| {' | '.join(kept)} |" in quoted


def test_the_readme_quotes_the_table_of_defences() -> None:
    table = (DEFENCES / "tables" / "defences.md").read_text()
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    told = {line[0]: dict(zip(lines[0], line, strict=True)) for line in lines[2:]}
    readme = (ROOT / "README.md").read_text().split("## What the defences do")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in readme.splitlines() if line.startswith("|")]
    assert {row[0] for row in rows[2:]} == set(told)
    for row in rows[2:]:
        assert row == [told[row[0]][column] for column in rows[0]]


def test_the_study_of_defences_is_of_the_networks_that_ship_and_says_what_its_scores_say() -> None:
    manifest = json.loads((DEFENCES / "manifest.json").read_text())
    for network, sha256 in manifest["weights"].items():
        card = json.loads((CARDS_FOLDER / f"{network}.json").read_text())
        assert card["weights"]["sha256"] == sha256
    rows = pd.read_parquet(DEFENCES / "scores.parquet")
    clean = rows[rows["method"] == "clean"]
    table = pd.read_csv(DEFENCES / "tables" / "defences.csv").set_index("Detector")
    assert set(table.index) == set(clean["detector"])
    for name, own in clean.groupby("detector"):
        fake = (own["forgery"] != "pristine").to_numpy()
        called = 1 / (1 + np.exp(-own["logit"])) >= own["threshold"]
        (spared, alarms), (missed, caught) = confusion_matrix(fake, called)
        said = table.loc[name]
        assert said["Clean AUC"] == pytest.approx(roc_auc_score(fake, own["logit"]))
        assert said["FNR, clean"] == pytest.approx(missed / (missed + caught))
        assert said["FPR, clean"] == pytest.approx(alarms / (alarms + spared))
