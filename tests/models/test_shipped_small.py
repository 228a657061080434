from typing import get_args

import numpy as np
import pytest

from models.cards import DefenceName
from models.ensemble import SMALL_ENSEMBLE, ensemble_logits, ensemble_threshold
from models.zoo import Zoo

SMALL = tuple(name for name in get_args(DefenceName) if name.startswith("small"))
NEVER_SAW_A_DEEPFAKE = ("small_patterns", "small_self_blended")


@pytest.fixture(scope="module")
def shipped() -> Zoo:
    return Zoo("cpu")


@pytest.mark.parametrize("name", SMALL)
def test_the_card_tells_every_figure_that_a_reader_needs(shipped: Zoo, name: str) -> None:
    card = shipped.defence(name).card
    conditions = {(figure.name, figure.condition) for figure in card.figures}
    assert conditions >= {
        ("AUC", "clean"),
        ("AUC", "JPEG quality 60"),
        ("AUC", "after the round trip, EDSR, K = 2"),
        ("FNR", "clean"),
        ("FPR", "clean"),
        ("cross-entropy", "clean"),
        ("called fake", "clean"),
    }
    called_fake = next(figure for figure in card.figures if figure.name == "called fake")
    assert called_fake.value < 20
    assert all(
        figure.low is not None for figure in card.figures if figure.name != "AUC lost by storing"
    )


@pytest.mark.parametrize("name", SMALL)
def test_storing_costs_at_most_two_thousandths(shipped: Zoo, name: str) -> None:
    figures = shipped.defence(name).card.figures
    lost = next(figure for figure in figures if figure.name == "AUC lost by storing")
    assert lost.value <= 0.002


@pytest.mark.parametrize("name", NEVER_SAW_A_DEEPFAKE)
def test_what_never_saw_a_deepfake_was_not_trained_with_any(shipped: Zoo, name: str) -> None:
    origin = shipped.defence(name).card.origin
    assert "a DFDC fake" not in origin.data
    assert "From random weights" in origin.recipe


def test_the_ensemble_is_there_without_weights_of_its_own(shipped: Zoo) -> None:
    members = [shipped.defence(name) for name in SMALL_ENSEMBLE]
    crops = [np.random.default_rng(1).integers(0, 256, (224, 224, 3), dtype=np.uint8)]
    alone = [float(ensemble_logits([member], crops)[0]) for member in members]
    assert float(ensemble_logits(members, crops)[0]) == pytest.approx(sum(alone) / 3, abs=1e-5)
    thresholds = [member.card.threshold for member in members]
    assert min(thresholds) <= ensemble_threshold(members) <= max(thresholds)
