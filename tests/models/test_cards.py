"""What a card can say, wherever it was read."""

import dataclasses

import pytest

from models.cards import Figure, WeightsFile
from tests.made_models import edsr_card


def test_a_super_resolution_card_cannot_claim_another_scale() -> None:
    edsr = edsr_card(3, WeightsFile("some.safetensors", "ab" * 32, 1234, "int8"))
    with pytest.raises(ValueError, match="scale must be the one in the name"):
        dataclasses.replace(edsr, scale=2)


@pytest.mark.parametrize(("low", "high"), [(None, 0.9), (0.9, None), (0.9, 0.8)])
def test_an_interval_has_both_ends_in_order(low: float | None, high: float | None) -> None:
    with pytest.raises(ValueError, match="interval"):
        Figure("AUC", 0.85, low, high, "", "n = 400", "clean")
