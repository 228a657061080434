import dataclasses
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from models.cards import Encoding, WeightsFile
from models.errors import WeightsError
from models.weights import load_weights, pack, save_weights, state_shapes, unpack
from tests.made_models import tiny_network

TITLE = "Tiny Net"
ENCODINGS: tuple[Encoding, ...] = ("float32", "float16", "int8")


@pytest.fixture
def shapes() -> dict[str, torch.Size]:
    return state_shapes(tiny_network())


def load(weights: WeightsFile, folder: Path, shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    return load_weights(weights, folder, shapes, title=TITLE)


def described(path: Path, content: bytes) -> WeightsFile:
    """Write a file of any content, and describe it as a card that vouches for it would."""
    path.write_bytes(content)
    return WeightsFile(path.name, hashlib.sha256(content).hexdigest(), len(content), "float32")


def assert_refused(
    weights: WeightsFile, folder: Path, shapes: dict[str, torch.Size], *parts: str
) -> None:
    with pytest.raises(WeightsError) as refusal:
        load(weights, folder, shapes)
    sentence = str(refusal.value)
    assert sentence.startswith(f"The weights of {TITLE} are refused: expected ")
    assert ", found " in sentence
    assert "; " in sentence
    assert sentence.endswith(".")
    assert str(folder) not in sentence
    for part in parts:
        assert part in sentence


# Saving and loading


@pytest.mark.parametrize(("encoding", "tolerance"), [("float32", 0), ("float16", 1e-3)])
def test_a_saved_state_loads_back(
    tmp_path: Path,
    state: dict[str, Tensor],
    shapes: dict[str, torch.Size],
    encoding: Encoding,
    tolerance: float,
) -> None:
    weights = save_weights(state, tmp_path / "tiny.safetensors", encoding)
    loaded = load(weights, tmp_path, shapes)
    for key, tensor in state.items():
        assert loaded[key].dtype == tensor.dtype
        torch.testing.assert_close(loaded[key], tensor, rtol=tolerance, atol=1e-6)


def test_an_8_bit_file_loads_as_what_packing_left(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    weights = save_weights(state, tmp_path / "tiny.safetensors", "int8")
    loaded = load(weights, tmp_path, shapes)
    for key, tensor in unpack(pack(state)).items():
        assert torch.equal(loaded[key], tensor)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_state_gives_the_same_bytes_whatever_its_memory_layout(
    tmp_path: Path, encoding: Encoding
) -> None:
    network = tiny_network()
    first = save_weights(network.state_dict(), tmp_path / "a.safetensors", encoding)
    turned = network.to(memory_format=torch.channels_last).double()
    second = save_weights(turned.state_dict(), tmp_path / "b.safetensors", encoding)
    assert (first.sha256, first.bytes) == (second.sha256, second.bytes)
    assert first.sha256 == hashlib.sha256((tmp_path / "a.safetensors").read_bytes()).hexdigest()


# What is refused


@pytest.fixture
def saved(tmp_path: Path, state: dict[str, Tensor]) -> WeightsFile:
    return save_weights(state, tmp_path / "tiny.safetensors", "float32")


def test_a_missing_file_is_refused(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    (tmp_path / saved.file).unlink()
    assert_refused(saved, tmp_path, shapes, "tiny.safetensors", "none")


def test_a_truncated_file_is_refused(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    path = tmp_path / saved.file
    path.write_bytes(path.read_bytes()[:-1])
    assert_refused(saved, tmp_path, shapes, f"{saved.bytes:,} bytes", f"{saved.bytes - 1:,}")


def test_a_single_changed_bit_is_refused(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    path = tmp_path / saved.file
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert_refused(saved, tmp_path, shapes, f"sha256 {saved.sha256[:12]}")


def test_a_git_lfs_pointer_is_refused_with_the_command_that_helps(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{saved.sha256}\nsize 9\n"
    (tmp_path / saved.file).write_text(pointer, encoding="ascii")
    assert_refused(saved, tmp_path, shapes, "pointer", "git lfs pull")


def pickled() -> bytes:
    stream = io.BytesIO()
    torch.save(tiny_network().state_dict(), stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    "make",
    [pickled, lambda: b"nothing like weights", lambda: b"\xff" * 100, lambda: b"\0" * 8],
    ids=["pickle", "text", "huge header", "empty header"],
)
def test_a_file_that_is_not_safetensors_is_refused_even_where_the_card_vouches_for_it(
    tmp_path: Path, shapes: dict[str, torch.Size], make: Callable[[], bytes]
) -> None:
    weights = described(tmp_path / "tiny.safetensors", make())
    assert_refused(weights, tmp_path, shapes, "a safetensors file", "another format")


def altered(
    folder: Path, state: dict[str, Tensor], change: Callable[[dict[str, Tensor]], object]
) -> WeightsFile:
    change(state)
    return described(folder / "tiny.safetensors", safetensors.torch.save(state))


def test_a_missing_key_is_refused(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    weights = altered(tmp_path, state, lambda s: s.pop("3.bias"))
    assert_refused(weights, tmp_path, shapes, "9 known tensors", "1 missing, such as 3.bias")


def test_an_empty_state_is_refused(tmp_path: Path, shapes: dict[str, torch.Size]) -> None:
    weights = altered(tmp_path, {}, lambda s: s)
    assert_refused(weights, tmp_path, shapes, "9 missing")


def test_an_unknown_key_is_refused(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    weights = altered(tmp_path, state, lambda s: s.update(extra=torch.zeros(1)))
    assert_refused(weights, tmp_path, shapes, "1 unknown, such as extra")


def test_a_wrong_shape_is_refused(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    weights = altered(tmp_path, state, lambda s: s.update({"3.weight": torch.zeros(3, 20)}))
    assert_refused(weights, tmp_path, shapes, "shape 2×20 in 3.weight", "found 3×20")


@pytest.mark.parametrize("wrong", [float("nan"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size], wrong: float
) -> None:
    weights = altered(tmp_path, state, lambda s: s["1.running_var"].fill_(wrong))
    assert_refused(weights, tmp_path, shapes, "finite numbers", "NaN or infinity in 1.running_var")


def test_an_8_bit_tensor_whose_scale_is_not_finite_is_refused(
    tmp_path: Path, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    packed = pack(state)
    packed["0.weight::scale"][0] = float("inf")
    weights = altered(tmp_path, packed, lambda s: s)
    assert_refused(weights, tmp_path, shapes, "finite numbers", "0.weight")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("0.weight::scale"),
        lambda s: s.update({"0.weight::scale": torch.ones(4)}),
        lambda s: s.update({"0.weight": torch.zeros(5, 3, 3, 3)}),
    ],
    ids=["no scales", "too few scales", "not 8 bits"],
)
def test_8_bit_tensors_and_scales_that_do_not_fit_are_refused(
    tmp_path: Path,
    state: dict[str, Tensor],
    shapes: dict[str, torch.Size],
    change: Callable[[dict[str, Tensor]], object],
) -> None:
    weights = altered(tmp_path, pack(state), change)
    assert_refused(weights, tmp_path, shapes, "a safetensors file encoded as")


# A file given by whoever runs the program


def test_a_given_file_is_used_in_place_of_a_missing_one(
    tmp_path: Path, saved: WeightsFile, state: dict[str, Tensor], shapes: dict[str, torch.Size]
) -> None:
    elsewhere = tmp_path / "elsewhere.bin"
    (tmp_path / saved.file).rename(elsewhere)
    loaded = load_weights(saved, tmp_path, shapes, title=TITLE, given=elsewhere)
    assert torch.equal(loaded["3.bias"], state["3.bias"])


def test_a_given_file_is_held_to_the_card_like_any_other(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"\0" * saved.bytes)
    with pytest.raises(WeightsError, match="Tiny Net are refused: expected sha256"):
        load_weights(saved, tmp_path, shapes, title=TITLE, given=wrong)


def test_a_given_file_that_is_not_there_is_refused_rather_than_passed_over(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    with pytest.raises(WeightsError, match="that was given, found no file there"):
        load_weights(saved, tmp_path, shapes, title=TITLE, given=tmp_path / "absent")


def test_a_missing_file_with_a_repository_but_no_hub_to_ask_is_refused(
    tmp_path: Path, saved: WeightsFile, shapes: dict[str, torch.Size]
) -> None:
    (tmp_path / saved.file).unlink()
    assert_refused(dataclasses.replace(saved, hub="someone/some"), tmp_path, shapes, "none")
