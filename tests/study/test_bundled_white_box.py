"""The studies of white-box attacks that ship: without faces, and written from their own scores."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demo.study.measuring import CLEAN
from demo.study.samples import PRISTINE
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP
from demo.study.white_box_report import write_white_box_report
from models.card_files import CARDS_FOLDER

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "assets" / "defences"
NETWORKS = {
    "white_box": ("resnet50", "swin_small", "xception"),
    "white_box_small": ("small", "small_adversarial"),
}


@pytest.mark.parametrize("study", NETWORKS)
def test_it_is_of_the_networks_that_ship_and_lost_no_crop(study: str) -> None:
    manifest = json.loads((BUNDLED / study / "manifest.json").read_text())
    assert "test split" in manifest["data"]
    assert manifest["measured"] == manifest["samples"] == 60
    assert tuple(manifest["detectors"]) == NETWORKS[study]
    for network, sha256 in manifest["weights"].items():
        card = json.loads((CARDS_FOLDER / f"{network}.json").read_text())
        assert card["weights"]["sha256"] == sha256


def test_both_attacked_the_same_crops_alike() -> None:
    one, other = (json.loads((BUNDLED / name / "manifest.json").read_text()) for name in NETWORKS)
    for said in ("pictures_sha256", "plan"):
        assert one[said] == other[said]


@pytest.mark.parametrize("study", NETWORKS)
def test_it_holds_no_face(study: str) -> None:
    endings = {path.suffix for path in (BUNDLED / study).rglob("*") if path.is_file()}
    assert endings == {".csv", ".html", ".json", ".md", ".parquet", ".svg", ".tex"}
    assert "data:image" not in (BUNDLED / study / "report.html").read_text()


@pytest.mark.parametrize("study", NETWORKS)
def test_its_tables_are_written_from_its_scores(study: str, tmp_path: Path) -> None:
    for name in ("scores.parquet", "manifest.json"):
        shutil.copy(BUNDLED / study / name, tmp_path / name)
    write_white_box_report(tmp_path)
    for file in sorted((BUNDLED / study / "tables").iterdir()):
        assert (tmp_path / "tables" / file.name).read_text() == file.read_text()


@pytest.mark.parametrize(
    ("study", "knows"), [(study, one) for study, names in NETWORKS.items() for one in names]
)
def test_its_transfer_table_says_what_the_scores_say(study: str, knows: str) -> None:
    rows = pd.read_parquet(BUNDLED / study / "scores.parquet")
    threshold = rows["threshold"].map(lambda one: math.log(one / (1 - one)))
    rows["wrong"] = (rows["logit"] >= threshold) != (rows["forgery"] != PRISTINE)
    table = pd.read_csv(BUNDLED / study / "tables" / "transfer.csv").set_index("Gradient of")
    for asked in NETWORKS[study]:
        own = rows[rows["detector"] == asked]
        right = own.loc[(own["attack"] == CLEAN) & ~own["wrong"], "sample"]
        of_right = own[own["sample"].isin(right)]
        gradient = of_right[(of_right["attack"] == EQUAL_PSNR) & (of_right["knows"] == knows)]
        assert table.loc[knows, asked] == pytest.approx(gradient["wrong"].mean())
        trip = of_right.loc[of_right["attack"] == ROUND_TRIP, "wrong"].mean()
        assert table.loc["round trip", asked] == pytest.approx(trip)


def test_the_readme_quotes_before_and_after_adversarial_training() -> None:
    study = BUNDLED / "white_box_small"
    table = (study / "tables" / "transfer.md").read_text()
    cells = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    turned = {
        line[0]: dict(zip(NETWORKS["white_box_small"], line[1:], strict=True)) for line in cells
    }
    rows = pd.read_parquet(study / "scores.parquet")
    own = rows[(rows["detector"] == "small_adversarial") & (rows["attack"] == EQUAL_PSNR)]
    still = own[(own["knows"] == "small_adversarial") & np.isinf(own["psnr_db"])]
    readme = " ".join((ROOT / "README.md").read_text().split())
    for knows, asked in (
        ("small", "small"),
        ("small_adversarial", "small_adversarial"),
        ("small", "small_adversarial"),
    ):
        assert turned[knows][asked].replace(" (", " % (") in readme
    assert f"on {len(still)} of 60 crops" in readme
