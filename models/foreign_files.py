"""Files of weights that come from elsewhere, read without running anything in them.

Only whoever starts the program names such a file, never a visitor of the page. Still it is read
as data only: safetensors, or a pickle of tensors through `torch.load(weights_only=True)`.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as read_safetensors
from torch import Tensor

from models.errors import WeightsError

MAX_BYTES = 2 * 1024**3
# Where training programs put the weights inside a checkpoint; the averaged ones first.
WRAPPERS = (
    "params_ema",
    "params-ema",
    "params",
    "model_state_dict",
    "state_dict",
    "model",
    "net",
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class ForeignFile:
    """A checkpoint's tensors, and how to know the file.

    Attributes:
        tensors: On the CPU, floating ones finite and in float32; a leading "module." is gone.
        sha256: Of the file's bytes, 64 lower-case hexadecimal digits.
        bytes: The file's size.
    """

    tensors: dict[str, Tensor]
    sha256: str
    bytes: int


def named_file(text: str) -> tuple[str, Path]:
    """What `NAME=FILE`, or `FILE` alone, means; alone, the file's own name gives the name.

    Raises:
        WeightsError: There is no file in it, or NAME is not made of a-z, 0-9, _ and -.
    """
    name, equals, file = text.rpartition("=")
    if not file:
        raise WeightsError(f"A file was expected, as FILE or NAME=FILE, but {text!r} came.")
    if not equals:
        name = re.sub(r"[^a-z0-9]+", "_", Path(file).stem.lower()).strip("_")[:40]
    if not _NAME.fullmatch(name):
        raise WeightsError(
            f"The name {name!r} is refused: expected up to 40 characters a to z, 0 to 9, _ and -, "
            "beginning with a letter or digit; write NAME=FILE with such a name."
        )
    return name, Path(file)


def read_foreign_file(path: Path, name: str) -> ForeignFile:
    """Read a checkpoint's tensors.

    Args:
        path: safetensors, or what `torch.save` wrote of tensors, alone or under a usual key.
        name: What to call it in messages.

    Raises:
        WeightsError: Missing, too large, compressed, not one of these formats, holding other
            things than tensors, or not finite.
    """
    content = _content(path, name)
    try:
        tensors = _tensors(content)
    except Exception:  # a damaged pickle can raise nearly any type, and each means the same
        raise refusal(
            name,
            "a safetensors file or a pickle of nothing but tensors",
            "another or a damaged one",
        ) from None
    if not tensors:
        raise refusal(name, "named tensors", "none")
    while all(key.startswith("module.") for key in tensors):
        tensors = {key.removeprefix("module."): tensor for key, tensor in tensors.items()}
    if sum(tensor.nbytes for tensor in tensors.values()) > MAX_BYTES:
        raise refusal(name, f"at most {MAX_BYTES / 1e9:.1f} GB of tensors", "more")
    return ForeignFile(
        tensors={key: _as_float32(tensor, key, name) for key, tensor in tensors.items()},
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )


def refusal(name: str, expected: str, found: str) -> WeightsError:
    """The error that says what was expected of a checkpoint and what was found in it."""
    return WeightsError(
        f"The checkpoint {name} is refused: expected {expected}, found {found}; "
        "give another file, or leave it out."
    )


def some_keys(keys: Iterable[str]) -> str:
    """A few keys for a message, in order: "a, b, c and 7 more"."""
    ordered = sorted(keys)
    shown = ", ".join(key[:60] for key in ordered[:3])
    return f"{shown} and {len(ordered) - 3} more" if len(ordered) > 3 else shown


def _content(path: Path, name: str) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise refusal(name, f"at most {MAX_BYTES / 1e9:.1f} GB", f"{size / 1e9:.1f} GB")
        return path.read_bytes()
    except OSError:
        raise refusal(name, "a file that can be read", "none") from None


def _tensors(content: bytes) -> dict[str, Tensor]:
    if content[8:9] == b"{":
        return read_safetensors(content)
    if zipfile.is_zipfile(io.BytesIO(content)):
        _check_not_inflating(content)
    checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return {key: _checked(tensor) for key, tensor in _unwrapped(checkpoint).items()}


def _check_not_inflating(content: bytes) -> None:
    """Refuse an archive that grows when it is read; `torch.save` never writes such a one."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
    stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
    if not stored or sum(entry.file_size for entry in entries) > len(content):
        raise ValueError("the archive is larger inside than outside")


def _unwrapped(checkpoint: Any) -> Mapping[str, Any]:
    inner = next(
        (checkpoint[key] for key in WRAPPERS if isinstance(checkpoint.get(key), dict)), None
    )
    if inner is not None:
        return _unwrapped(inner)
    return {
        key: value
        for key, value in checkpoint.items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }


def _checked(tensor: Tensor) -> Tensor:
    """Refuse tensors that claim more numbers than the file holds for them."""
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        raise ValueError("a tensor of an unusual kind")
    if tensor.nbytes > tensor.untyped_storage().nbytes():
        raise ValueError("a tensor larger than its storage")
    return tensor.detach()


def _as_float32(tensor: Tensor, key: str, name: str) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    widened = tensor.to(torch.float32)
    if not bool(widened.isfinite().all()):
        raise refusal(name, "finite numbers only", f"NaN or infinity in {key[:60]}")
    return widened
