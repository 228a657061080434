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
