"""`python -m demo replay`: what it prints, its exit status, and what it refuses."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from demo.cli import DIFFERENT, main
from demo.cli_options import REFUSED
from demo.core.analysis import Toolbox
from demo.core.faces import FaceDetector
from demo.examples import EXAMPLES
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
Run = Callable[..., int]
Capture = pytest.CaptureFixture[str]
WHOLE = ("--whole", "--method", "lanczos")


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def asked() -> list[str]:
    """The devices that commands asked for."""
    return []


@pytest.fixture
def run(toolbox: Toolbox, asked: list[str]) -> Run:
    """Run a command over the made-up networks and return its exit status."""

    def make(device: str, *given: object) -> Toolbox:
        asked.append(device)
        return toolbox

    return lambda *words: main([str(word) for word in words], make)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    coarse = np.random.default_rng(5).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    Image.fromarray(np.kron(coarse, np.ones((16, 16, 1), np.uint8))).save(path)
    return path


@pytest.fixture
def record(run: Run, picture: Path, tmp_path: Path, capsys: Capture) -> Path:
    """What `analyse --out` wrote about the picture."""
    assert run("analyse", picture, *WHOLE, "--out", tmp_path / "out") == 0
    capsys.readouterr()
    return tmp_path / "out" / "record.json"


def change(record: Path, **fields: Any) -> dict[str, Any]:
    """Writes the record with fields replaced; returns what it said before."""
    said: dict[str, Any] = json.loads(record.read_text())
    record.write_text(json.dumps(said | fields))
    return said


def sentence(capsys: Capture) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_what_analyse_wrote_comes_out_again(
    run: Run, record: Path, picture: Path, capsys: Capture
) -> None:
    assert run("replay", record, picture) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith("The same to the last digit: all ")
    assert captured.out.count("\n") == 1


def test_what_analyse_printed_comes_out_again(
    run: Run, picture: Path, tmp_path: Path, capsys: Capture
) -> None:
    run("analyse", picture, *WHOLE, "--json")
    (tmp_path / "printed.json").write_text(capsys.readouterr().out, encoding="utf-16")
    assert run("replay", tmp_path / "printed.json", picture) == 0


def test_the_record_of_an_example_needs_no_picture(
    run: Run, tmp_path: Path, capsys: Capture
) -> None:
    run("analyse", EXAMPLES[1].path, "--box", 180, 80, 220, 120, "--out", tmp_path)
    capsys.readouterr()
    assert run("replay", tmp_path / "record.json") == 0
    assert "same to the last digit" in capsys.readouterr().out


def test_a_number_that_differs_is_told_by_how_much_with_the_reasons(
    run: Run, record: Path, picture: Path, capsys: Capture
) -> None:
    said = change(record)
    score = said["results"][0]["scores"][0]
    now = score["clean"]
    score["clean"] = now - 0.25
    change(record, results=said["results"], versions=said["versions"] | {"torch": "1.0"})
    assert run("replay", record, picture) == DIFFERENT
    out = capsys.readouterr().out
    assert out.startswith("1 difference from the record, which holds ")
    (row,) = [line for line in out.splitlines() if "fake probability before" in line]
    assert row.startswith(f"Whole picture, {score['detector']}, ")
    assert row.split()[-3:] == [repr(now - 0.25), repr(now), "+0.25"]
    (reason,) = [line for line in out.splitlines() if line.startswith("Version of torch")]
    assert reason.split()[-2:] == ["1.0", said["versions"]["torch"]]


def test_json_holds_the_same(run: Run, record: Path, picture: Path, capsys: Capture) -> None:
    said = change(record, device="cpu (AVX, 1 thread)")
    assert run("replay", record, picture, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["same"], told["differences"]) == (True, [])
    assert told["reasons"] == [
        {
            "kind": "device",
            "name": "device",
            "recorded": "cpu (AVX, 1 thread)",
            "now": said["device"],
        }
    ]
    quality = said["results"][0]["quality"]
    said["results"][0]["quality"] = quality | {"max_difference": quality["max_difference"] + 2}
    change(record, results=said["results"])
    assert run("replay", record, picture, "--json") == DIFFERENT
    (difference,) = json.loads(capsys.readouterr().out)["differences"]
    assert difference == {
        "subject": "whole",
        "detector": "",
        "quantity": "max_difference",
        "recorded": quality["max_difference"] + 2,
        "now": quality["max_difference"],
        "change": -2,
    }


def test_another_picture_is_refused_before_anything_is_loaded(
    run: Run, record: Path, picture: Path, asked: list[str], tmp_path: Path, capsys: Capture
) -> None:
    asked.clear()
    Image.open(picture).rotate(180).save(tmp_path / "other.png")
    assert run("replay", record, tmp_path / "other.png") == REFUSED
    assert "Nothing was compared" in sentence(capsys)
    assert run("replay", record, tmp_path / "out" / "attacked.png") == REFUSED
    assert "the attacked picture" in sentence(capsys)
    assert run("replay", record) == REFUSED
    assert "96×80 px that is none of the examples" in sentence(capsys)
    assert asked == []


def test_the_record_of_an_attack_or_of_nothing_is_refused(
    run: Run, picture: Path, tmp_path: Path, capsys: Capture
) -> None:
    run("attack", picture, *WHOLE, "-o", tmp_path / "a.png", "--json")
    (tmp_path / "attack.json").write_text(capsys.readouterr().out)
    assert run("replay", tmp_path / "attack.json", picture) == REFUSED
    assert "of an attack alone" in sentence(capsys)
    assert run("replay", picture, picture) == REFUSED
    assert "something else came" in sentence(capsys)
    assert run("replay", tmp_path / "none.json", picture) == REFUSED
    assert "none at this place" in sentence(capsys)


def test_the_device_is_that_of_the_record_where_it_is_here(
    run: Run, record: Path, picture: Path, asked: list[str]
) -> None:
    asked.clear()
    run("replay", record, picture)
    run("replay", record, picture, "--device", "auto")
    assert asked == ["cpu", "auto"]


def test_a_detector_of_the_record_that_was_not_given_is_asked_for(
    toolbox: Toolbox,
    random_models: ModelFolders,
    run: Run,
    picture: Path,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    shipped = toolbox.zoo.detector("xception")
    mine = LoadedDetector(dataclasses.replace(shipped.card, name="mine"), shipped.network)
    zoo = Zoo("cpu", folder=random_models.weights, cards=random_models.cards, added=[mine])
    words = ["analyse", str(picture), *WHOLE, "--out", str(tmp_path)]
    main(words, lambda *asked: Toolbox(zoo, toolbox.faces))
    capsys.readouterr()
    assert run("replay", tmp_path / "record.json", picture) == DIFFERENT
    captured = capsys.readouterr()
    assert "--detector mine=FILE" in captured.err
    (row,) = [line for line in captured.out.splitlines() if "mine, measured" in line]
    assert row.split()[-3:] == ["yes", "no", "–"]


def test_a_record_of_the_fast_mode_is_repeated_in_it(
    run: Run, picture: Path, tmp_path: Path, capsys: Capture
) -> None:
    out = tmp_path / "fast"
    assert run("analyse", picture, *WHOLE, "--precision", "bfloat16", "--out", out) == 0
    assert json.loads((out / "record.json").read_text())["device"].endswith("bfloat16")
    assert run("replay", out / "record.json", picture) == 0
    assert run("replay", out / "record.json", picture, "--precision", "float32") == DIFFERENT
    assert "bfloat16" in capsys.readouterr().out
    assert run("analyse", picture, *WHOLE, "--precision", "half") == REFUSED
    assert "'half' is unknown" in sentence(capsys)
