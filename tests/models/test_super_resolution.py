import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from super_image import EdsrConfig, EdsrModel
from torch import Tensor, nn

from models.card_files import CARDS_FOLDER, read_super_resolution_card
from models.cards import Figure, SuperResolutionCard, SuperResolutionName
from models.errors import WeightsError
from models.super_resolution import (
    CHANNELS,
    STRIP_PIXELS,
    TILE_OVERLAP,
    TILE_SIDE,
    TailInStrips,
    UnscaledBlock,
    build_edsr,
    enlarge,
    enlarge_in_strips,
    leave_out_scaling,
)
from models.training.benchmark import BenchmarkResult, benchmark
from models.weights import WEIGHTS_FOLDER, load_weights, state_shapes

NAMES: tuple[SuperResolutionName, ...] = ("edsr_x2", "edsr_x3", "edsr_x4")
SET5_FLOOR = {2: 37.4, 3: 33.6, 4: 31.3}
RADIUS = 36


def noise(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def lively_edsr(scale: int) -> EdsrModel:
    """Random weights large enough that a pixel's influence is seen as far as it reaches."""
    torch.manual_seed(scale)
    network = build_edsr(scale)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
            nn.init.kaiming_normal_(layer.weight)
    return network


class Wider(nn.Module):
    """Repeats each pixel twice each way: cheap, and what lies where shows in the result."""

    config = EdsrConfig(scale=2)

    def __init__(self) -> None:
        super().__init__()
        self.number = nn.Parameter(torch.zeros(1))

    def forward(self, batch: Tensor) -> Tensor:
        return batch.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def shipped(name: SuperResolutionName) -> tuple[SuperResolutionCard, EdsrModel]:
    card = read_super_resolution_card(CARDS_FOLDER / f"{name}.json")
    network = build_edsr(card.scale)
    network.load_state_dict(
        load_weights(card.weights, WEIGHTS_FOLDER, state_shapes(network), title=card.title)
    )
    return card, network


def on_card(card: SuperResolutionCard, name: str, of: str) -> Figure:
    (figure,) = [f for f in card.figures if f.name == name and f.of.startswith(of)]
    return figure


@pytest.mark.parametrize("scale", [2, 3, 4])
class TestBuilding:
    def test_it_is_the_baseline_of_16_blocks_and_64_channels(self, scale: int) -> None:
        network = build_edsr(scale)
        assert len(network.body) == 16 + 1
        assert network.head[0].out_channels == 64
        assert not network.training

    def test_it_enlarges_by_its_scale(self, scale: int) -> None:
        with torch.inference_mode():
            result = enlarge(build_edsr(scale), noise(7, 5, count=2), scale)
        assert result.shape == (2, 3, 7 * scale, 5 * scale)
        assert result.dtype == torch.float32


@pytest.mark.parametrize("scale", [0, 1, 5, 8, -2])
def test_another_scale_is_refused_in_a_sentence(scale: int) -> None:
    with pytest.raises(WeightsError, match=f"scale 2, 3 or 4, not for {scale}"):
        build_edsr(scale)


class TestEnlarging:
    def test_the_result_is_clamped(self) -> None:
        network = lively_edsr(2)
        with torch.inference_mode():
            raw, result = network(noise(12, 12)), enlarge(network, noise(12, 12), 2)
        assert raw.min() < 0 and raw.max() > 1
        assert torch.equal(result, raw.clamp(0, 1))

    @pytest.mark.parametrize(
        ("batch", "sentence"),
        [
            (torch.zeros(3, 8, 8), "expected a batch N×3×h×w, got 3×8×8"),
            (torch.zeros(1, 4, 8, 8), "expected a batch N×3×h×w, got 1×4×8×8"),
            (torch.zeros(1, 3, 0, 8), "expected a batch N×3×h×w, got 1×3×0×8"),
            (torch.zeros(1, 3, 8, 8, dtype=torch.float64), "expected float32, got torch.float64"),
            (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "expected float32, got torch.uint8"),
            (torch.full((1, 3, 8, 8), 255.0), r"expected values in \[0, 1\], got 255 to 255"),
            (torch.full((1, 3, 8, 8), -0.1), r"expected values in \[0, 1\], got -0.1"),
            (torch.full((1, 3, 8, 8), math.nan), r"expected values in \[0, 1\], got nan"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, batch: Tensor, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            enlarge(build_edsr(2), batch, 2)

    def test_a_scale_that_is_not_the_networks_is_refused(self) -> None:
        with pytest.raises(ValueError, match="expected the network's scale 2, got 3"):
            enlarge(build_edsr(2), noise(8, 8), 3)

    def test_a_result_that_is_not_finite_is_refused(self) -> None:
        network = build_edsr(2)
        with torch.no_grad():
            network.tail[1].bias[0] = math.inf
        with pytest.raises(WeightsError, match="finite numbers"):
            enlarge(network, noise(8, 8), 2)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_leaving_out_the_scaling_by_one_changes_no_digit_and_no_name(scale: int) -> None:
    network, picture = lively_edsr(scale), noise(20, 30)
    names = tuple(network.state_dict())
    with torch.inference_mode():
        before = network(picture)
        leave_out_scaling(network)
        assert torch.equal(network(picture), before)
    assert tuple(network.state_dict()) == names
    assert sum(isinstance(block, UnscaledBlock) for block in network.body) == 16


@pytest.mark.parametrize("scale", [2, 3, 4])
class TestStrips:
    def test_in_strips_is_whole(self, scale: int) -> None:
        tail = lively_edsr(scale).tail
        features = torch.rand(1, CHANNELS, 41, 2 * STRIP_PIXELS // (scale**2 * 40))
        with torch.inference_mode():
            whole = tail(features)
            strips = TailInStrips(tail, scale)(features)
        assert (strips - whole).abs().max() < 1e-5 * float(whole.max() - whole.min())

    def test_a_strip_is_as_large_as_it_may_be_and_its_overlap(self, scale: int) -> None:
        tail, seen = TailInStrips(build_edsr(scale).tail, scale), []
        tail[0].register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[2]))
        width = 3 * STRIP_PIXELS // (scale**2 * 41)
        with torch.inference_mode():
            tail(torch.zeros(1, CHANNELS, 13, width))
            assert seen == [13]
            tail(torch.zeros(1, CHANNELS, 41, width))
        assert seen[1:] == [18, 22, 17]

    def test_no_name_of_a_weight_changes(self, scale: int) -> None:
        network = build_edsr(scale)
        names = tuple(network.state_dict())
        enlarge_in_strips(network)
        assert isinstance(network.tail, TailInStrips)
        assert tuple(network.state_dict()) == names


class TestTiling:
    @pytest.mark.parametrize("scale", [2, 3, 4])
    def test_no_pixel_reaches_farther_than_the_overlap(self, scale: int) -> None:
        network, side = lively_edsr(scale), 2 * RADIUS + 9
        centre = side // 2
        picture = noise(1, side).expand(-1, -1, 3, -1).contiguous().requires_grad_()
        result = network(picture)[..., scale * centre : scale * (centre + 1)]
        (gradient,) = torch.autograd.grad(result.sum(), picture)
        (reached,) = torch.nonzero(gradient.abs().sum((0, 1, 2)), as_tuple=True)
        assert int(reached.min()) == centre - RADIUS
        assert int(reached.max()) == centre + RADIUS
        assert RADIUS <= TILE_OVERLAP

    @pytest.mark.parametrize(("height", "width"), [(TILE_SIDE + 1, 9), (9, 2 * TILE_SIDE + 5)])
    def test_tiled_is_untiled(self, height: int, width: int) -> None:
        network, picture = lively_edsr(2), noise(height, width)
        with torch.inference_mode():
            untiled = network(picture)
            tiled = enlarge(network, picture, 2)
            spread = float(untiled.max() - untiled.min())
            assert (tiled - untiled.clamp(0, 1)).abs().max() < 1e-5 * spread

    def test_up_to_the_limit_the_picture_goes_through_whole(self) -> None:
        network, seen = build_edsr(2), []
        network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[3]))
        with torch.inference_mode():
            enlarge(network, noise(3, TILE_SIDE), 2)
            assert seen == [TILE_SIDE]
            enlarge(network, noise(3, TILE_SIDE + 1), 2)
        assert len(seen) == 3
        assert max(seen) <= TILE_SIDE

    @pytest.mark.parametrize(
        "length", [TILE_SIDE - 1, TILE_SIDE + 1, 512, 592, 593, 683, 768, 4000]
    )
    def test_no_tile_is_larger_than_the_limit_and_each_pixel_is_in_one(self, length: int) -> None:
        network, seen = Wider(), []
        network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[3]))
        picture = noise(1, length)
        result = enlarge(network, picture, 2)
        assert torch.equal(result, network(picture))
        assert max(seen[:-1]) <= TILE_SIDE
        overlapping = sum(seen[:-1]) - length
        assert overlapping == 2 * TILE_OVERLAP * (len(seen) - 2)

    @pytest.mark.parametrize("name", NAMES)
    def test_of_a_photograph_no_8_bit_level_shifts_by_more_than_one(
        self, name: SuperResolutionName, astronaut: npt.NDArray[np.uint8]
    ) -> None:
        card, network = shipped(name)
        strip = astronaut[90:150, :400].astype(np.float32) / 255
        picture = torch.from_numpy(strip).permute(2, 0, 1)[None]
        with torch.inference_mode():
            tiled = enlarge(network, picture, card.scale)
            untiled = network(picture).clamp(0, 1)
        apart = (tiled * 255).round() - (untiled * 255).round()
        assert apart.abs().max() <= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NAMES)
class TestShippedWeights:
    """Set5 is measured anew; BSD100 by every tenth picture."""

    def test_set5_is_as_the_card_says_and_not_below_the_floor(
        self, name: SuperResolutionName, shared_data: Path
    ) -> None:
        card, network = shipped(name)
        (result,) = benchmark(network, card.scale, shared_data, ("set5",))
        assert result.edsr >= SET5_FLOOR[card.scale]
        assert result.edsr == pytest.approx(on_card(card, "PSNR, EDSR", "Set5").value, abs=0.01)
        bicubic = on_card(card, "PSNR, bicubic", "Set5").value
        assert result.bicubic == pytest.approx(bicubic, abs=0.01)
        assert_beats_bicubic(result, card)

    def test_bsd100_beats_bicubic_by_what_the_card_says(
        self, name: SuperResolutionName, shared_data: Path
    ) -> None:
        card, network = shipped(name)
        (result,) = benchmark(network, card.scale, shared_data, ("bsd100",), every=10)
        assert len(result.pictures) == 10
        assert_beats_bicubic(result, card)

    def test_the_intervals_hold_their_means(self, name: SuperResolutionName) -> None:
        card = read_super_resolution_card(CARDS_FOLDER / f"{name}.json")
        assert card.scale == int(name[-1])
        for figure in card.figures:
            if figure.low is not None and figure.high is not None:
                assert figure.low < figure.value < figure.high


def assert_beats_bicubic(result: BenchmarkResult, card: SuperResolutionCard) -> None:
    smallest = on_card(card, "smallest gain in PSNR over bicubic on any one picture", "Set5").value
    assert smallest > 0
    assert np.isfinite(result.smallest_gain)
    assert result.smallest_gain >= smallest - 0.01
