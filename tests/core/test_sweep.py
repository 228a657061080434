"""The sweep gives, for every K and method, exactly what the single analysis gives."""

import dataclasses
import math
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.analysis import Toolbox, analyse
from demo.core.attack import FACTORS
from demo.core.errors import ImageError, NoFaceError, SettingsError
from demo.core.faces import FaceDetector
from demo.core.restoring import METHODS
from demo.core.scoring import score_crops
from demo.core.settings import Settings
from demo.core.sweep import Sweep, SweepPoint, sweep, swept
from demo.core.sweep_rows import rows
from models.card_files import read_detector_card, write_card
from models.cards import DETECTOR_NAMES, CropPolicy
from models.round_trip_card import ROUND_TRIP_NAME
from models.zoo import Zoo
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
COMPARED = (("edsr", 1.5), ("edsr", 4.0), ("bicubic", 2.0), ("lanczos", 3.5))


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def small(astronaut: Picture) -> Picture:
    """The astronaut's head and shoulders, with one face."""
    return np.ascontiguousarray(astronaut[0:256, 100:356])


@pytest.fixture
def couple(small: Picture) -> Picture:
    """Two faces, the larger one on the left."""
    canvas = np.full((256, 400, 3), 90, dtype=np.uint8)
    canvas[:, :256] = small
    canvas[64:192, 264:392] = small[::2, ::2]
    return canvas


def at(made: Sweep, method: str, k: float) -> SweepPoint:
    (point,) = (point for point in made.points if (point.method, point.k) == (method, k))
    return point


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_number_is_that_of_the_single_analysis_to_the_last_digit(
    small: Picture, toolbox: Toolbox
) -> None:
    made = sweep(small, Settings(k=3.0, method="lanczos"), toolbox)
    for method, k in COMPARED:
        analysis = analyse(small, Settings(k=k, method=method), toolbox)
        (result,) = analysis.results
        point = at(made, method, k)
        assert point.scores == result.scores
        assert point.quality == result.quality
        assert (made.face, made.box) == (result.face, result.box)
        # A sweep has no line for what sees a round trip, and does not ask it.
        asked = {model for model in analysis.models if model.name != ROUND_TRIP_NAME}
        assert asked <= set(made.models)
        for method_at_one in METHODS:
            clean = [score.attacked_logit for score in at(made, method_at_one, 1.0).scores]
            assert clean == [score.clean_logit for score in result.scores]
    assert len(made.points) == 21
    assert [point.k for point in made.points[:7]] == [1.0, *FACTORS]
    assert made.device == "cpu"
    assert made.problems == ()
    check_no_attack(made)
    check_rows(made)


def check_no_attack(made: Sweep) -> None:
    """At K = 1 nothing has been done."""
    for method in METHODS:
        point = at(made, method, 1.0)
        assert (point.quality.ssim, point.quality.psnr_db) == (1.0, math.inf)
        assert (point.quality.mean_difference, point.quality.max_difference) == (0.0, 0)
        assert not any(score.flipped for score in point.scores)


def check_rows(made: Sweep) -> None:
    """The rows hold the points' own numbers, curve after curve."""
    table = rows(made)
    expected = [
        (name, method, k) for name in DETECTOR_NAMES for method in METHODS for k in (1.0, *FACTORS)
    ]
    assert [(row.detector, row.method, row.k) for row in table] == expected
    for row in table:
        point = at(made, row.method, row.k)
        (score,) = (score for score in point.scores if score.detector == row.detector)
        assert (row.probability, row.logit) == (score.attacked, score.attacked_logit)
        assert (row.ssim, row.psnr_db) == (point.quality.ssim, point.quality.psnr_db)
        assert row.fake == (row.probability >= row.threshold)
        at_one = next(
            one for one in table if (one.detector, one.method) == (row.detector, row.method)
        )
        assert row.flipped == (row.fake != at_one.fake)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_chosen_face_of_several_is_swept_as_the_scope_says(
    couple: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    """In the whole frame, and with a detector that wants a wider crop of its own."""
    cards = tmp_path / "cards"
    shutil.copytree(random_models.cards, cards)
    card = read_detector_card(cards / "xception.json")
    wide = dataclasses.replace(card, crop=CropPolicy(scale=1.8, shift=0.0))
    write_card(wide, cards / "xception.json")
    weights = only(random_models, tmp_path / "weights", "resnet50", "xception")
    own = Toolbox(Zoo("cpu", folder=weights, cards=cards), toolbox.faces)
    settings = Settings(scope="frame", face=1, kernel="bicubic")
    made = sweep(couple, settings, own)
    for method, k in (("bicubic", 4.0), ("lanczos", 1.5)):
        analysis = analyse(couple, dataclasses.replace(settings, k=k, method=method), own)
        result = analysis.results[1]
        assert (made.face, made.box) == (result.face, result.box)
        assert at(made, method, k).scores == result.scores
        assert at(made, method, k).quality == result.quality
    assert {point.method for point in made.points if point.k > 1} == {"bicubic", "lanczos"}
    assert [score.detector for score in made.points[0].scores] == ["resnet50", "xception"]
    assert sum("EDSR" in problem for problem in made.problems) == 3
    assert sum("Swin" in problem for problem in made.problems) == 1


def only(models: ModelFolders, folder: Path, *names: str) -> Path:
    """A folder with the weights of a few networks, so that the others are refused."""
    folder.mkdir()
    for name in names:
        shutil.copy(models.weights / f"{name}.safetensors", folder)
    return folder


def test_a_crops_logit_does_not_depend_on_its_company(small: Picture, random_zoo: Zoo) -> None:
    crops = [small[:, shift : shift + 200] for shift in (0, 20, 40)]
    for name in DETECTOR_NAMES:
        loaded = random_zoo.detector(name)
        together = score_crops(loaded, crops, random_zoo.device)
        assert score_crops(loaded, crops[::-1], random_zoo.device) == together[::-1]
        assert score_crops(loaded, crops[1:2], random_zoo.device) == together[1:2]


def test_a_step_that_raises_stops_the_sweep_within_a_detector(
    small: Picture, random_models: ModelFolders, tmp_path: Path, toolbox: Toolbox
) -> None:
    class LeftError(Exception):
        pass

    seen: list[tuple[str, float]] = []

    def leave(stage: str, fraction: float) -> None:
        seen.append((stage, fraction))
        if [name for name, _ in seen].count("Asking the detectors") == 3:
            raise LeftError

    weights = only(random_models, tmp_path / "weights", "resnet50")
    alone = Toolbox(Zoo("cpu", folder=weights, cards=random_models.cards), toolbox.faces)
    with pytest.raises(LeftError):
        sweep(small, Settings(), alone, leave)
    fractions = [fraction for _, fraction in seen]
    assert fractions == sorted(fractions)
    assert (seen[0], len(seen)) == (("Finding faces", 0.0), 1 + 18 + 3)
    assert fractions[-1] < 1


def test_settings_that_differ_in_k_and_method_alone_are_one_sweep() -> None:
    one = swept(Settings(k=4.0, method="bicubic", kernel="bicubic", face=1))
    other = swept(Settings(k=1.5, method="edsr", kernel="bicubic", face=1))
    assert one == other
    assert one != swept(Settings(face=1))


def test_what_cannot_be_swept_is_refused_as_by_the_analysis(
    couple: Picture, toolbox: Toolbox
) -> None:
    with pytest.raises(NoFaceError, match="Draw a box"):
        sweep(np.full((60, 60, 3), 90, dtype=np.uint8), Settings(), toolbox)
    with pytest.raises(SettingsError, match="Face 3"):
        sweep(couple, Settings(face=2), toolbox)
    with pytest.raises(SettingsError, match="inside the picture"):
        sweep(couple, Settings(box=(900, 900, 990, 990)), toolbox)
    with pytest.raises(ImageError):
        sweep(couple[:, :, 0], Settings(), toolbox)
