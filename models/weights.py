"""Weights on disk: three encodings, and a loader that accepts only what the card describes.

Encodings, all in the safetensors format:
    float32: as trained.
    float16: floating tensors in half precision, widened to float32 when read.
    int8: floating tensors of two or more dimensions and more than one row as int8 under their
        own key, with one float32 scale per index of the first dimension (the output channels) under
        "<key>::scale"; x ≈ int8 · scale. Everything else stays float32.
Integer tensors (counters of batch norm) are stored as they are.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_safetensors
from torch import Tensor

from models.cards import Encoding, WeightsFile
from models.errors import WeightsError
from models.hub import Hub, HubError

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
SCALE_SUFFIX = "::scale"
_LFS_START = b"version https://git-lfs.github.com/spec/"
_NEXT_STEP = "fetch the project's weights again or give a good copy of the file"


def pack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round to 8 bits: symmetric, one scale per output channel, halves to even.

    Args:
        state: Finite tensors on any device, floating ones of any precision.

    Returns:
        The int8 encoding (see the module), on the CPU. |x - unpack(pack(x))| is at most half a
        scale, where scale = max |x| of the channel / 127.

    Raises:
        ValueError: A floating tensor holds NaN or infinity, or a key ends in "::scale".
    """
    packed: dict[str, Tensor] = {}
    for key, tensor in _plain(state).items():
        if key.endswith(SCALE_SUFFIX):
            raise ValueError(f"a key of weights may not end in {SCALE_SUFFIX}: {key}")
        if not (tensor.is_floating_point() and tensor.ndim >= 2 and tensor.shape[0] > 1):
            packed[key] = tensor
            continue
        largest = tensor.flatten(1).abs().amax(1)
        scale = torch.where(largest > 0, largest / 127, 1.0)
        rounded = (tensor / _along_first(scale, tensor)).round().clamp(-127, 127)
        packed[key] = rounded.to(torch.int8)
        packed[key + SCALE_SUFFIX] = scale
    return packed


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `pack`, up to its rounding: floating tensors come back in float32.

    Raises:
        ValueError: An int8 tensor lacks its scales or has a wrong number of them.
    """
    state: dict[str, Tensor] = {}
    for key, tensor in packed.items():
        scale = packed.get(key + SCALE_SUFFIX)
        if scale is not None:
            if tensor.dtype != torch.int8 or scale.shape != tensor.shape[:1]:
                raise ValueError(f"{key} and its scales do not belong together")
            state[key] = tensor.to(torch.float32) * _along_first(scale, tensor)
        elif tensor.dtype == torch.int8:
            raise ValueError(f"{key} has no scales")
        elif not key.endswith(SCALE_SUFFIX) or key.removesuffix(SCALE_SUFFIX) not in packed:
            state[key] = tensor.to(torch.float32) if tensor.is_floating_point() else tensor
    return state


def save_weights(state: Mapping[str, Tensor], path: Path, encoding: Encoding) -> WeightsFile:
    """Write a network's state; the same state gives the same bytes.

    Args:
        state: As `Module.state_dict()` returns it.
        path: The file, ending in .safetensors; replaced at once, never half written.
        encoding: See the module.

    Returns:
        The description that belongs on the card, with no hub repository.

    Raises:
        ValueError: A tensor holds NaN or infinity, or does in half precision.
    """
    if encoding == "int8":
        stored = pack(state)
    elif encoding == "float16":
        stored = _plain(state, torch.float16)
    else:
        stored = _plain(state)
    content = safetensors.torch.save(stored)
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
    return WeightsFile(path.name, hashlib.sha256(content).hexdigest(), len(content), encoding)


def load_weights(
    weights: WeightsFile,
    folder: Path,
    expected: Mapping[str, torch.Size],
    *,
    title: str,
    given: Path | None = None,
    hub: Hub | None = None,
) -> dict[str, Tensor]:
    """Read a network's state, refusing everything that its card does not describe.

    The file is the one given, if any; else the one in `folder`; else, where the card names a
    hub repository and a hub is there, the one downloaded from it.

    Args:
        weights: Which file, from the card.
        folder: Where the files of weights lie.
        expected: Shape of every tensor of the network, from `state_shapes`.
        title: The network's name, for the message.
        given: A file chosen by whoever runs the program, never by a visitor of the page.
        hub: Where to ask for a missing file; None asks nobody.

    Returns:
        The state on the CPU, floating tensors in float32, for `load_state_dict(strict=True)`.

    Raises:
        WeightsError: Missing, wrong size or hash, a git-lfs pointer, not safetensors, wrong
            keys or shapes, or not finite.
    """
    content = _content(_locate(weights, folder, title, given, hub), weights, title)
    try:
        state = unpack(read_safetensors(content))
    except (SafetensorError, ValueError, KeyError):
        raise _refusal(
            title, f"a safetensors file encoded as {weights.encoding}", "another format"
        ) from None
    _check_keys(state, expected, title)
    for key, tensor in state.items():
        if tensor.shape != expected[key]:
            raise _refusal(title, f"shape {_shape(expected[key])} in {key}", _shape(tensor.shape))
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise _refusal(title, "finite numbers only", f"NaN or infinity in {key}")
    return state


def state_shapes(network: torch.nn.Module) -> dict[str, torch.Size]:
    """Shape of every tensor in the network's state: what `load_weights` has to find."""
    return {key: tensor.shape for key, tensor in network.state_dict().items()}


def _locate(
    weights: WeightsFile, folder: Path, title: str, given: Path | None, hub: Hub | None
) -> Path:
    if given is not None:
        if not given.is_file():
            raise _refusal(title, "the file of weights that was given", "no file there")
        return given
    local = folder / weights.file
    if local.is_file():
        return local
    if weights.hub is None or hub is None:
        raise _refusal(title, f"the file {weights.file} beside the program", "none")
    try:
        return hub.fetch(weights.hub, weights.file)
    except HubError as problem:
        raise _refusal(
            title,
            f"the file {weights.file} beside the program or on the hub as {weights.hub}",
            f"none, and {problem}",
        ) from None


def _content(path: Path, weights: WeightsFile, title: str) -> bytes:
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size == weights.bytes or size < 1024 else b""
    except OSError:
        raise _refusal(title, "a readable file of weights", "one that cannot be read") from None
    if content.startswith(_LFS_START):
        raise WeightsError(
            f"The weights of {title} are refused: expected the file itself, found the pointer "
            "that git-lfs left in its place; run `git lfs pull` in the project's folder."
        )
    if size != weights.bytes:
        raise _refusal(title, f"{weights.bytes:,} bytes", f"{size:,}")
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise _refusal(title, f"sha256 {weights.sha256[:12]}…", f"{found[:12]}…")
    return content


def _check_keys(
    state: Mapping[str, Tensor], expected: Mapping[str, torch.Size], title: str
) -> None:
    for word, keys in (
        ("missing", expected.keys() - state),
        ("unknown", state.keys() - expected),
    ):
        if keys:
            raise _refusal(
                title,
                f"{len(expected)} known tensors",
                f"{len(keys)} {word}, such as {min(keys)}",
            )


def _refusal(title: str, expected: str, found: str) -> WeightsError:
    return WeightsError(
        f"The weights of {title} are refused: expected {expected}, found {found}; {_NEXT_STEP}."
    )


def _plain(
    state: Mapping[str, Tensor], precision: torch.dtype = torch.float32
) -> dict[str, Tensor]:
    """The state on the CPU in row-major order, floating tensors in `precision`."""
    plain: dict[str, Tensor] = {}
    for key, tensor in state.items():
        kept = tensor.detach().cpu()
        if kept.is_floating_point():
            kept = kept.to(precision)
            if not bool(kept.isfinite().all()):
                raise ValueError(f"{key} holds NaN or infinity in {precision}")
        plain[key] = kept.clone(memory_format=torch.contiguous_format)
    return plain


def _along_first(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.view(-1, *[1] * (tensor.ndim - 1))


def _shape(size: torch.Size) -> str:
    return "×".join(map(str, size)) or "a single number"
