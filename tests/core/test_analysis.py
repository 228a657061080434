"""A picture and settings → one Analysis, in which numbers and pictures agree."""

import dataclasses
import math
import shutil
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from demo import __version__
from demo.core.analysis import (
    Analysis,
    Toolbox,
    analyse,
    attack_picture,
    device_name,
    versions,
)
from demo.core.attack import FACTORS, round_trip
from demo.core.errors import ImageError, NoFaceError, SettingsError, WeightsError
from demo.core.faces import Face, FaceDetector, crop_box, cut
from demo.core.quality import measure
from demo.core.round_trip_detection import round_trip_verdict
from demo.core.scoring import score_crops
from demo.core.settings import Settings
from models.card_files import read_detector_card, write_card
from models.cards import DETECTOR_NAMES, CropPolicy
from models.zoo import Zoo
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def couple(astronaut: Picture) -> Picture:
    """Two faces, the larger one on the left."""
    head = astronaut[0:256, 100:356]
    small = np.ascontiguousarray(head[::2, ::2])
    canvas = np.full((256, 400, 3), 90, dtype=np.uint8)
    canvas[:, :256] = head
    canvas[64:192, 264:392] = small
    return canvas


@pytest.fixture
def landscape() -> Picture:
    """A picture without a face."""
    ramp = np.linspace(0, 255, 160).astype(np.uint8)
    return np.repeat(np.repeat(ramp[None, :, None], 120, axis=0), 3, axis=2)


def outside(analysis: Analysis, *boxes: tuple[int, int, int, int]) -> tuple[Picture, Picture]:
    """The pixels of both pictures that lie in none of the boxes."""
    kept = np.ones(analysis.picture.shape[:2], dtype=bool)
    for x0, y0, x1, y1 in boxes:
        kept[y0:y1, x0:x1] = False
    return analysis.picture[kept], analysis.attacked[kept]


@pytest.mark.parametrize("k", FACTORS)
def test_only_the_crop_changes_and_it_is_the_round_trip(
    k: float, astronaut: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(astronaut, Settings(k=k), toolbox)
    (result,) = analysis.results
    assert analysis.attacked.shape == astronaut.shape
    np.testing.assert_array_equal(*outside(analysis, result.box))
    expected = round_trip(cut(astronaut, result.box), k, "edsr", "area", toolbox.zoo)
    np.testing.assert_array_equal(result.attacked, expected)
    assert (result.attacked != result.clean).any()


def test_every_number_comes_from_the_crops_beside_it(astronaut: Picture, toolbox: Toolbox) -> None:
    analysis = analyse(astronaut, Settings(k=3.0), toolbox)
    (result,) = analysis.results
    np.testing.assert_array_equal(result.clean, cut(astronaut, result.box))
    np.testing.assert_array_equal(result.attacked, cut(analysis.attacked, result.box))
    assert result.quality == measure(result.clean, result.attacked)
    assert tuple(score.detector for score in result.scores) == DETECTOR_NAMES
    for score in result.scores:
        loaded = toolbox.zoo.detector(score.detector)
        clean, attacked = score_crops(loaded, [result.clean, result.attacked], toolbox.zoo.device)
        assert (score.clean_logit, score.attacked_logit) == pytest.approx(
            (clean, attacked), abs=1e-4
        )
        assert score.clean_logit != score.attacked_logit


def test_the_picture_that_came_is_left_alone(astronaut: Picture, toolbox: Toolbox) -> None:
    before = astronaut.copy()
    analyse(astronaut, Settings(scope="frame", method="bicubic"), toolbox)
    np.testing.assert_array_equal(astronaut, before)


def test_all_faces_are_attacked_and_scored_in_one_go(couple: Picture, toolbox: Toolbox) -> None:
    analysis = analyse(couple, Settings(scope="faces"), toolbox)
    assert len(analysis.faces) == 2
    assert tuple(result.face for result in analysis.results) == analysis.faces
    first, second = (result.box for result in analysis.results)
    np.testing.assert_array_equal(*outside(analysis, first, second))
    for result in analysis.results:
        assert result.quality.max_difference > 0
        assert len(result.scores) == 3
        for score in result.scores:
            logits = score_crops(
                toolbox.zoo.detector(score.detector),
                [result.clean, result.attacked],
                toolbox.zoo.device,
            )
            assert [score.clean_logit, score.attacked_logit] == pytest.approx(logits, abs=1e-4)


@pytest.mark.parametrize("chosen", [0, 1])
def test_the_chosen_face_is_attacked_and_no_other(
    chosen: int, couple: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(couple, Settings(face=chosen), toolbox)
    (result,) = analysis.results
    assert result.face == analysis.faces[chosen]
    np.testing.assert_array_equal(*outside(analysis, result.box))


def overlapping(*boxes: tuple[int, int, int, int]) -> FaceDetector:
    """A face finder that sees found faces in these boxes, whatever comes."""

    class Sure(FaceDetector):
        def __init__(self) -> None:
            pass

        def find(self, picture: Picture) -> tuple[Face, ...]:
            return tuple(Face(box, 1.0, (), "mtcnn") for box in boxes)

    return Sure()


def test_of_two_overlapping_crops_the_smaller_lies_on_top_and_is_cut_from_the_clean_picture(
    astronaut: Picture, toolbox: Toolbox
) -> None:
    finder = overlapping((100, 100, 220, 220), (180, 180, 240, 240))
    analysis = analyse(astronaut, Settings(scope="faces"), Toolbox(toolbox.zoo, finder))
    large, small = analysis.results
    alone = round_trip(small.clean, 2.0, "edsr", "area", toolbox.zoo)
    np.testing.assert_array_equal(small.attacked, alone)
    np.testing.assert_array_equal(large.attacked, cut(analysis.attacked, large.box))
    assert (large.attacked != round_trip(large.clean, 2.0, "edsr", "area", toolbox.zoo)).any()
    assert large.quality == measure(large.clean, large.attacked)


def test_the_order_in_which_faces_are_found_does_not_change_the_picture(
    astronaut: Picture, toolbox: Toolbox
) -> None:
    boxes = (100, 100, 220, 220), (180, 180, 240, 240)
    pictures = [
        analyse(astronaut, Settings(scope="faces"), Toolbox(toolbox.zoo, overlapping(*order)))
        for order in (boxes, boxes[::-1])
    ]
    np.testing.assert_array_equal(pictures[0].attacked, pictures[1].attacked)


def test_the_whole_frame_is_the_round_trip_of_the_picture(
    couple: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(couple, Settings(scope="frame", k=2.5), toolbox)
    expected = round_trip(couple, 2.5, "edsr", "area", toolbox.zoo)
    np.testing.assert_array_equal(analysis.attacked, expected)
    assert len(analysis.results) == 2
    for result in analysis.results:
        np.testing.assert_array_equal(result.attacked, cut(expected, result.box))


def test_a_picture_without_a_face_offers_a_box_or_the_whole_picture(
    landscape: Picture, toolbox: Toolbox
) -> None:
    for scope in ("face", "faces", "frame"):
        with pytest.raises(NoFaceError, match=r"[Dd]raw a box.*whole picture"):
            analyse(landscape, Settings(scope=scope), toolbox)


@pytest.mark.parametrize("scope", ["face", "faces", "frame"])
def test_the_whole_picture_can_be_the_face(
    scope: str, landscape: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(landscape, Settings(scope=scope, whole=True), toolbox)
    (result,) = analysis.results
    assert result.box == (0, 0, 160, 120)
    assert result.face.source == "picture"
    assert analysis.faces == ()
    np.testing.assert_array_equal(result.attacked, analysis.attacked)
    assert len(result.scores) == 3


def test_a_box_drawn_by_hand_is_the_crop(couple: Picture, toolbox: Toolbox) -> None:
    analysis = analyse(couple, Settings(box=(30, 40, 111, 90), scope="faces"), toolbox)
    (result,) = analysis.results
    assert result.box == (30, 40, 111, 90)
    assert result.face.source == "hand"
    assert len(analysis.faces) == 2
    np.testing.assert_array_equal(*outside(analysis, result.box))


def test_a_box_outside_the_picture_is_refused(landscape: Picture, toolbox: Toolbox) -> None:
    with pytest.raises(SettingsError, match="inside the picture"):
        analyse(landscape, Settings(box=(500, 500, 600, 600)), toolbox)


def test_a_face_beyond_those_found_is_refused_with_the_numbers_there_are(
    couple: Picture, astronaut: Picture, toolbox: Toolbox
) -> None:
    with pytest.raises(SettingsError, match=r"Face 3 .*2 faces .*from 1 to 2"):
        analyse(couple, Settings(face=2), toolbox)
    with pytest.raises(SettingsError, match=r"Face 2 .*one face .*Choose 1\."):
        analyse(astronaut, Settings(face=1), toolbox)


def test_what_is_not_a_picture_is_refused(toolbox: Toolbox) -> None:
    with pytest.raises(ImageError):
        analyse(np.zeros((64, 64), dtype=np.uint8), Settings(), toolbox)


@pytest.mark.parametrize("k", [1, 2.2, math.nan, "2", None, -2])
def test_settings_refuse_another_k(k: object) -> None:
    with pytest.raises(SettingsError, match=r"K must be one of 1\.5, 2, 2\.5, 3, 3\.5, 4"):
        Settings(k=k)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"method": ""}, "restoring method must be a name"),
        ({"method": None}, "restoring method must be a name"),
        ({"method": ["edsr"]}, "restoring method must be a name"),
        ({"method": "edsr" * 20}, "up to 40 characters"),
        ({"kernel": "nearest"}, "area, bicubic"),
        ({"scope": "all"}, "face, faces, frame"),
        ({"scope": ["face"]}, "face, faces, frame"),
        ({"face": -1}, "must be 1 or more, but 0 came"),
        ({"face": 0.5}, "whole number"),
        ({"face": True}, "whole number"),
        ({"face": "1"}, "whole number"),
        ({"box": (0, 0, 30)}, "four numbers"),
        ({"box": (0, 0, math.nan, 30)}, "four numbers"),
        ({"box": (0, 0, "30", 30)}, "four numbers"),
        ({"box": 7}, "four numbers"),
        ({"whole": "yes"}, "true or false"),
        ({"whole": True, "box": (0, 0, 30, 30)}, "both came"),
    ],
)
def test_settings_that_cannot_be_carried_out_are_refused(
    wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(**wrong)  # type: ignore[arg-type]


def test_a_method_that_nobody_gave_is_refused_before_any_work(
    astronaut: Picture, toolbox: Toolbox
) -> None:
    steps: list[str] = []
    with pytest.raises(SettingsError, match="must be one of edsr, bicubic, lanczos, but"):
        analyse(
            astronaut,
            Settings(method="srgan"),
            toolbox,
            lambda stage, fraction: steps.append(stage),
        )
    assert steps == []


def test_settings_take_a_whole_number_for_k() -> None:
    assert Settings(k=2) == Settings(k=2.0)
    assert isinstance(Settings(k=2).k, float)


def test_the_same_input_gives_the_same_analysis_in_any_thread(
    couple: Picture, toolbox: Toolbox
) -> None:
    def fingerprint(_: int) -> tuple[bytes, object]:
        analysis = analyse(couple, Settings(scope="faces", k=1.5), toolbox)
        numbers = [(result.box, result.quality, result.scores) for result in analysis.results]
        return analysis.attacked.tobytes(), numbers

    expected = fingerprint(0)
    with ThreadPoolExecutor(2) as threads:
        assert all(found == expected for found in threads.map(fingerprint, range(2)))


def test_the_models_that_took_part_are_named_with_their_hashes(
    astronaut: Picture, toolbox: Toolbox
) -> None:
    with_edsr = analyse(astronaut, Settings(k=2.5), toolbox).models
    without = attack_picture(astronaut, Settings(k=2.5, method="lanczos"), toolbox).models
    assert tuple(model.name for model in with_edsr) == (
        "edsr_x3",
        *DETECTOR_NAMES,
        "round_trip",
    )
    assert without == ()
    hashes = {model.name: model.sha256 for model in with_edsr}
    assert hashes["edsr_x3"] == toolbox.zoo.super_resolution(3).card.weights.sha256
    assert hashes["xception"] == toolbox.zoo.detector("xception").card.weights.sha256


def test_a_refused_detector_is_missing_with_its_sentence_and_the_others_go_on(
    astronaut: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(random_models.weights, weights)
    (weights / "resnet50.safetensors").write_bytes(b"damaged")
    zoo = Zoo("cpu", folder=weights, cards=random_models.cards)
    analysis = analyse(astronaut, Settings(), Toolbox(zoo, toolbox.faces))
    whole = analyse(astronaut, Settings(), toolbox)
    assert tuple(score.detector for score in analysis.results[0].scores) == DETECTOR_NAMES[1:]
    assert analysis.results[0].scores == whole.results[0].scores[1:]
    assert "resnet50" not in {model.name for model in analysis.models}
    (problem,) = analysis.problems
    assert "ResNet50" in problem
    assert whole.problems == ()


def test_each_crop_alone_is_looked_at_for_a_round_trip(couple: Picture, toolbox: Toolbox) -> None:
    analysis = analyse(couple, Settings(scope="faces", k=3.0), toolbox)
    for result in analysis.results:
        assert result.clean_round_trip == round_trip_verdict(result.clean, toolbox.zoo)
        assert result.attacked_round_trip == round_trip_verdict(result.attacked, toolbox.zoo)
        assert result.clean_round_trip != result.attacked_round_trip


def test_of_a_tiny_crop_no_round_trip_is_told_and_nothing_is_wrong(
    astronaut: Picture, toolbox: Toolbox
) -> None:
    analysis = analyse(astronaut, Settings(box=(200, 100, 231, 160)), toolbox)
    assert analysis.chosen.clean_round_trip is None
    assert analysis.chosen.attacked_round_trip is None
    assert analysis.problems == ()


def test_a_refused_round_trip_detector_leaves_the_verdicts(
    astronaut: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    damaged = tmp_path / "round_trip.safetensors"
    damaged.write_bytes(b"damaged")
    folders = random_models
    zoo = Zoo("cpu", folder=folders.weights, cards=folders.cards, given={"round_trip": damaged})
    analysis = analyse(astronaut, Settings(), Toolbox(zoo, toolbox.faces))
    whole = analyse(astronaut, Settings(), toolbox)
    assert analysis.chosen.scores == whole.chosen.scores
    assert analysis.chosen.attacked_round_trip is None
    assert "round_trip" not in {model.name for model in analysis.models}
    (problem,) = analysis.problems
    assert "Round-trip detector" in problem


def test_a_refused_restorer_stops_the_analysis_but_not_the_controls(
    astronaut: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(random_models.weights, weights)
    (weights / "edsr_x2.safetensors").unlink()
    broken = Toolbox(Zoo("cpu", folder=weights, cards=random_models.cards), toolbox.faces)
    with pytest.raises(WeightsError, match="EDSR"):
        analyse(astronaut, Settings(k=1.5), broken)
    for settings in (Settings(k=2.5), Settings(k=2, method="bicubic")):
        attack = attack_picture(astronaut, settings, broken)
        assert (attack.attacked != astronaut).any()


def test_a_detector_with_another_crop_policy_sees_its_own_crop_of_the_attacked_picture(
    astronaut: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    cards = tmp_path / "cards"
    shutil.copytree(random_models.cards, cards)
    card = read_detector_card(cards / "xception.json")
    policy = CropPolicy(scale=1.8, shift=0.0)
    write_card(dataclasses.replace(card, crop=policy), cards / "xception.json")
    zoo = Zoo("cpu", folder=random_models.weights, cards=cards)
    analysis = analyse(astronaut, Settings(), Toolbox(zoo, toolbox.faces))
    shared = analyse(astronaut, Settings(), toolbox)
    (result,) = analysis.results
    assert result.box == shared.results[0].box
    np.testing.assert_array_equal(analysis.attacked, shared.attacked)
    assert result.scores[:2] == shared.results[0].scores[:2]
    wide = crop_box(result.face, policy, astronaut.shape[:2])
    crops = [cut(analysis.picture, wide), cut(analysis.attacked, wide)]
    logits = score_crops(zoo.detector("xception"), crops, zoo.device)
    score = result.scores[2]
    assert [score.clean_logit, score.attacked_logit] == pytest.approx(logits, abs=1e-4)
    assert score.clean_logit != shared.results[0].scores[2].clean_logit


def test_progress_goes_forward_from_none_to_all(couple: Picture, toolbox: Toolbox) -> None:
    steps: list[tuple[str, float]] = []
    analyse(
        couple,
        Settings(scope="faces"),
        toolbox,
        lambda stage, fraction: steps.append((stage, fraction)),
    )
    fractions = [fraction for _, fraction in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    assert {stage for stage, _ in steps} >= {"Finding faces", "Round trip", "Asking the detectors"}


def test_whatever_a_step_raises_stops_the_analysis(astronaut: Picture, toolbox: Toolbox) -> None:
    class LeftError(Exception):
        pass

    def leave(stage: str, fraction: float) -> None:
        if stage == "Asking the detectors":
            raise LeftError

    with pytest.raises(LeftError):
        analyse(astronaut, Settings(), toolbox, leave)


def test_attacking_alone_gives_the_same_picture_as_analysing(
    couple: Picture, toolbox: Toolbox
) -> None:
    settings = Settings(scope="faces", k=3.5, kernel="bicubic", method="lanczos")
    attack = attack_picture(couple, settings, toolbox)
    analysis = analyse(couple, settings, toolbox)
    np.testing.assert_array_equal(attack.attacked, analysis.attacked)
    assert [target.box for target in attack.targets] == [result.box for result in analysis.results]


def test_the_version_is_the_projects() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == __version__
    said = dict(versions())
    assert said["super-resolution-robustness"] == __version__
    assert (
        said["torch"] == torch.__version__.partition("+")[0] or said["torch"] == torch.__version__
    )
    assert {"python", "timm", "super-image", "facenet-pytorch"} <= said.keys()


def test_the_gpu_agrees_with_the_cpu(
    gpu: torch.device, astronaut: Picture, random_models: ModelFolders, toolbox: Toolbox
) -> None:
    zoo = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards)
    settings = Settings(box=(170, 30, 290, 190))
    there = analyse(astronaut, settings, Toolbox(zoo, FaceDetector()))
    here = analyse(astronaut, settings, toolbox)
    assert np.abs(there.attacked.astype(int) - here.attacked).max() <= 1
    for one, other in zip(there.results[0].scores, here.results[0].scores, strict=True):
        assert one.clean == pytest.approx(other.clean, abs=1e-3)
        assert one.attacked == pytest.approx(other.attacked, abs=1e-3)


def test_the_device_is_told_as_far_as_last_digits_depend_on_it() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = device_name(torch.device("cpu"))
        torch.set_num_threads(2)
        two = device_name(torch.device("cpu"))
    finally:
        torch.set_num_threads(before)
    capability = torch.backends.cpu.get_cpu_capability()
    assert (one, two) == (f"cpu ({capability}, 1 thread)", f"cpu ({capability}, 2 threads)")
