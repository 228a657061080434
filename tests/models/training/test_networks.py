import pytest
import torch

from models.cards import Architecture
from models.training.networks import (
    ARCHITECTURES,
    FIRST_FILTERS,
    STAGES,
    StageHeads,
    begin,
    build_network,
    cell_logits,
)

SIDE: dict[Architecture, int] = {
    "resnet50": 64,
    "legacy_xception": 96,
    "swin_small_patch4_window7_224": 224,
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_mean_of_the_cells_is_the_logit_of_the_crop(architecture: Architecture) -> None:
    torch.manual_seed(0)
    network = build_network(architecture, skeleton=True, side=SIDE[architecture]).eval()
    batch = torch.randn(2, 3, SIDE[architecture], SIDE[architecture])
    with torch.inference_mode():
        cells = cell_logits(network, batch)
        assert cells.ndim == 3
        assert torch.allclose(cells.mean(dim=(1, 2)), network(batch)[:, 0], atol=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_blocks_that_join_change_nothing_at_first(architecture: Architecture) -> None:
    torch.manual_seed(1)
    skeleton = build_network(architecture, skeleton=True, side=SIDE[architecture]).eval()
    whole = build_network(architecture, skeleton=False, side=SIDE[architecture]).eval()
    batch = torch.randn(2, 3, SIDE[architecture], SIDE[architecture])
    with torch.inference_mode():
        assert not torch.allclose(whole(batch), skeleton(batch), atol=1e-3)
        begin(whole, skeleton.state_dict())
        assert torch.allclose(whole(batch), skeleton(batch), atol=1e-4)
    assert len(whole.state_dict()) > len(skeleton.state_dict())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_second_filter_begins_blind_to_an_even_surface(architecture: Architecture) -> None:
    network = build_network(architecture, skeleton=True, side=SIDE[architecture])
    filters = network.get_submodule(FIRST_FILTERS[architecture]).get_parameter("weight").detach()
    answers = filters.sum(dim=(2, 3)).abs()
    assert answers[::2].max() < 1e-5
    assert answers[1::2].mean() > 1e-2
    assert filters[::2].std() == pytest.approx(float(filters[1::2].std()), rel=0.2)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_earlier_stages_are_asked_cell_by_cell_and_learn(architecture: Architecture) -> None:
    side = SIDE[architecture]
    network = build_network(architecture, skeleton=True, side=side)
    heads = StageHeads(network, architecture)
    cells = cell_logits(network, torch.randn(2, 3, side, side))
    earlier = heads()
    assert len(earlier) == len(STAGES[architecture]) - 1
    assert all(stage.shape[1] > cells.shape[1] for stage in earlier)
    sum(stage.sum() for stage in earlier).backward()
    gradient = network.get_submodule(FIRST_FILTERS[architecture]).get_parameter("weight").grad
    assert gradient is not None and bool(gradient.any())
