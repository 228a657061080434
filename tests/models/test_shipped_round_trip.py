from pathlib import Path

import numpy as np
import pytest

from demo.defences.round_trip_figures import CLEAN, answers
from models.cards import Figure
from models.training.faces import read_faces
from models.training.measure import share_figure
from models.training.portraits import read_portraits
from models.training.ship import DFDC_FRAMING, subset
from models.zoo import Zoo


@pytest.fixture(scope="module")
def shipped() -> Zoo:
    return Zoo("cpu")


def stated(zoo: Zoo, name: str, condition: str, of: str) -> Figure:
    figures = zoo.round_trip_detector().card.figures
    (figure,) = (
        one for one in figures if (one.name, one.condition) == (name, condition) and of in one.of
    )
    return figure


@pytest.mark.parametrize("model", ["network", "linear"])
def test_the_card_tells_every_figure_that_a_reader_needs(shipped: Zoo, model: str) -> None:
    figures = shipped.round_trip_detector().card.figures
    said = {(one.name, one.condition) for one in figures if "test split" in one.of}
    assert said >= {
        (f"AUC, {model}", "clean against a round trip"),
        (f"K right, {model}", "round trip"),
        (f"round trip seen, {model}", "round trip"),
        (f"round trip seen, {model}", "clean"),
        (f"round trip seen, {model}", "scaled by 0.75"),
        (f"round trip seen, {model}", "sharpened"),
        (f"round trip seen, {model}", "JPEG quality 80"),
        (f"round trip seen, {model}", "JPEG quality 60"),
    }
    assert all(one.low is not None for one in figures)
    stated(shipped, f"round trip seen, {model}", "clean", "portraits")


def test_it_tells_most_round_trips_from_clean_crops(shipped: Zoo) -> None:
    area = stated(shipped, "AUC, network", "clean against a round trip", "test split")
    assert area.value > 0.95
    assert stated(shipped, "round trip seen, network", "clean", "test split").value < 10


@pytest.mark.slow
def test_false_alarms_are_those_on_the_card(
    shipped: Zoo, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    loaded = shipped.round_trip_detector()
    cache = tmp_path_factory.mktemp("cache")
    crops = subset(read_faces(shared_data / "dfdc_faces", "test", cache), 400, seed=0).pictures
    portraits = read_portraits(shared_data / "portraits", DFDC_FRAMING, "test")
    for pictures, of in ((list(crops), "test split"), (portraits, "portraits")):
        expected = stated(shipped, "round trip seen, network", CLEAN.words, of)
        logits = answers(loaded, pictures).network[:, 0]
        fired = 1 / (1 + np.exp(-logits)) >= loaded.card.network_threshold
        measured = share_figure(expected.name, fired, expected.of, expected.condition)
        assert measured.value == pytest.approx(expected.value, abs=1)
