"""`python -m demo defences`: the same numbers as the core's, as a table and as JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.cli import main
from demo.core.defences import defences, find_defences
from demo.core.defending import ask_defences
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.core.own_gradient import NATURE
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from models.zoo import Zoo

WORDS = ["--method", "bicubic", "--k", "4", "--whole"]
SETTINGS = Settings(4.0, "bicubic", whole=True)


@pytest.fixture(scope="module")
def toolbox(defended_zoo: Zoo) -> Toolbox:
    return Toolbox(defended_zoo, FaceDetector())


@pytest.fixture
def crop(astronaut: Picture, tmp_path: Path) -> Path:
    path = tmp_path / "crop.png"
    Image.fromarray(astronaut[:200, 120:320]).save(path)
    return path


def test_json_holds_every_defence_beside_its_plain_detector(
    crop: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["defences", str(crop), *WORDS, "--json"], lambda *asked: toolbox) == 0
    said = json.loads(capsys.readouterr().out)
    picture = np.asarray(Image.open(crop))
    found = ask_defences(picture, SETTINGS, defences(toolbox.zoo), toolbox)
    assert said["settings"]["k"] == 4
    assert [one["name"] for one in said["defences"]] == [one.name for one in defences(toolbox.zoo)]
    for one, expected in zip(said["defences"], found.scores, strict=True):
        assert one["score"]["clean_logit"] == expected.score.clean_logit
        assert one["score"]["attacked_logit"] == expected.score.attacked_logit
        assert (one["plain"] is None) == (expected.plain is None)
        assert one["keeps"] == expected.keeps
        assert one["actions"] == list(expected.actions)


def test_a_table_has_a_line_a_defence_and_one_for_the_plain_detector(
    crop: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["small_residual", "resnet50_robust"]
    words = ["defences", str(crop), *WORDS, "--only", *names]
    assert main(words, lambda *asked: toolbox) == 0
    lines = capsys.readouterr().out.splitlines()
    picture = np.asarray(Image.open(crop))
    found = ask_defences(picture, SETTINGS, find_defences(names, toolbox.zoo), toolbox)
    assert len(lines) == 2 + 2 * 2
    for place, one in enumerate(found.scores):
        own, plain = lines[2 + 2 * place : 4 + 2 * place]
        assert one.plain is not None
        assert own.startswith(one.defence.title) and f"{one.score.attacked:.3f}" in own
        assert plain.startswith(f"  against {one.plain.title}")
        assert f"{one.plain.clean:.3f}" in plain
        assert ("FLIPPED" in plain) == one.plain.flipped


def test_the_white_box_is_told_beside_the_round_trip_and_named_a_research_figure(
    crop: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["defences", str(crop), *WORDS, "--only", "small_residual", "--white-box"]
    assert main([*words, "--json"], lambda *asked: toolbox) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["white_box"] == NATURE and "research figure" in NATURE
    (one,) = said["defences"]
    for found in (one["gradient"], one["plain_gradient"]):
        assert found["found"]
        assert found["psnr_db"] == pytest.approx(found["round_trip_psnr_db"], abs=0.1)
    assert one["gradient"]["score"]["clean_logit"] == one["score"]["clean_logit"]
    assert main(words, lambda *asked: toolbox) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[3].startswith("    by its own gradient")
    assert f"{one['gradient']['score']['attacked']:.3f}" in lines[3]
    assert f"PSNR {one['gradient']['psnr_db']:.2f} dB" in lines[3]
    assert lines[-1] == NATURE


def test_a_record_without_gradients_says_so_and_an_infinite_psnr_is_null(
    crop: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["defences", str(crop), *WORDS, "--only", "small", "--json"]
    assert main(words, lambda *asked: toolbox) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["white_box"] is said["defences"][0]["gradient"] is None
    grey = crop.with_name("grey.png")
    Image.new("RGB", (200, 200), "grey").save(grey)
    words[1] = str(grey)
    assert main([*words, "--white-box"], lambda *asked: toolbox) == 0
    gradient = json.loads(capsys.readouterr().out)["defences"][0]["gradient"]
    assert gradient["psnr_db"] is gradient["round_trip_psnr_db"] is None


def test_a_defence_that_is_not_there_is_refused_with_those_that_are(
    crop: Path, toolbox: Toolbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["defences", str(crop), "--only", "small_mixed"]
    assert main(words, lambda *asked: toolbox) == 2
    said = capsys.readouterr()
    assert "'small_mixed' is not there: expected resnet50_robust," in said.err
    none = Toolbox(Zoo("cpu", cards=tmp_path), FaceDetector())
    assert main(words[:2], lambda *asked: none) == 2
    assert "none ships here" in capsys.readouterr().err
