"""Super-resolution checkpoints as other people publish them, small and written here."""

from pathlib import Path

import pytest
import torch
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN
from spandrel.architectures.SwinIR import SwinIR
from torch import Tensor, nn

from models.errors import WeightsError
from models.foreign_super_resolution import (
    ForeignSuperResolution,
    ForeignSuperResolutionCard,
    enlarge_foreign,
    read_foreign_super_resolution,
    read_foreign_super_resolutions,
)
from models.zoo import Zoo

CPU = torch.device("cpu")


def compact(scale: int = 2, channels: int = 3) -> nn.Module:
    network: nn.Module = Compact(
        num_in_ch=channels, num_out_ch=channels, num_feat=8, num_conv=2, upscale=scale
    )
    return network.eval()


def saved(path: Path, network: nn.Module, wrapper: str = "params_ema") -> Path:
    torch.save({wrapper: network.state_dict()}, path)
    return path


def picture(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5))


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as refusal:
        read_foreign_super_resolution(path, "mine", CPU)
    sentence = str(refusal.value)
    assert sentence.startswith("The checkpoint mine is refused: expected ")
    assert str(path.parent) not in sentence
    return sentence


# What is read


def test_a_compact_real_esrgan_enlarges_as_the_network_itself_does(tmp_path: Path) -> None:
    network = compact(scale=4)
    loaded = read_foreign_super_resolution(saved(tmp_path / "a.pth", network), "mine", CPU, "Mine")
    batch = torch.cat([picture(9, 14), picture(9, 14).flip(2)])
    with torch.inference_mode():
        expected = network(batch).clamp(0, 1)
    torch.testing.assert_close(enlarge_foreign(loaded, batch), expected)
    assert (loaded.card.name, loaded.card.title) == ("mine", "Mine")
    assert (loaded.card.scale, loaded.card.architecture) == (4, "RealESRGAN Compact")


def test_an_esrgan_is_read(tmp_path: Path) -> None:
    network = ESRGAN(num_filters=8, num_blocks=1, scale=4)
    loaded = read_foreign_super_resolution(saved(tmp_path / "a.pth", network), "mine", CPU)
    assert (loaded.card.scale, loaded.card.architecture) == (4, "ESRGAN")
    assert enlarge_foreign(loaded, picture(6, 7)).shape == (1, 3, 24, 28)


def test_a_swinir_takes_sizes_that_its_windows_do_not_divide(tmp_path: Path) -> None:
    network = SwinIR(
        img_size=16,
        window_size=8,
        depths=[2],
        num_heads=[2],
        embed_dim=8,
        mlp_ratio=2,
        upscale=2,
        upsampler="pixelshuffledirect",
    )
    loaded = read_foreign_super_resolution(saved(tmp_path / "a.pth", network), "mine", CPU)
    assert loaded.card.architecture == "SwinIR"
    assert enlarge_foreign(loaded, picture(11, 19)).shape == (1, 3, 22, 38)


def test_long_sides_go_through_in_tiles_without_a_seam(tmp_path: Path) -> None:
    network = compact(scale=2)
    loaded = read_foreign_super_resolution(saved(tmp_path / "a.pth", network), "mine", CPU)
    batch = picture(270, 530)
    with torch.inference_mode():
        expected = network(batch).clamp(0, 1)
    torch.testing.assert_close(enlarge_foreign(loaded, batch), expected, rtol=1e-4, atol=1e-5)


# What is refused


def test_a_network_that_only_restores_is_refused(tmp_path: Path) -> None:
    sentence = refused(saved(tmp_path / "a.pth", compact(scale=1)))
    assert "a super-resolution network, found RealESRGAN Compact, made for another" in sentence


def test_a_grey_network_is_refused(tmp_path: Path) -> None:
    sentence = refused(saved(tmp_path / "a.pth", compact(channels=1)))
    assert "3 channels (RGB) in and out" in sentence
    assert "found 1 in and 1 out" in sentence


def test_a_scale_that_no_round_trip_needs_is_refused(tmp_path: Path) -> None:
    sentence = refused(saved(tmp_path / "a.pth", compact(scale=5)))
    assert "a scale of 2, 3, 4, 8, found 5" in sentence


def test_keys_that_spandrel_does_not_know_are_shown(tmp_path: Path) -> None:
    sentence = refused(saved(tmp_path / "a.pth", nn.Sequential(nn.Linear(2, 2))))
    assert "found 0.bias, 0.weight;" in sentence
    assert "conv_first.weight" in sentence


def test_shapes_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    network = compact()
    state = network.state_dict() | {"body.2.weight": torch.zeros(5, 5, 3, 3)}
    torch.save(state, tmp_path / "a.pth")
    assert "that spandrel knows" in refused(tmp_path / "a.pth")


def test_a_result_that_is_not_finite_is_refused() -> None:
    card = ForeignSuperResolutionCard("mine", "Mine", "none", 2, "0" * 64, 1, True)
    loaded = ForeignSuperResolution(card, lambda batch: batch.new_full((1, 3, 8, 8), torch.nan))
    with pytest.raises(WeightsError, match="The result of Mine is refused"):
        enlarge_foreign(loaded, picture(4, 4))


@pytest.mark.parametrize("batch", [torch.zeros(3, 4, 4), torch.zeros(1, 1, 4, 4)])
def test_anything_but_a_batch_of_rgb_pictures_is_refused(tmp_path: Path, batch: Tensor) -> None:
    loaded = read_foreign_super_resolution(saved(tmp_path / "a.pth", compact()), "mine", CPU)
    with pytest.raises(ValueError, match="expected float32 N×3×h×w"):
        enlarge_foreign(loaded, batch)


# In the zoo


def test_the_zoo_hands_out_the_operators_network_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "My SR.pth", compact())
    restorers = read_foreign_super_resolutions([str(path)], CPU)
    zoo = Zoo("cpu", restorers=restorers)
    assert zoo.restorer_names == ("my_sr",)
    assert zoo.restorer("my_sr") is restorers[0]
    with pytest.raises(WeightsError, match="'my_se' is unknown: expected my_sr; did you mean"):
        zoo.restorer("my_se")
    with pytest.raises(WeightsError, match="expected none, for none was given"):
        Zoo("cpu").restorer("my_sr")


def test_the_name_of_a_shipped_method_cannot_be_taken(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.pth", compact())
    with pytest.raises(WeightsError, match="The name bicubic is taken"):
        Zoo("cpu", restorers=read_foreign_super_resolutions([f"bicubic={path}"], CPU))
