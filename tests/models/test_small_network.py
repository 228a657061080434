import pytest
import torch
from torch import nn

from models.small_network import SMALL_ARCHITECTURES, build_small


@pytest.mark.parametrize("architecture", SMALL_ARCHITECTURES)
def test_a_logit_a_crop_of_256_px(architecture: str) -> None:
    network = build_small(architecture)  # type: ignore[arg-type]
    with torch.inference_mode():
        assert network(torch.zeros(2, 3, 256, 256)).shape == (2, 1)
    assert not network.training


@pytest.mark.parametrize("architecture", SMALL_ARCHITECTURES)
def test_four_convolutions_and_two_fully_connected_layers(architecture: str) -> None:
    network = build_small(architecture)  # type: ignore[arg-type]
    wide = [
        layer
        for layer in network.stages.modules()
        if isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1)
    ]
    full = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert (len(wide), len(full)) == (4, 2)


def test_each_stage_halves_the_sides() -> None:
    stages = build_small("small").stages
    features = torch.zeros(1, 3, 256, 256)
    for side in (128, 64, 32, 16):
        features = stages[(128, 64, 32, 16).index(side)](features)
        assert features.shape[2:] == (side, side)


def test_residual_stages_add_what_came_in() -> None:
    torch.manual_seed(0)
    plain, residual = build_small("small"), build_small("small_residual")
    crop = torch.rand(1, 3, 64, 64)
    for network in (plain, residual):
        for stage in network.stages:
            nn.init.zeros_(stage.get_parameter("convolution.weight"))
    with torch.inference_mode():
        assert float(plain.stages(crop).max()) == 0
        assert float(residual.stages(crop).max()) > 0


def test_attention_weighs_cells_between_0_and_1_and_all_channels_of_a_cell_alike() -> None:
    torch.manual_seed(0)
    attention = build_small("small_attention").attention
    features = torch.rand(2, 8, 16, 16) + 0.1
    with torch.inference_mode():
        share = attention(features) / features
    assert float(share.min()) > 0 and float(share.max()) < 1
    assert torch.allclose(share, share[:, :1].expand_as(share), atol=1e-5)
    assert float(share.std()) > 0


def test_without_attention_every_cell_counts_fully() -> None:
    features = torch.rand(1, 8, 16, 16)
    assert bool((build_small("small").attention(features) == features).all())
