"""Other people's detectors, as networks that answer like the project's own.

A head with two classes becomes one logit, fake minus real: the sigmoid of that
difference is exactly the softmax's probability of being fake.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from models.cards import CropPolicy, DetectorCard, Origin, WeightsFile
from models.detectors import build_detector
from models.foreign_conventions import Convention, recognise, renamed
from models.foreign_files import ForeignFile, named_file, read_foreign_file, refusal, some_keys
from models.loading import LoadedDetector, load_detector
from models.weights import state_shapes

FAKE, REAL = 1, 0


def read_foreign_detectors(
    files: Sequence[str], device: torch.device
) -> tuple[LoadedDetector, ...]:
    """Read every `FILE` or `NAME=FILE`, for `Zoo(added=…)`; one that ends in .json is a card.

    Raises:
        WeightsError: As `read_foreign_detector` and `read_carded_detector`.
    """
    named = [named_file(file) for file in files]
    return tuple(
        (read_carded_detector if path.suffix == ".json" else read_foreign_detector)(
            path, name, device
        )
        for name, path in named
    )


def read_carded_detector(card: Path, name: str, device: torch.device) -> LoadedDetector:
    """Read a detector by its card, whose weights lie beside it, under another name.

    Raises:
        WeightsError: The card or the weights are refused.
    """
    loaded = load_detector(card, card.parent, device)
    return replace(loaded, card=replace(loaded.card, name=name))


def read_foreign_detector(
    path: Path, name: str, device: torch.device, title: str | None = None
) -> LoadedDetector:
    """Read a detector that someone else trained.

    Args:
        path: safetensors, or a pickle of tensors; see `models.foreign_files`.
        name: The name used in code and commands.
        device: Where the network is to live.
        title: The name shown to people; None takes `name`.

    Returns:
        The detector as the zoo's own: float32, evaluation mode, no gradients, one logit. Its
        card tells the convention in which it was read.

    Raises:
        WeightsError: The file is not a checkpoint, follows no known convention, or lacks or adds
            keys or shapes; the message says which keys were expected and which were found.
    """
    file = read_foreign_file(path, name)
    convention = recognise(file.tensors, name)
    network = build_detector(convention.architecture)
    state = _fitted(renamed(file.tensors, convention), state_shapes(network), convention, name)
    network.load_state_dict(state, strict=True)
    network = network.eval().requires_grad_(False).to(device)
    if convention.architecture != "swin_small_patch4_window7_224":
        network = network.to(memory_format=torch.channels_last)
    return LoadedDetector(_card(convention, file, name, title or name), network)


def _fitted(
    found: dict[str, Tensor],
    expected: Mapping[str, torch.Size],
    convention: Convention,
    name: str,
) -> dict[str, Tensor]:
    """The tensors with one logit and full shapes, refused unless they fill the network exactly."""
    state = dict(found)
    for key, shape in expected.items():
        # Files from before PyTorch 0.4.1 lack these counters; only training needs them.
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, torch.zeros(shape, dtype=torch.int64))
    for word, keys in (("without", expected.keys() - state), ("and also", state.keys() - expected)):
        if keys:
            raise refusal(
                name,
                f"the {len(expected)} tensors of {convention.title}, such as "
                f"{convention.prefix if convention.marked else ''}{convention.marks[0]}",
                f"{len(found)} {word} {some_keys(keys)}",
            )
    for part in ("weight", "bias"):
        key = f"{convention.head}.{part}"
        state[key] = _one_logit(state[key], expected[key], key, name)
    for key, shape in expected.items():
        if (*state[key].shape, 1, 1) == tuple(shape):
            state[key] = state[key][..., None, None]
        if state[key].shape != shape:
            raise refusal(name, f"shape {_size(shape)} in {key}", _size(state[key].shape))
    return state


def _one_logit(tensor: Tensor, expected: torch.Size, key: str, name: str) -> Tensor:
    if tensor.shape == (2, *expected[1:]):
        return tensor[FAKE : FAKE + 1] - tensor[REAL : REAL + 1]
    if tensor.shape != expected:
        raise refusal(
            name,
            f"one logit or two classes in {key}, {_size(expected)} or {_size((2, *expected[1:]))}",
            _size(tensor.shape),
        )
    return tensor


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _card(convention: Convention, file: ForeignFile, name: str, title: str) -> DetectorCard:
    return DetectorCard(
        name=name,
        title=title,
        architecture=convention.architecture,
        input_size=convention.input_size,
        mean=convention.mean,
        std=convention.std,
        # What the FaceForensics++ and DeepfakeBench preprocessing cut around a face.
        crop=CropPolicy(scale=1.3, shift=0.0),
        threshold=0.5,
        weights=WeightsFile(f"{name}.safetensors", file.sha256, file.bytes, "float32"),
        figures=(),
        origin=Origin(
            data="Not known: this detector was given by whoever runs the program.",
            terms="Not known.",
            recipe=f"Read in the convention of {convention.title}.",
            hours=0.0,
            hardware="Not known.",
            seed=0,
            curve=(),
            curve_label="",
        ),
        note="Nothing was measured here on this detector; its threshold of 0.5 is assumed.",
    )
