"""The study of white-box attacks that ships: without faces, and written from its own scores."""

import json
import math
import shutil
from pathlib import Path

import pandas as pd
import pytest

from demo.study.measuring import CLEAN
from demo.study.samples import PRISTINE
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP
from demo.study.white_box_report import write_white_box_report
from models.cards import CARDS_FOLDER

BUNDLED = Path(__file__).parents[2] / "assets" / "defences" / "white_box"


def test_it_is_of_the_networks_that_ship() -> None:
    manifest = json.loads((BUNDLED / "manifest.json").read_text())
    assert "test split" in manifest["data"]
    assert manifest["measured"] >= 40
    for network, sha256 in manifest["weights"].items():
        card = json.loads((CARDS_FOLDER / f"{network}.json").read_text())
        assert card["weights"]["sha256"] == sha256


def test_it_holds_no_face() -> None:
    endings = {path.suffix for path in BUNDLED.rglob("*") if path.is_file()}
    assert endings == {".csv", ".html", ".json", ".md", ".parquet", ".svg", ".tex"}
    assert "data:image" not in (BUNDLED / "report.html").read_text()


def test_its_tables_are_written_from_its_scores(tmp_path: Path) -> None:
    for name in ("scores.parquet", "manifest.json"):
        shutil.copy(BUNDLED / name, tmp_path / name)
    write_white_box_report(tmp_path)
    for file in sorted((BUNDLED / "tables").iterdir()):
        assert (tmp_path / "tables" / file.name).read_text() == file.read_text()


@pytest.mark.parametrize("knows", ["resnet50", "swin_small", "xception"])
def test_its_transfer_table_says_what_the_scores_say(knows: str) -> None:
    rows = pd.read_parquet(BUNDLED / "scores.parquet")
    threshold = rows["threshold"].map(lambda one: math.log(one / (1 - one)))
    rows["wrong"] = (rows["logit"] >= threshold) != (rows["forgery"] != PRISTINE)
    table = pd.read_csv(BUNDLED / "tables" / "transfer.csv").set_index("Gradient of")
    for asked in ("resnet50", "swin_small", "xception"):
        own = rows[rows["detector"] == asked]
        right = own.loc[(own["attack"] == CLEAN) & ~own["wrong"], "sample"]
        of_right = own[own["sample"].isin(right)]
        gradient = of_right[(of_right["attack"] == EQUAL_PSNR) & (of_right["knows"] == knows)]
        assert table.loc[knows, asked] == pytest.approx(gradient["wrong"].mean())
        trip = of_right.loc[of_right["attack"] == ROUND_TRIP, "wrong"].mean()
        assert table.loc["round trip", asked] == pytest.approx(trip)
