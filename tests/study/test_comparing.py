"""Studies side by side: paired on common pictures, refused where nothing is shared."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from demo.core.errors import SettingsError
from demo.study.comparing import write_comparison
from tests.made_studies import made_scores
from tests.study.test_report import finished


def compared(folder: Path, *scores: pd.DataFrame) -> list[dict[str, str]]:
    """The comparison's rows of xception after EDSR, one a study."""
    runs = [finished(folder / f"run {number}", one) for number, one in enumerate(scores)]
    write_comparison(runs, folder / "out")
    with (folder / "out" / "comparison.csv").open(newline="") as file:
        return [
            row
            for row in csv.DictReader(file)
            if (row["Detector"], row["Method"]) == ("xception", "edsr")
        ]


def test_the_same_pictures_are_compared_one_by_one(tmp_path: Path) -> None:
    gentler = made_scores(harm=0.2)
    in_other_order = gentler.sort_values("sample", kind="stable")
    first, second = compared(tmp_path, made_scores(), in_other_order)
    assert second["Compared with the first"] == "paired, 120 pictures"
    less = float(second["Change of FNR less the first's"])
    assert less == pytest.approx(float(second["Change of FNR"]) - float(first["Change of FNR"]))
    assert less < float(second["Change of FNR less the first's high"]) < 0
    assert float(second["p, FNR"]) < 0.01
    assert float(second["p, FPR"]) == 1.0
    assert first["Compared with the first"] == ""


def test_a_study_with_fewer_of_the_pictures_is_compared_on_those(tmp_path: Path) -> None:
    _, second = compared(tmp_path, made_scores(), made_scores(samples=60))
    assert second["Compared with the first"] == "paired, 60 pictures"
    assert float(second["Change of FNR less the first's"]) == 0


def test_other_pictures_are_independent_and_less_certain(tmp_path: Path) -> None:
    other = made_scores(harm=0.2).assign(picture_sha256="0" * 64)
    other["sample"] = "other " + other["sample"]
    first, second = compared(tmp_path, made_scores(), other)
    assert second["Compared with the first"] == "independent"
    less = float(second["Change of FNR less the first's"])
    assert less == pytest.approx(float(second["Change of FNR"]) - float(first["Change of FNR"]))
    assert float(second["p, FNR"]) < 0.05
    assert float(second["Change of FNR less the first's low"]) < less


def test_what_differs_is_said_and_what_does_not_is_left_out(tmp_path: Path) -> None:
    runs = [finished(tmp_path / name / "study", made_scores()) for name in "ab"]
    for run, kernel in zip(runs, ("area", "bicubic"), strict=True):
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["plan"]["kernel"] = kernel
        (run / "manifest.json").write_text(json.dumps(manifest))
    write_comparison(runs, tmp_path / "out")
    with (tmp_path / "out" / "settings.csv").open(newline="") as file:
        said = {row["Asked"]: (row["study"], row["study (2)"]) for row in csv.DictReader(file)}
    assert said["plan.kernel"] == ("area", "bicubic")
    assert said["data"] == ("made up", "made up")
    assert "plan.seed" not in said
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert page.count("<table>") == 2


def test_studies_that_share_nothing_are_refused(tmp_path: Path) -> None:
    other = made_scores().replace({"detector": {"resnet50": "one", "xception": "two"}})
    with pytest.raises(SettingsError, match="share none"):
        compared(tmp_path, made_scores(), other)
    assert not (tmp_path / "out").exists()
