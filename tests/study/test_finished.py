"""Finished studies are found by their reports, and packed the same each time."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from demo.study.finished import archive, finished_studies
from tests.made_studies import make_study


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shelf")
    make_study(root / "b", "DFDC, test")
    make_study(root / "a", "DFDC, val")
    for name, manifest in (("broken", "{"), ("list", "[]"), ("older", '{"data": "x"}')):
        (root / name).mkdir()
        (root / name / "report.html").write_text("<html></html>")
        (root / name / "manifest.json").write_text(manifest)
    (root / "running").mkdir()
    (root / "running" / "manifest.json").write_text((root / "a" / "manifest.json").read_text())
    return root


def test_a_folder_with_a_report_and_its_manifest_is_a_study(shelf: Path) -> None:
    first, second = finished_studies(shelf)
    assert (first.data, second.data) == ("DFDC, val", "DFDC, test")
    assert (second.samples, second.measured) == (25, 24)
    assert (second.methods, second.factors, second.kernel) == (("edsr",), (2.0,), "area")
    assert second.report() == (shelf / "b" / "report.html").read_text(encoding="utf-8")
    assert first.key != second.key
    assert str(shelf) not in first.key


def test_no_folder_holds_no_study(tmp_path: Path) -> None:
    assert finished_studies(tmp_path / "missing") == ()


def test_the_archive_holds_tables_curves_and_scores(shelf: Path) -> None:
    study = finished_studies(shelf)[1]
    packed = archive(study)
    assert archive(study) == packed
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        names = files.namelist()
        assert json.loads(files.read("manifest.json"))["data"] == "DFDC, test"
        assert files.read("scores.parquet") == (shelf / "b" / "scores.parquet").read_bytes()
    tables = {f"tables/{file.name}" for file in (shelf / "b" / "tables").iterdir()}
    assert {name for name in names if name.startswith("tables/")} == tables
    assert {Path(name).suffix for name in tables} == {".csv", ".md", ".tex"}
    assert "roc_edsr_k2.svg" in names
    assert "report.html" not in names
