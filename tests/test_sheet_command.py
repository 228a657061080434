"""`python -m demo sheet`: what it writes, says and refuses."""

import json
from pathlib import Path

import pytest
from PIL import Image

from demo.cli import main
from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.faces import FaceDetector
from demo.core.images import Picture, read_picture
from demo.core.record import record
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import PictureShown, SheetSettings
from models.zoo import Zoo


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def portrait(astronaut: Picture, tmp_path: Path) -> Path:
    path = tmp_path / "portrait.png"
    Image.fromarray(astronaut[0:256, 100:356]).save(path)
    return path


def run(toolbox: Toolbox, *words: object) -> int:
    return main(["sheet", *map(str, words)], lambda *asked: toolbox)


def test_the_sheet_is_that_of_the_analyses_and_tells_their_numbers(
    toolbox: Toolbox, portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sheet.svg"
    words = "--k 2 4 --method bicubic --kernel bicubic --whole --rows after scores --width 85"
    assert run(toolbox, portrait, *words.split(), "--json", "-o", out) == 0
    picture = read_picture(portrait)
    analyses = tuple(
        analyse(picture, Settings(k, "bicubic", "bicubic", whole=True), toolbox) for k in (2, 4)
    )
    settings = SheetSettings(rows=("after", "scores"), width_mm=85)
    shown = PictureShown("portrait.png", analyses)
    assert out.read_bytes() == figure_sheet([shown], settings, "sheet.svg")
    said = json.loads(capsys.readouterr().out)
    expected = [{"file": "portrait.png", **record(analysis)} for analysis in analyses]
    assert said == json.loads(json.dumps({"file": "sheet.svg", "columns": expected}))


def test_the_command_in_the_caption_makes_the_same_bytes_and_names_no_folder(
    toolbox: Toolbox, portrait: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "sheet.png"
    words = (
        "--k 3 1.5 --method lanczos --scope faces --box 60 30 170.5 170 --rows zoom difference "
        "--gain 4 --window 20 --at 30 40.5 --width 85 --device cpu --weights edsr_x2=a/b.safe"
    )
    assert run(toolbox, portrait, *words.split(), "-o", out) == 0
    first = out.read_bytes()
    with Image.open(out) as image:
        command = str(image.info["Command"])
    assert command.startswith("python -m demo sheet portrait.png --k 3 1.5 --method lanczos ")
    assert "edsr_x2=b.safe" in command
    assert str(tmp_path) not in command and "a/b" not in command
    assert str(tmp_path).encode() not in first
    monkeypatch.chdir(tmp_path)
    assert run(toolbox, *command.split()[4:]) == 0
    assert out.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("{portrait} -o {folder}/sheet.gif", ".png, .pdf or .svg"),
        ("{portrait} -o {portrait}", "overwrite"),
        ("{portrait} --rows before before -o {folder}/s.png", "each named once"),
        ("{portrait} --rows middle -o {folder}/s.png", "row must be one of before"),
        ("{portrait} --width 100 -o {folder}/s.png", "85, 175"),
        ("{portrait} --gain 0 -o {folder}/s.png", "1 to 64"),
        ("{portrait} --window 0 -o {folder}/s.png", "1 or more"),
        ("{portrait} --window x -o {folder}/s.png", "whole number"),
        ("{portrait} --at nan 0 -o {folder}/s.png", "two numbers"),
        ("{portrait} --k 2 5 -o {folder}/s.png", "K must be one of"),
        ("{portrait} {bad} -o {folder}/s.png", "bad.png: A JPEG"),
        ("{portrait} --method bicubic -o {folder}/none/s.png", "could not be written"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    words: str,
    expected: str,
    toolbox: Toolbox,
    portrait: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    places = {"portrait": portrait, "bad": bad, "folder": tmp_path}
    assert run(toolbox, *(word.format(**places) for word in words.split())) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert expected in captured.err
    assert str(tmp_path) not in captured.err
