import pytest
import torch

from models.cards import Architecture
from models.training.networks import ARCHITECTURES, begin, build_network, cell_logits

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
