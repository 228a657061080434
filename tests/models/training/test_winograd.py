from collections.abc import Iterator

import pytest
import torch

from models.super_resolution import build_edsr
from models.training import winograd


class TestWinograd:
    """Computed without the compiler, which changes the speed alone."""

    @pytest.fixture(autouse=True)
    def uncompiled(self) -> Iterator[None]:
        with torch.compiler.set_stance("force_eager"):
            yield

    def test_it_is_the_plain_convolution_and_so_are_its_gradients(self) -> None:
        generator = torch.Generator().manual_seed(6)
        x = torch.randn(2, 8, 12, 5, generator=generator).requires_grad_()
        weight = torch.randn(7, 5, 3, 3, generator=generator).requires_grad_()
        bias = torch.randn(7, generator=generator).requires_grad_()
        ours = winograd.convolve(x, weight, bias)
        plain = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), weight, bias, padding=1)
        expected = plain.permute(0, 2, 3, 1)
        assert torch.allclose(ours, expected, atol=1e-4)
        direction = torch.randn(expected.shape, generator=generator)
        inputs = (x, weight, bias)
        got = torch.autograd.grad(ours, inputs, direction)
        for one, two in zip(got, torch.autograd.grad(expected, inputs, direction), strict=True):
            assert torch.allclose(one, two, atol=1e-3)

    @pytest.mark.parametrize("scale", [2, 3, 4])
    def test_the_network_gives_the_same_either_way(self, scale: int) -> None:
        network = build_edsr(scale)
        batch = torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(7))
        with torch.no_grad():
            assert torch.allclose(winograd.forward(network, batch, 16), network(batch), atol=1e-4)
