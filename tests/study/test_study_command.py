"""`python -m demo study`: a folder of faces goes in, a report comes out."""

from pathlib import Path

import pytest

from demo.cli import main
from demo.core.picture_attack import Toolbox

WORDS = (
    *("--data", "folder", "--crops", "--k", "2", "--methods", "bicubic", "--device", "cpu"),
    *("--workers", "1"),
)


@pytest.mark.slow
def test_a_folder_of_faces_becomes_a_report(
    faces_folder: Path, study_toolbox: Toolbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    words = ["study", "run", "--root", str(faces_folder), "--out", str(out), *WORDS]
    assert main(words, lambda *asked: study_toolbox) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "19 of 20 pictures measured, 1 refused" in page
    assert "fake 3.png" in page
    assert (out / "tables" / "table_1_bicubic_k2.tex").read_text().count(r"\midrule") == 1
    assert "report.html in study" in capsys.readouterr().out
    assert (out / "gallery").exists() == ("data:image/png" in page)
    (out / "report.html").unlink()
    assert main(["study", "report", str(out)], lambda *asked: study_toolbox) == 0
    assert (out / "report.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--data", "dfdc"), "DFDC face crops was expected"),
        (("--data", "folder"), "none in real/"),
        (("--data", "openforensics"), "Add --annotations FILE"),
        (("--data", "openforensics", "--annotations", "none.json"), "file of OpenForensics"),
        (("--data", "dfdc", "--annotations", "a.json"), "is an option of --data openforensics"),
        (("--data", "video"), "must be one of dfdc, ffpp, folder, openforensics, but 'video' came"),
        (("--data", "ffpp"), "Add --splits FOLDER."),
        (("--data", "ffpp", "--crops"), "--crops is an option of --data folder, but --data ffpp"),
        (("--data", "folder", "--split", "val"), "--split is an option of --data dfdc or ffpp"),
        (("--data", "dfdc", "--frames", "3"), "--frames is an option of --data ffpp"),
        (("--data", "dfdc", "--forgeries", "FaceSwap"), "--forgeries is an option of --data ffpp"),
        (
            ("--data", "ffpp", "--detectors", "FaceSwap=a.json", "--detector", "b.pth"),
            "Either --detectors for each forgery or --detector",
        ),
    ],
)
def test_data_that_are_not_there_get_a_sentence(
    words: tuple[str, ...],
    sentence: str,
    study_toolbox: Toolbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["study", "run", *words, "--root", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(asked, lambda *made: study_toolbox) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_report_of_no_study_gets_a_sentence(
    tmp_path: Path, study_toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "report", str(tmp_path)], lambda *asked: study_toolbox) == 2
    assert "Run the study to its end first." in capsys.readouterr().err


@pytest.mark.parametrize("words", [("a", "b"), ("a", "--out", "c")])
def test_a_comparison_without_a_second_study_or_a_folder_gets_a_sentence(
    words: tuple[str, ...], study_toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "report", *words], lambda *asked: study_toolbox) == 2
    assert "two or more folders and --out FOLDER" in capsys.readouterr().err
