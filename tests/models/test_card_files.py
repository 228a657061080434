import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from models.card_files import (
    read_detector_card,
    read_super_resolution_card,
    shipped_cards,
    write_card,
)
from models.cards import DetectorCard, SuperResolutionCard, WeightsFile
from models.errors import WeightsError
from tests.made_models import detector_card, edsr_card

WEIGHTS = WeightsFile("some.safetensors", "ab" * 32, 1234, "int8", "someone/some-weights")


@pytest.fixture
def detector() -> DetectorCard:
    return detector_card("swin_small", WEIGHTS)


@pytest.fixture
def edsr() -> SuperResolutionCard:
    return edsr_card(3, WEIGHTS)


def written(folder: Path, card: DetectorCard, change: dict[str, Any]) -> Path:
    """The card on disk with fields replaced: "a.b" reaches inside; None as key's value deletes."""
    path = folder / f"{card.name}.json"
    write_card(card, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    for place, value in change.items():
        *outer, last = place.split(".")
        record = content
        for name in outer:
            record = record[name]
        if value is None:
            del record[last]
        else:
            record[last] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_detector_card_reads_back_equal(tmp_path: Path, detector: DetectorCard) -> None:
    write_card(detector, tmp_path / "swin_small.json")
    assert read_detector_card(tmp_path / "swin_small.json") == detector


def test_a_super_resolution_card_reads_back_equal(
    tmp_path: Path, edsr: SuperResolutionCard
) -> None:
    write_card(edsr, tmp_path / "edsr_x3.json")
    assert read_super_resolution_card(tmp_path / "edsr_x3.json") == edsr


def test_whole_numbers_in_the_file_are_read_as_numbers_with_a_fraction(
    tmp_path: Path, detector: DetectorCard
) -> None:
    card = read_detector_card(written(tmp_path, detector, {"origin.hours": 3}))
    assert type(card.origin.hours) is float
    assert card.origin.hours == 3.0


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"threshold": None}, "missing threshold"),
        ({"weights.sha256": None}, "missing weights.sha256"),
        ({"colour": "red"}, "unknown colour"),
        ({"crop.margin": 1.0}, "unknown crop.margin"),
        ({"threshold": "0.5"}, "a finite number in threshold, found 0.5"),
        ({"threshold": float("nan")}, "a finite number in threshold, found NaN"),
        ({"threshold": True}, "a finite number in threshold, found true"),
        ({"threshold": 1.0}, "threshold must lie between 0 and 1"),
        ({"input_size": 224.0}, "a whole number in input_size"),
        ({"input_size": 0}, "input_size must be above 0"),
        ({"title": 5}, "a text in title"),
        ({"mean": [0.5, 0.5]}, "3 values in mean, found 2 values"),
        ({"mean": 0.5}, "a list in mean"),
        ({"std": [0.5, 0.0, 0.5]}, "std must be above 0"),
        ({"crop": 1.2}, "an object in crop"),
        ({"crop.scale": 0}, "scale must be above 0"),
        ({"architecture": "xception"}, "one of resnet50, swin_small_patch4_window7_224"),
        ({"weights.file": "../secret.safetensors"}, "a plain name ending in .safetensors"),
        ({"weights.file": "weights.pth"}, "a plain name ending in .safetensors"),
        ({"weights.sha256": "AB" * 32}, "64 lower-case hexadecimal"),
        ({"weights.bytes": -1}, "above 0 bytes"),
        ({"weights.encoding": "int4"}, "one of float32, float16, int8"),
        ({"figures": [{"name": "AUC"}]}, "missing figures.0.condition"),
        ({"origin.curve": [[1.0, 2.0, 3.0]]}, "2 values in origin.curve.0"),
        ({"name": "resnet50"}, "describes resnet50"),
    ],
)
def test_a_wrong_card_is_refused_by_name_and_field(
    tmp_path: Path, detector: DetectorCard, change: dict[str, Any], part: str
) -> None:
    path = written(tmp_path, detector, change)
    with pytest.raises(WeightsError) as refusal:
        read_detector_card(path)
    sentence = str(refusal.value)
    assert sentence.startswith("The card of swin_small ")
    assert part in sentence
    assert sentence.endswith(".")
    assert str(tmp_path) not in sentence


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "resnet50.json"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="The card of resnet50 "):
        read_detector_card(path)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="The card of edsr_x2 is missing"):
        read_super_resolution_card(tmp_path / "edsr_x2.json")


def test_a_card_is_only_written_under_its_own_name(tmp_path: Path, detector: DetectorCard) -> None:
    with pytest.raises(WeightsError, match="found the name resnet50"):
        write_card(detector, tmp_path / "resnet50.json")


def test_a_card_that_would_not_read_back_is_not_written(
    tmp_path: Path, detector: DetectorCard
) -> None:
    wrong = dataclasses.replace(detector, mean=(0.5, float("inf"), 0.5))
    with pytest.raises(WeightsError, match="mean"):
        write_card(wrong, tmp_path / "swin_small.json")
    assert not (tmp_path / "swin_small.json").exists()


def test_the_shipped_cards_come_in_order_and_absent_ones_are_left_out(
    tmp_path: Path, detector: DetectorCard, edsr: SuperResolutionCard
) -> None:
    assert shipped_cards(tmp_path) == ()
    write_card(detector, tmp_path / "swin_small.json")
    write_card(edsr, tmp_path / "edsr_x3.json")
    assert shipped_cards(tmp_path) == (edsr, detector)
