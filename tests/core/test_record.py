"""The record holds every number that is shown, and nothing that it must not."""

import dataclasses
import hashlib
import io
import json
import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from demo.core.analysis import Analysis, FaceResult, ModelUsed, Settings
from demo.core.faces import Face
from demo.core.images import digest, encode_png
from demo.core.picture_attack import Attack
from demo.core.quality import Quality
from demo.core.record import attack_record, enlargement_mark, mark, record, record_json
from demo.core.round_trip_detection import RoundTripOpinion, RoundTripVerdict
from demo.core.scoring import DetectorScore

Picture = npt.NDArray[np.uint8]

EDSR = ModelUsed("edsr_x3", "a" * 64)
RESNET = ModelUsed("resnet50", "b" * 64)
FACES = (
    Face((10, 12, 60, 72), 0.9993, ((20.0, 30.5), (40.0, 30.0)), "mtcnn"),
    Face((70, 10, 95, 40), 0.98, (), "mtcnn"),
)
QUALITY = Quality(ssim=0.91, psnr_db=31.25, mean_difference=2.5, max_difference=63)
SCORE = DetectorScore("resnet50", "ResNet50", 0.75, 0.25, math.log(3), -math.log(3), 0.5)
STEADY = DetectorScore("xception", "XceptionNet", 0.4, 0.8, -0.4, 1.4, 0.3)
SEEN = RoundTripVerdict(RoundTripOpinion(0.25, 0.9, 2.0), RoundTripOpinion(0.75, 0.75, 2.5))


def noise(height: int, width: int, seed: int) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def analysis() -> Analysis:
    picture, attacked = noise(80, 100, 0), noise(80, 100, 1)
    result = FaceResult(
        face=FACES[1],
        box=(68, 8, 98, 38),
        clean=picture[8:38, 68:98],
        attacked=attacked[8:38, 68:98],
        quality=QUALITY,
        scores=(SCORE, STEADY),
        clean_round_trip=None,
        attacked_round_trip=SEEN,
    )
    return Analysis(
        picture=picture,
        attacked=attacked,
        faces=FACES,
        results=(result,),
        settings=Settings(k=2.5, kernel="bicubic", face=1),
        device="cpu",
        models=(EDSR, RESNET),
        problems=("XceptionNet is refused.",),
        versions=(("python", "3.11.7"), ("torch", "2.15.0")),
    )


def test_the_record_says_what_was_asked_for_with_faces_counted_from_one(
    analysis: Analysis,
) -> None:
    assert record(analysis)["settings"] == {
        "k": 2.5,
        "method": "edsr",
        "kernel": "bicubic",
        "scope": "face",
        "face": 2,
        "box": None,
        "whole": False,
    }


@pytest.mark.parametrize("settings", [Settings(box=(1, 2, 30, 40.5)), Settings(whole=True)])
def test_a_face_marked_by_hand_has_no_number(settings: Settings, analysis: Analysis) -> None:
    face = Face((0, 0, 100, 80), None, (), "hand")
    result = dataclasses.replace(analysis.results[0], face=face)
    by_hand = dataclasses.replace(analysis, settings=settings, results=(result,))
    said = json.loads(record_json(by_hand))
    assert said["settings"]["face"] is None
    assert said["settings"]["box"] == (None if settings.whole else [1, 2, 30, 40.5])
    assert said["results"][0]["face"] is None
    assert said["results"][0]["source"] == "hand"


def test_the_record_knows_both_pictures_by_size_and_digest(analysis: Analysis) -> None:
    said = record(analysis)
    expected = hashlib.sha256(b"80x100x3:" + analysis.picture.tobytes()).hexdigest()
    assert said["picture"] == {"width": 100, "height": 80, "sha256": expected}
    attacked = {"width": 100, "height": 80, "sha256": digest(analysis.attacked)}
    assert said["attacked"] == attacked


def test_the_record_lists_every_face_found(analysis: Analysis) -> None:
    assert record(analysis)["faces"] == [
        {
            "number": 1,
            "box": [10, 12, 60, 72],
            "source": "mtcnn",
            "probability": 0.9993,
            "landmarks": [[20.0, 30.5], [40.0, 30.0]],
        },
        {
            "number": 2,
            "box": [70, 10, 95, 40],
            "source": "mtcnn",
            "probability": 0.98,
            "landmarks": [],
        },
    ]


def test_the_record_holds_every_number_that_is_shown(analysis: Analysis) -> None:
    assert record(analysis)["results"] == [
        {
            "face": 2,
            "source": "mtcnn",
            "face_box": [70, 10, 95, 40],
            "crop_box": [68, 8, 98, 38],
            "quality": {
                "ssim": 0.91,
                "psnr_db": 31.25,
                "identical": False,
                "mean_difference": 2.5,
                "max_difference": 63,
            },
            "scores": [
                {
                    "detector": "resnet50",
                    "title": "ResNet50",
                    "threshold": 0.5,
                    "clean": 0.75,
                    "attacked": 0.25,
                    "clean_logit": math.log(3),
                    "attacked_logit": -math.log(3),
                    "clean_fake": True,
                    "attacked_fake": False,
                    "flipped": True,
                },
                {
                    "detector": "xception",
                    "title": "XceptionNet",
                    "threshold": 0.3,
                    "clean": 0.4,
                    "attacked": 0.8,
                    "clean_logit": -0.4,
                    "attacked_logit": 1.4,
                    "clean_fake": True,
                    "attacked_fake": True,
                    "flipped": False,
                },
            ],
            "round_trip": {
                "clean": None,
                "attacked": {
                    "linear": {"probability": 0.25, "threshold": 0.9, "fired": False, "k": 2.0},
                    "network": {"probability": 0.75, "threshold": 0.75, "fired": True, "k": 2.5},
                },
            },
        }
    ]


def test_the_record_says_what_made_the_numbers(analysis: Analysis) -> None:
    said = record(analysis)
    assert said["device"] == "cpu"
    assert said["models"] == [
        {"name": "edsr_x3", "sha256": "a" * 64},
        {"name": "resnet50", "sha256": "b" * 64},
    ]
    assert said["problems"] == ["XceptionNet is refused."]
    assert said["versions"] == {"python": "3.11.7", "torch": "2.15.0"}


def test_an_infinite_psnr_is_null_and_said_to_be_identical(analysis: Analysis) -> None:
    same = dataclasses.replace(QUALITY, ssim=1.0, psnr_db=math.inf)
    result = dataclasses.replace(analysis.results[0], quality=same)
    said = json.loads(record_json(dataclasses.replace(analysis, results=(result,))))
    assert said["results"][0]["quality"]["psnr_db"] is None
    assert said["results"][0]["quality"]["identical"] is True


def test_the_text_is_json_and_the_same_every_time(analysis: Analysis) -> None:
    text = record_json(analysis)
    assert text == record_json(analysis)
    assert json.loads(text) == record(analysis)
    assert text.endswith("}\n")


def test_the_record_holds_no_pixel(analysis: Analysis) -> None:
    def leaves(value: object) -> list[object]:
        if isinstance(value, dict):
            return [leaf for inner in value.values() for leaf in leaves(inner)]
        if isinstance(value, list):
            return [leaf for inner in value for leaf in leaves(inner)]
        return [value]

    assert len(leaves(record(analysis))) < 100
    assert not any(isinstance(leaf, np.generic | torch.Tensor) for leaf in leaves(record(analysis)))


def test_an_attack_alone_has_a_record_without_scores(analysis: Analysis) -> None:
    attack = Attack(
        picture=analysis.picture,
        attacked=analysis.attacked,
        faces=analysis.faces,
        targets=(),
        settings=analysis.settings,
        models=(EDSR,),
    )
    said = attack_record(attack)
    whole = record(analysis)
    assert said == {key: whole[key] for key in said} | {"models": said["models"]}
    assert "results" not in said
    assert mark(attack) == mark(analysis)


def test_the_attacked_picture_is_marked_as_no_original(analysis: Analysis) -> None:
    said = mark(analysis)
    assert said["Description"].startswith("Super-resolution round trip: one face")
    assert "not an original photograph" in said["Description"]
    assert said["K"] == "2.5"
    assert (said["Method"], said["Kernel"], said["Scope"]) == ("edsr", "bicubic", "face")
    assert (said["Model"], said["Model SHA-256"]) == ("edsr_x3", "a" * 64)
    assert said["Software"].startswith("super-resolution-robustness ")


def test_the_mark_travels_in_the_png(analysis: Analysis) -> None:
    with Image.open(io.BytesIO(encode_png(analysis.attacked, mark(analysis)))) as image:
        assert image.info | mark(analysis) == image.info
        np.testing.assert_array_equal(np.asarray(image), analysis.attacked)


def test_a_control_names_no_model(analysis: Analysis) -> None:
    control = dataclasses.replace(
        analysis, settings=Settings(k=2.5, method="bicubic", scope="frame"), models=(RESNET,)
    )
    assert "Model" not in mark(control)
    assert "the whole frame" in mark(control)["Description"]


def test_an_enlargement_is_marked_too() -> None:
    said = enlargement_mark(4, "edsr", (ModelUsed("edsr_x4", "c" * 64),))
    assert "not an original photograph" in said["Description"]
    assert (said["Scale"], said["Method"], said["Model SHA-256"]) == ("4", "edsr", "c" * 64)
    assert "Model" not in enlargement_mark(2, "lanczos", ())
