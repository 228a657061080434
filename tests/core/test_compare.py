"""Rows of a comparison come from one analysis each; the CSV loses no digit and runs no formula."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from demo.core.analysis import Analysis, Settings, Toolbox, analyse, versions
from demo.core.compare import Row, asked_detectors, compared, comparison_csv
from demo.core.faces import FaceDetector
from demo.core.images import Picture, digest
from models.zoo import Zoo

SETTINGS = Settings(k=3.0, method="lanczos")
REFUSED = Row("hills.png", SETTINGS, None, "No face was found, not even a small one.")


@pytest.fixture(scope="module")
def analysis(random_zoo: Zoo, astronaut: Picture) -> Analysis:
    return analyse(astronaut, SETTINGS, Toolbox(random_zoo, FaceDetector()))


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_is_the_analysis_of_the_largest_face(analysis: Analysis, astronaut: Picture) -> None:
    row = compared("face.png", analysis)
    assert row.reading is not None
    assert row.reading.digest == digest(astronaut)
    assert row.reading.size == (512, 512)
    assert row.reading.faces == len(analysis.faces) == 1
    assert row.reading.scores == analysis.results[0].scores
    assert row.reading.quality == analysis.results[0].quality
    assert list(asked_detectors([REFUSED, row])) == [s.detector for s in row.reading.scores]


def test_the_csv_holds_every_number_to_the_last_digit(analysis: Analysis) -> None:
    result = analysis.results[0]
    (line,) = read(comparison_csv([compared("face.png", analysis)]))
    assert line["picture"] == "face.png"
    assert (float(line["k"]), line["method"]) == (3.0, "lanczos")
    assert (line["kernel"], line["scope"]) == ("area", "face")
    assert float(line["ssim"]) == result.quality.ssim
    assert float(line["psnr_db"]) == result.quality.psnr_db
    assert float(line["mean_difference"]) == result.quality.mean_difference
    assert int(line["max_difference"]) == result.quality.max_difference
    box = tuple(int(line[f"crop_{side}"]) for side in ("x0", "y0", "x1", "y1"))
    assert box == result.box
    for score in result.scores:
        assert float(line[f"{score.detector}_clean"]) == score.clean
        assert float(line[f"{score.detector}_attacked"]) == score.attacked
        assert float(line[f"{score.detector}_threshold"]) == score.threshold
        assert (line[f"{score.detector}_clean_verdict"] == "fake") == score.clean_fake
        assert (line[f"{score.detector}_attacked_verdict"] == "fake") == score.attacked_fake
        assert line[f"{score.detector}_flipped"] == ("yes" if score.flipped else "no")
        assert (score.title in line["flipped"]) == score.flipped


def test_the_csv_says_what_made_the_numbers(analysis: Analysis) -> None:
    (line,) = read(comparison_csv([compared("face.png", analysis)]))
    assert line["picture_sha256"] == digest(analysis.picture)
    assert line["device"] == analysis.device
    assert {model.name: line[f"{model.name}_sha256"] for model in analysis.models} == {
        model.name: model.sha256 for model in analysis.models
    }
    assert {name: line[f"version_{name}"] for name, _ in versions()} == dict(versions())


def test_a_refused_picture_has_its_sentence_and_empty_columns(analysis: Analysis) -> None:
    refused, done = read(comparison_csv([REFUSED, compared("face.png", analysis)]))
    assert refused["refusal"] == REFUSED.refusal
    assert refused["ssim"] == refused["faces"] == refused["flipped"] == ""
    assert float(refused["k"]) == 3.0
    assert done["refusal"] == ""
    assert float(done["ssim"]) == analysis.results[0].quality.ssim


def test_identical_crops_have_an_infinite_psnr(analysis: Analysis) -> None:
    row = compared("face.png", analysis)
    assert row.reading is not None
    same = replace(row.reading, quality=replace(row.reading.quality, psnr_db=np.inf))
    (line,) = read(comparison_csv([replace(row, reading=same)]))
    assert float(line["psnr_db"]) == np.inf


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_name_is_a_formula(start: str) -> None:
    name = f'{start}HYPERLINK("http://example.org","a;b")'
    text = comparison_csv([replace(REFUSED, name=name)])
    (line,) = read(text)
    assert line["picture"] == f"'{name}"
    assert text.splitlines()[1].startswith("\"'")


def test_a_name_with_every_separator_stays_in_its_cell() -> None:
    name = 'a, "b"; c\nd.png'
    (line,) = read(comparison_csv([replace(REFUSED, name=name)]))
    assert (line["picture"], line["refusal"]) == (name, REFUSED.refusal)
