import pytest
import torch

from models.training.muon import orthogonalise


class TestMuon:
    @pytest.mark.parametrize("shape", [(8, 4, 3, 3), (64, 8, 1, 1), (5, 40)])
    def test_the_direction_has_equal_singular_values(self, shape: tuple[int, ...]) -> None:
        gradient = torch.randn(shape, generator=torch.Generator().manual_seed(4))
        values = torch.linalg.svdvals(orthogonalise(gradient).flatten(1))
        assert values.min() > 0.5 and values.max() < 1.3

    def test_no_gradient_is_no_direction(self) -> None:
        assert torch.equal(orthogonalise(torch.zeros(4, 9)), torch.zeros(4, 9))
