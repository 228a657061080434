"""A record may come from anybody: what is none is refused with a sentence, whatever it holds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.core.analysis import Analysis, FaceResult, ModelUsed, Settings
from demo.core.errors import RecordError
from demo.core.faces import Face
from demo.core.picture_attack import Attack
from demo.core.quality import measure
from demo.core.record import attack_record, record_json
from demo.core.record_reading import MAX_BYTES, plain, read_record
from demo.core.round_trip_detection import RoundTripOpinion, RoundTripVerdict
from demo.core.scoring import DetectorScore

SEEN = RoundTripVerdict(RoundTripOpinion(0.8, 0.9, 2.0), RoundTripOpinion(0.97, 0.6, 2.5))
FACE = Face((10, 12, 60, 72), 0.9993, ((20.0, 30.5), (40.0, 30.0)), "mtcnn")


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    numbers = np.random.default_rng(0)
    picture, attacked = numbers.integers(0, 256, (2, 80, 100, 3), dtype=np.uint8)
    clean, changed = picture[12:72, 10:60], attacked[12:72, 10:60]
    score = DetectorScore("resnet50", "ResNet50", 0.75, 0.25, 1.1, -1.1, 0.5)
    result = FaceResult(
        FACE, FACE.box, clean, changed, measure(clean, changed), (score,), None, SEEN
    )
    return Analysis(
        picture=picture,
        attacked=attacked,
        faces=(FACE,),
        results=(result,),
        settings=Settings(k=2.5, kernel="bicubic"),
        device="cpu (AVX2, 1 thread)",
        models=(ModelUsed("edsr_x3", "a" * 64), ModelUsed("resnet50", "b" * 64)),
        problems=("Swin-Small is refused.",),
        versions=(("python", "3.11.7"), ("torch", "2.15.0")),
    )


@pytest.fixture
def said(analysis: Analysis) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(record_json(analysis))
    return parsed


def refusal(content: bytes | str) -> str:
    """The sentence that refuses a record: printable, on one line, without a path."""
    with pytest.raises(RecordError) as refused:
        read_record(content if isinstance(content, bytes) else content.encode())
    sentence = str(refused.value)
    assert sentence.isprintable()
    assert sentence.endswith((".", "…"))
    assert len(sentence) < 400
    return sentence


def test_a_record_reads_back_with_every_value(analysis: Analysis) -> None:
    read = read_record(record_json(analysis).encode())
    assert read.settings.settings() == analysis.settings
    assert read.settings.face == 1
    assert read.faces[0].box == FACE.box
    assert read.results[0].quality.ssim == analysis.results[0].quality.ssim
    assert read.results[0].scores[0].attacked_logit == -1.1
    assert read.versions == dict(analysis.versions)
    assert [model.name for model in read.models] == ["edsr_x3", "resnet50"]
    assert read.device == analysis.device


def test_what_was_seen_of_a_round_trip_reads_back(analysis: Analysis) -> None:
    (result,) = read_record(record_json(analysis).encode()).results
    assert result.round_trip is not None
    assert result.round_trip.clean is None
    seen = result.round_trip.attacked
    assert seen is not None
    assert (seen.linear.probability, seen.linear.threshold, seen.linear.k) == (0.8, 0.9, 2.0)
    assert (seen.linear.fired, seen.network.fired) == (False, True)


def test_a_record_from_before_round_trips_were_looked_for_is_still_read(
    said: dict[str, Any], analysis: Analysis
) -> None:
    del said["results"][0]["round_trip"]
    old = read_record(json.dumps(said | {"format": 1}).encode())
    assert old.results[0].round_trip is None
    assert old.results[0].scores == read_record(record_json(analysis).encode()).results[0].scores
    assert "missing results.0.round_trip" in refusal(json.dumps(said))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_record_is_read_as_editors_and_shells_save_it(analysis: Analysis, encoding: str) -> None:
    assert read_record(record_json(analysis).encode(encoding)).format == 2


def test_a_record_is_read_from_its_file(analysis: Analysis, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(record_json(analysis), encoding="utf-8")
    assert read_record(path) == read_record(path.read_bytes())
    for place in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(RecordError, match="none at this place"):
            read_record(place)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"\x89PNG\r\n\x1a\n",
        b"no JSON",
        b"{",
        b'{"format": NaN}',
        b'{"format": -Infinity}',
        b'{"format": ' + b"9" * 16 + b"}",
        b'{"format": ' + b"9" * 5000 + b"}",
        b'"\\ud800"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json_is_refused(content: bytes) -> None:
    assert "something else came" in refusal(content)


@pytest.mark.parametrize("content", ["1", "null", "[]", "{}", '{"format": 1}', '{"settings": {}}'])
def test_json_that_is_no_record_is_refused(content: str) -> None:
    assert "something else" in refusal(content)


@pytest.mark.parametrize("number", [0, 3, 1.0, 2.0, True, "1", None])
def test_another_format_is_refused(said: dict[str, Any], number: object) -> None:
    assert "format 1 or 2 was expected" in refusal(json.dumps(said | {"format": number}))


def test_the_record_of_an_attack_alone_is_refused(analysis: Analysis) -> None:
    made = Attack(
        analysis.picture, analysis.attacked, (FACE,), (), analysis.settings, analysis.models
    )
    assert "of an attack alone" in refusal(json.dumps(attack_record(made)))


def test_too_large_a_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    assert "at most 4 MB" in refusal(b" " * (MAX_BYTES + 1))
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(RecordError, match="at most 4 MB"):
        read_record(tmp_path / "huge.json")


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("settings.k", "2", "a finite number in settings.k"),
        ("settings.whole", 0, "true or false in settings.whole"),
        ("settings.box", [1, 2, 3], "4 values in settings.box"),
        ("settings.more", 1, "unknown settings.more"),
        ("picture.sha256", "A" * 64, "SHA-256 of 64"),
        ("models.0.sha256", "", "SHA-256 of 64"),
        ("results.0.quality.ssim", True, "a finite number in results.0.quality.ssim"),
        ("results.0.quality.max_difference", 1.5, "a whole number"),
        ("results.0.scores.0.flipped", "no", "true or false"),
        ("results.0.scores", {}, "a list in results.0.scores"),
        ("results.0.round_trip.attacked", 1, "an object in results.0.round_trip.attacked"),
        ("faces.0.landmarks", [[1]], "2 values in faces.0.landmarks.0"),
        ("versions.torch", 2, "a text in versions.torch"),
        ("versions", [], "an object in versions"),
        ("problems", "none", "a list in problems"),
        ("device", None, "a text in device"),
        ("results.0.scores.0.title", ["\x1b[31m" * 90], "a text in"),
        ("settings.\x1b[31m" + "x" * 999, 1, "unknown settings"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(
    said: dict[str, Any], place: str, value: object, words: str
) -> None:
    put(said, place, value)
    assert words in refusal(json.dumps(said))


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_a_number_too_large_to_be_one_is_refused(said: dict[str, Any], number: str) -> None:
    put(said, "results.0.quality.ssim", "HERE")
    assert "a finite number" in refusal(json.dumps(said).replace('"HERE"', number))


def test_a_field_that_is_missing_is_named(said: dict[str, Any]) -> None:
    del said["results"][0]["quality"]["psnr_db"]
    assert "missing results.0.quality.psnr_db" in refusal(json.dumps(said))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k": 7}, "K must be one of"),
        ({"method": "magic" * 500}, "restoring method"),
        ({"kernel": "box"}, "kernel"),
        ({"scope": "all"}, "scope"),
        ({"face": 0}, "1 or more"),
        ({"face": None}, "Choose one of them"),
        ({"face": 1, "box": [1, 2, 30, 40]}, "Choose one of them"),
        ({"face": None, "box": [1, 2, 30, 40], "whole": True}, "both came"),
    ],
)
def test_settings_that_cannot_be_carried_out_are_refused(
    said: dict[str, Any], settings: dict[str, object], words: str
) -> None:
    said["settings"] |= settings
    sentence = refusal(json.dumps(said))
    assert sentence.startswith("The record's settings cannot be used.")
    assert words in sentence


def test_a_text_of_unknown_origin_is_cut_and_made_printable() -> None:
    assert plain("torch 2.15") == "torch 2.15"
    assert plain("a\x1b[31m\nb") == "a�[31m�b"
    assert plain("x" * 300, 10) == "x" * 10 + "…"


def put(said: Any, place: str, value: object) -> None:
    *outer, last = place.split(".", 4) if "\x1b" not in place else place.split(".", 1)
    for name in outer:
        said = said[int(name)] if isinstance(said, list) else said[name]
    said[last] = value
