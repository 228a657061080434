"""A repeated analysis: equal for every setting, and each thing that differs told by how much."""

import dataclasses
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.analysis import Analysis, Settings, Toolbox, analyse
from demo.core.errors import RecordError
from demo.core.faces import Face, FaceDetector
from demo.core.record import record_json
from demo.core.record_reading import Recorded, check_record, read_record
from demo.core.replay import Difference, Reason, check_is_of, compare
from models.card_files import read_detector_card, write_card
from models.loading import LoadedDetector
from models.weights import save_weights
from models.zoo import Zoo
from tests.made_models import ModelFolders, detector_card, random_detector

Picture = npt.NDArray[np.uint8]
Change = Callable[[dict[str, Any]], None]

TWO = (
    Face((20, 20, 90, 100), 0.99, ((40.1, 50.0),), "mtcnn"),
    Face((80, 90, 120, 130), 1, (), "mtcnn"),
)


class Sure(FaceDetector):
    """A face finder that sees two overlapping faces."""

    def __init__(self) -> None:
        pass

    def find(self, picture: Picture) -> tuple[Face, ...]:
        return TWO


@pytest.fixture(scope="module")
def picture() -> Picture:
    coarse = np.random.default_rng(5).integers(0, 256, (10, 12, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, Sure())


@pytest.fixture(scope="module")
def analysis(picture: Picture, toolbox: Toolbox) -> Analysis:
    return analyse(picture, Settings(), toolbox)


def recorded(analysis: Analysis, change: Change = lambda said: None) -> Recorded:
    """The record as it is read back, after a change to its JSON."""
    said = json.loads(record_json(analysis))
    change(said)
    return read_record(json.dumps(said).encode())


@pytest.mark.parametrize(
    "settings",
    [
        Settings(k=1.5),
        Settings(k=4.0, kernel="bicubic", face=1),
        Settings(k=3.5, method="bicubic"),
        Settings(method="lanczos", scope="faces"),
        Settings(k=3.0, scope="faces", face=1),
        Settings(k=2.5, scope="frame"),
        Settings(box=(10.4, 20, 77.7, 99)),
        Settings(k=3.0, whole=True),
        Settings(whole=True, scope="frame", method="bicubic"),
    ],
)
def test_every_analysis_comes_out_again_from_its_own_record(
    settings: Settings, picture: Picture, toolbox: Toolbox
) -> None:
    read = read_record(record_json(analyse(picture, settings, toolbox)).encode())
    assert read.settings.settings() == settings
    replay = compare(read, analyse(picture, read.settings.settings(), toolbox))
    assert replay.same
    assert (replay.differences, replay.reasons) == ((), ())


def test_identical_crops_have_no_psnr_and_come_out_again(toolbox: Toolbox) -> None:
    flat = np.full((64, 64, 3), 90, np.uint8)
    same = analyse(flat, Settings(method="bicubic", whole=True), toolbox)
    read = recorded(same)
    assert read.results[0].quality.psnr_db is None
    assert compare(read, same).same


def test_a_record_older_than_the_round_trip_detector_differs_in_nothing_else(
    analysis: Analysis,
) -> None:
    def as_before(said: dict[str, Any]) -> None:
        said["format"] = 1
        for result in said["results"]:
            del result["round_trip"]
        said["models"] = [model for model in said["models"] if model["name"] != "round_trip"]

    replay = compare(recorded(analysis, as_before), analysis)
    assert replay.same
    assert [(reason.kind, reason.name) for reason in replay.reasons] == [("model", "round_trip")]


def test_another_round_trip_probability_is_told_with_its_model_and_crop(
    analysis: Analysis,
) -> None:
    def lower(said: dict[str, Any]) -> None:
        said["results"][0]["round_trip"]["attacked"]["network"]["probability"] -= 0.25

    (told,) = compare(recorded(analysis, lower), analysis).differences
    assert (told.detector, told.quantity) == ("round_trip, network", "attacked_round_trip")
    assert told.change == pytest.approx(0.25)


def test_every_number_of_the_record_is_compared(analysis: Analysis) -> None:
    """Each number, verdict and digest, changed alone, is told; so nothing is left out."""
    told = compare(recorded(analysis), analysis)
    said = json.loads(record_json(analysis))
    names = {"number", "face", "detector", "title", "width", "height"}
    for place in leaves({part: said[part] for part in ("attacked", "faces", "results")}):
        if place[-1] in names:
            continue
        changed = compare(recorded(analysis, partial(move, place)), analysis)
        assert len(changed.differences) == 1, place
        assert changed.compared == told.compared


def leaves(said: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all plain values."""
    if isinstance(said, dict | list):
        inside = said.items() if isinstance(said, dict) else enumerate(said)
        return [leaf for name, value in inside for leaf in leaves(value, (*place, name))]
    return [place]


def move(place: tuple[Any, ...], said: Any) -> None:
    """Changes one value to another of its kind."""
    *outer, last = place
    for name in outer:
        said = said[name]
    value = said[last]
    if isinstance(value, bool):
        said[last] = not value
    elif isinstance(value, int | float):
        said[last] = value + 1
    else:
        said[last] = value[::-1]


def test_a_number_that_differs_is_told_by_how_much(analysis: Analysis) -> None:
    score = analysis.results[0].scores[1]

    def change(said: dict[str, Any]) -> None:
        said["results"][0]["scores"][1]["clean"] = score.clean - 0.125
        said["results"][0]["quality"]["max_difference"] += 3
        said["results"][0]["crop_box"][2] -= 7

    box, quality, number = compare(recorded(analysis, change), analysis).differences
    x0, y0, x1, y1 = analysis.results[0].box
    assert box == Difference("face 1", "", "crop_box", (x0, y0, x1 - 7, y1), (x0, y0, x1, y1))
    assert box.change == 7
    assert (quality.quantity, quality.change) == ("max_difference", -3)
    assert number == Difference("face 1", score.detector, "clean", score.clean - 0.125, score.clean)
    assert number.change == pytest.approx(0.125)


def test_a_verdict_or_a_digest_has_no_amount(analysis: Analysis) -> None:
    def change(said: dict[str, Any]) -> None:
        said["attacked"]["sha256"] = "0" * 64
        said["results"][0]["scores"][0]["flipped"] ^= True

    digest, flipped = compare(recorded(analysis, change), analysis).differences
    assert (digest.subject, digest.quantity, digest.change) == ("attacked", "sha256", None)
    assert (flipped.quantity, flipped.change) == ("flipped", None)


def test_versions_and_device_that_differ_are_told_as_reasons(analysis: Analysis) -> None:
    def change(said: dict[str, Any]) -> None:
        said["versions"]["torch"] = "1.0"
        said["versions"]["older"] = "3"
        del said["versions"]["numpy"]
        said["device"] = "cuda (a GPU)"

    versions = dict(analysis.versions)
    replay = compare(recorded(analysis, change), analysis)
    assert replay.same
    assert replay.reasons == (
        Reason("version", "torch", "1.0", versions["torch"]),
        Reason("version", "older", "3", None),
        Reason("version", "numpy", None, versions["numpy"]),
        Reason("device", "device", "cuda (a GPU)", analysis.device),
    )


def test_other_weights_give_other_numbers_and_their_hashes_are_the_reason(
    analysis: Analysis, picture: Picture, random_models: ModelFolders, tmp_path: Path
) -> None:
    folders = ModelFolders(tmp_path / "weights", tmp_path / "cards")
    shutil.copytree(random_models.weights, folders.weights)
    shutil.copytree(random_models.cards, folders.cards)
    network = random_detector("resnet50")
    path = folders.weights / "resnet50.safetensors"
    written = save_weights(network.state_dict(), path, "float16")
    write_card(detector_card("resnet50", written), folders.cards / "resnet50.json")
    zoo = Zoo("cpu", folder=folders.weights, cards=folders.cards)
    again = analyse(picture, Settings(), Toolbox(zoo, Sure()))
    replay = compare(recorded(analysis), again)
    assert {one.detector for one in replay.differences} == {"resnet50"}
    logit = next(one for one in replay.differences if one.quantity == "clean_logit")
    before, now = (made.results[0].scores[0].clean_logit for made in (analysis, again))
    assert (logit.recorded, logit.now, logit.change) == (before, now, now - before)
    old = read_detector_card(random_models.cards / "resnet50.json").weights.sha256
    assert replay.reasons == (Reason("model", "resnet50", old, written.sha256),)


def added(zoo: Zoo, folders: ModelFolders) -> Zoo:
    """The zoo with one more detector, which somebody gave."""
    shipped = zoo.detector("xception")
    mine = LoadedDetector(dataclasses.replace(shipped.card, name="mine"), shipped.network)
    return Zoo("cpu", folder=folders.weights, cards=folders.cards, added=[mine])


def test_a_detector_of_the_record_that_is_not_here_is_one_difference(
    analysis: Analysis, picture: Picture, toolbox: Toolbox, random_models: ModelFolders
) -> None:
    with_mine = Toolbox(added(toolbox.zoo, random_models), Sure())
    read = recorded(analyse(picture, Settings(), with_mine))
    replay = compare(read, analysis)
    assert replay.differences == (Difference("face 1", "mine", "known", True, False),)
    (reason,) = replay.reasons
    assert (reason.kind, reason.name, reason.now) == ("model", "mine", None)
    assert compare(read, analyse(picture, Settings(), with_mine)).same


def test_a_detector_that_the_record_does_not_know_makes_no_difference(
    analysis: Analysis, picture: Picture, toolbox: Toolbox, random_models: ModelFolders
) -> None:
    with_mine = Toolbox(added(toolbox.zoo, random_models), Sure())
    replay = compare(recorded(analysis), analyse(picture, Settings(), with_mine))
    assert replay.same
    assert [(one.name, one.recorded) for one in replay.reasons] == [("mine", None)]


def test_a_face_that_is_found_no_more_or_only_now_is_told(
    picture: Picture, toolbox: Toolbox
) -> None:
    both = analyse(picture, Settings(scope="faces"), toolbox)

    def forget(said: dict[str, Any]) -> None:
        del said["faces"][1], said["results"][1]

    count, face = compare(recorded(both, forget), both).differences
    assert (count.subject, count.recorded, count.now, count.change) == ("picture", 1, 2, 1)
    assert face == Difference("face 2", "", "known", False, True)


def test_another_picture_is_refused_and_the_attacked_one_is_known(analysis: Analysis) -> None:
    read = recorded(analysis)
    check_is_of(read, analysis.picture)
    with pytest.raises(RecordError, match=r"192×160 px .* Nothing was compared"):
        check_is_of(read, analysis.picture[::-1])
    with pytest.raises(RecordError, match="the attacked picture"):
        check_is_of(read, analysis.attacked)
    with pytest.raises(RecordError):
        compare(read, dataclasses.replace(analysis, picture=analysis.picture[::-1].copy()))


def test_an_analysis_under_other_settings_is_not_compared(
    analysis: Analysis, picture: Picture, toolbox: Toolbox
) -> None:
    other = analyse(picture, Settings(k=3.0), toolbox)
    with pytest.raises(RecordError, match="other settings"):
        compare(recorded(analysis), other)


def test_a_record_that_was_parsed_already_is_checked_all_the_same(analysis: Analysis) -> None:
    assert check_record(json.loads(record_json(analysis))) == recorded(analysis)
