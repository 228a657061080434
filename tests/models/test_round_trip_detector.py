import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.card_files import write_card
from models.errors import WeightsError
from models.round_trip_card import RoundTripCard, read_round_trip_card, shipped_round_trip_cards
from models.round_trip_detector import (
    LEAST_SIDE,
    RoundTripModels,
    RoundTripNetwork,
    linear_logits,
    network_logits,
)
from models.weights import save_weights
from models.zoo import Zoo
from tests.made_models import ModelFolders, round_trip_card


@pytest.fixture(scope="module")
def network() -> RoundTripNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return RoundTripNetwork(6).eval()


@pytest.fixture
def card(random_models: ModelFolders) -> RoundTripCard:
    return read_round_trip_card(random_models.cards / "round_trip.json")


def noise(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 255


# The network


@pytest.mark.parametrize("size", [(LEAST_SIDE, LEAST_SIDE), (45, 200), (512, 300)])
def test_every_size_from_the_least_gets_seven_logits(
    network: RoundTripNetwork, size: tuple[int, int]
) -> None:
    with torch.inference_mode():
        assert network(noise(2, 1, *size)).shape == (2, 7)


def test_brightness_alone_changes_nothing(network: RoundTripNetwork) -> None:
    crop = noise(1, 1, 64, 64) / 2
    with torch.inference_mode():
        torch.testing.assert_close(network(crop), network(crop + 100), atol=1e-4, rtol=1e-4)


def test_fine_detail_is_what_counts(network: RoundTripNetwork) -> None:
    crop = noise(1, 1, 64, 64)
    smooth = torch.nn.functional.avg_pool2d(crop, 3, 1, 1)
    with torch.inference_mode():
        assert (network(crop) - network(smooth)).abs().max() > 0.05
        # A slope is no detail: the high-pass leaves nothing of it.
        slope = torch.arange(64.0).expand(1, 1, 64, 64)
        torch.testing.assert_close(network(slope), network(slope * 0), atol=1e-3, rtol=1e-3)


# Loading


def test_both_models_come_with_exactly_the_stored_weights(
    random_models: ModelFolders, random_zoo: Zoo
) -> None:
    loaded = random_zoo.round_trip_detector()
    stored = load_file(random_models.weights / loaded.card.weights.file)
    np.testing.assert_array_equal(loaded.weight, stored["linear.weight"].double().numpy())
    np.testing.assert_array_equal(loaded.bias, stored["linear.bias"].double().numpy())
    for key, tensor in loaded.network.state_dict().items():
        assert torch.equal(tensor, stored[f"network.{key}"])
    assert not loaded.network.training
    assert random_zoo.round_trip_detector() is loaded


def test_the_linear_model_is_a_product_and_a_sum(random_zoo: Zoo) -> None:
    loaded = random_zoo.round_trip_detector()
    levels = np.zeros(8)
    np.testing.assert_array_equal(linear_logits(loaded, levels), loaded.bias)
    levels[3] = 2.0
    np.testing.assert_allclose(
        linear_logits(loaded, levels), loaded.bias + 2 * loaded.weight[:, 3], atol=1e-12
    )


def test_damaged_weights_are_refused_for_good_and_named(
    random_models: ModelFolders, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"damaged")
    zoo = Zoo(
        "cpu",
        folder=random_models.weights,
        cards=random_models.cards,
        given={"round_trip": damaged},
    )
    for _ in range(2):
        with pytest.raises(WeightsError, match="weights of Round-trip detector are refused"):
            zoo.round_trip_detector()
    assert list(zoo.problems()) == ["round_trip"]


def test_an_answer_that_is_not_finite_is_refused(random_zoo: Zoo) -> None:
    loaded = random_zoo.round_trip_detector()
    with pytest.raises(WeightsError, match="not finite"):
        network_logits(loaded, np.full((40, 40), np.nan))


# The card


def test_a_card_reads_back_equal_and_comes_with_the_shipped_ones(
    card: RoundTripCard, tmp_path: Path
) -> None:
    write_card(card, tmp_path / "round_trip.json")
    assert read_round_trip_card(tmp_path / "round_trip.json") == card
    assert shipped_round_trip_cards(tmp_path) == (card,)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rings", 1, "rings must be 2 or more"),
        ("least_side", 31, "least_side must be 32"),
        ("factors", [2.0, 1.5], "ascending"),
        ("factors", [2.0, 2.0], "ascending"),
        ("network_threshold", 1.0, "between 0 and 1"),
        ("linear_threshold", 0, "between 0 and 1"),
    ],
)
def test_an_impossible_card_is_refused(
    card: RoundTripCard, tmp_path: Path, field: str, value: object, words: str
) -> None:
    path = tmp_path / "round_trip.json"
    path.write_text(json.dumps(asdict(card) | {field: value}))
    with pytest.raises(WeightsError, match=words):
        read_round_trip_card(path)


def test_weights_of_other_rings_than_the_cards_are_refused(
    random_models: ModelFolders, tmp_path: Path
) -> None:
    other = RoundTripModels(9, 6).state_dict()
    weights = save_weights(other, tmp_path / "round_trip.safetensors", "float32")
    write_card(replace(round_trip_card(weights), rings=8), tmp_path / "round_trip.json")
    with pytest.raises(WeightsError, match=r"linear\.weight"):
        Zoo("cpu", folder=tmp_path, cards=tmp_path).round_trip_detector()
