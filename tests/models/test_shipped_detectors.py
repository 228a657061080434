from pathlib import Path

import pytest

from models.cards import DETECTOR_NAMES, Figure
from models.training.faces import Faces, read_faces
from models.training.ship import FIXED_CROPS, fixed_crops_figure, subset
from models.zoo import Zoo


@pytest.fixture(scope="module")
def fixed_crops(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Faces:
    test = read_faces(shared_data / "dfdc_faces", "test", tmp_path_factory.mktemp("cache"))
    return subset(test, FIXED_CROPS, seed=0)


@pytest.fixture(scope="module")
def shipped() -> Zoo:
    return Zoo("cpu")


def stated(zoo: Zoo, name: str, figure: str, of: str) -> Figure:
    figures = zoo.detector(name).card.figures
    return next(each for each in figures if each.name == figure and of in each.of)


@pytest.mark.slow
@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_the_auc_is_the_one_on_the_card(shipped: Zoo, fixed_crops: Faces, name: str) -> None:
    loaded = shipped.detector(name)
    measured = fixed_crops_figure(loaded.network, loaded.card, fixed_crops)
    expected = stated(shipped, name, "AUC", measured.of)
    assert measured.value == pytest.approx(expected.value, abs=0.002)
    assert measured.low == pytest.approx(expected.low, abs=0.005)


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_storing_costs_at_most_two_thousandths(shipped: Zoo, name: str) -> None:
    assert stated(shipped, name, "AUC lost by storing", "val").value <= 0.002


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_the_card_tells_every_figure_that_a_reader_needs(shipped: Zoo, name: str) -> None:
    card = shipped.detector(name).card
    conditions = {(figure.name, figure.condition) for figure in card.figures}
    assert conditions >= {
        ("AUC", "clean"),
        ("AUC", "JPEG quality 60"),
        ("FNR", "clean"),
        ("FPR", "clean"),
        ("called fake", "clean"),
    }
    called_fake = next(figure for figure in card.figures if figure.name == "called fake")
    assert called_fake.value < 20
    assert all(
        figure.low is not None for figure in card.figures if figure.name != "AUC lost by storing"
    )
