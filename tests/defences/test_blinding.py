"""The last layer, made blind to the mean movement of features; what it knows is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

from demo.defences.blinding import AUC_TO_LOSE, Seen, make_blind, see
from demo.defences.robust import Material
from demo.defences.round_trips import read_round_trips
from models.loading import LoadedDetector
from models.zoo import Zoo
from tests.models.training.made_faces import made_faces

WIDTH = 6


class LastLayer(nn.Module):
    """A network of nothing but its last layer, which reads the fake from the first feature."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(WIDTH, 1)
        with torch.no_grad():
            self.last.weight.copy_(torch.tensor([[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]))
            self.last.bias.zero_()

    def get_classifier(self) -> nn.Linear:
        return self.last


def made(seed: int, moved: np.ndarray) -> Seen:
    """Fakes are higher in the first feature; what attacks move is given, and a little noise."""
    rng = np.random.default_rng(seed)
    fake = np.repeat([False, True], 200)
    clean = rng.normal(size=(400, WIDTH))
    clean[:, 0] += 2.0 * fake
    attacked = clean + moved + 0.1 * rng.normal(size=clean.shape)
    return Seen(clean, attacked, fake, np.tile(np.arange(2), 200))


@pytest.fixture(scope="module")
def plain(random_zoo: Zoo) -> LoadedDetector:
    loaded = random_zoo.detector("resnet50")
    return replace(loaded, card=replace(loaded.card, threshold=0.7))


def auc(network: LastLayer, seen: Seen) -> float:
    with torch.no_grad():
        answers = network.last(torch.from_numpy(seen.clean).float())[:, 0].numpy()
    return float(roc_auc_score(seen.fake, answers))


def test_a_movement_beside_what_tells_fakes_is_no_longer_seen(plain: LoadedDetector) -> None:
    moved = np.array([0.0, 0.8, 0.0, 0.4, 0.0, 0.0])
    network = LastLayer()
    before = auc(network, made(1, moved))
    found = make_blind(network, plain, made(0, moved), made(1, moved), before)
    assert network.last.weight[0].detach().numpy() @ moved == pytest.approx(0, abs=0.01)
    assert abs(found.fnr) + abs(found.fpr) <= 0.03
    assert auc(network, made(1, moved)) >= before - AUC_TO_LOSE


def test_blindness_is_not_bought_with_what_tells_fakes(plain: LoadedDetector) -> None:
    """A movement along what tells fakes could be overlooked only by not telling them any more."""
    moved = np.array([0.8, 0.0, 0.0, 0.0, 0.0, 0.0])
    network = LastLayer()
    make_blind(network, plain, made(0, moved), made(1, moved), plain_auc=1.0)
    assert network.last.weight[0, 0].item() > 0.3


def test_the_mean_answer_to_clean_crops_stays(plain: LoadedDetector) -> None:
    moved = np.array([0.0, 0.8, 0.0, 0.4, 0.0, 0.0])
    network, seen = LastLayer(), made(0, moved)
    before = float((seen.clean[:, 0] + seen.clean[:, 1]).mean())
    make_blind(network, plain, seen, made(1, moved), plain_auc=0.0)
    with torch.no_grad():
        after = network.last(torch.from_numpy(seen.clean).float()).mean().item()
    assert after == pytest.approx(before, abs=1e-4)


def test_features_are_taken_of_real_crops_and_then_of_their_fakes(
    random_zoo: Zoo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    faces = made_faces(3, seed=1)
    cache = tmp_path_factory.mktemp("cache")
    trips = read_round_trips(faces, "val", 3, 2, cache, random_zoo)
    plain = random_zoo.detector("resnet50")
    seen = see(plain.network, plain, Material(faces, trips), pairs=2, bf16=False)
    assert seen.clean.shape == seen.attacked.shape == (4, 2048)
    assert seen.fake.tolist() == [False, False, True, True]
    again = see(plain.network, plain, Material(faces, trips), pairs=1, bf16=False)
    np.testing.assert_allclose(seen.clean[[0, 2]], again.clean, rtol=1e-3, atol=1e-4)
    assert (seen.group[:2] == seen.group[2:]).all()
