from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.cards import Encoding
from models.weights import pack, save_weights, unpack

ENCODINGS: tuple[Encoding, ...] = ("float32", "float16", "int8")


@settings(deadline=None, max_examples=40)
@given(
    shape=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    exponent=st.integers(-30, 30),
    seed=st.integers(0, 999),
)
def test_8_bit_rounding_is_off_by_at_most_half_a_scale_of_its_own_channel(
    shape: list[int], exponent: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    original = torch.randn(shape, generator=generator) * 2.0**exponent
    restored = unpack(pack({"w": original}))["w"]
    for channel, near in zip(original, restored, strict=True):
        scale = channel.abs().max() / 127
        assert (channel - near).abs().max() <= 0.5001 * scale


def test_a_channel_of_zeros_stays_zero() -> None:
    original = torch.tensor([[0.0, 0.0], [1.0, -1.0]])
    assert torch.equal(unpack(pack({"w": original}))["w"], original)


def test_only_floating_tensors_of_two_or_more_dimensions_are_rounded(
    state: dict[str, Tensor],
) -> None:
    packed = pack(state)
    assert {key for key, tensor in packed.items() if tensor.dtype == torch.int8} == {
        "0.weight",
        "3.weight",
    }
    assert packed["0.weight::scale"].shape == (5,)
    for key in ("0.bias", "1.running_var", "1.num_batches_tracked"):
        assert torch.equal(packed[key], state[key])


def test_packing_what_was_unpacked_changes_nothing(state: dict[str, Tensor]) -> None:
    once = unpack(pack(state))
    twice = unpack(pack(once))
    for key in once:
        torch.testing.assert_close(once[key], twice[key], rtol=1e-6, atol=0)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_weights_that_are_not_finite_are_not_saved(
    tmp_path: Path, state: dict[str, Tensor], encoding: Encoding, wrong: float
) -> None:
    state["0.bias"][0] = wrong
    with pytest.raises(ValueError, match=r"0\.bias holds NaN or infinity"):
        save_weights(state, tmp_path / "tiny.safetensors", encoding)
    assert list(tmp_path.iterdir()) == []


def test_weights_too_large_for_half_precision_are_not_saved_in_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="float16"):
        save_weights({"w": torch.tensor([1e6])}, tmp_path / "tiny.safetensors", "float16")


def test_a_last_layer_of_one_row_is_stored_exactly() -> None:
    last = torch.randn(1, 64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(pack({"fc.weight": last})["fc.weight"], last)
