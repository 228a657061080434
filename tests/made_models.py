"""Networks with made-up weights, written as files with proper cards.

They let everything that only needs *some* networks be tested without the trained ones, and give
the same files every time. The EDSR networks repeat each pixel, with a little noise on top; the
detectors are random, with the last layer scaled so that different crops get different answers.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.card_files import write_card
from models.cards import (
    DETECTOR_NAMES,
    Architecture,
    CropPolicy,
    DefenceName,
    DetectorCard,
    DetectorName,
    Encoding,
    Figure,
    Origin,
    SuperResolutionCard,
    WeightsFile,
)
from models.crop_actions import CROP_ACTIONS
from models.detectors import build_detector, fake_logits, prepare
from models.policy import build_policy_of
from models.policy_card import POLICY_NAMES, PolicyCard, PolicyName
from models.round_trip_card import ROUND_TRIP_NAME, RoundTripCard
from models.round_trip_detector import RoundTripModels
from models.small_network import SMALL_ARCHITECTURES
from models.super_resolution import build_edsr
from models.weights import save_weights

ORIGIN = Origin(
    data="none",
    terms="none",
    recipe="Random numbers, for tests.",
    hours=0.0,
    hardware="none",
    seed=0,
    curve=((0.0, 0.5), (1.0, 0.5)),
    curve_label="nothing against nothing",
)
FIGURE = Figure("AUC", 0.5, 0.45, 0.55, "", "nothing, n = 0", "clean")
ARCHITECTURE: dict[DetectorName, Architecture] = {
    "resnet50": "resnet50",
    "swin_small": "swin_small_patch4_window7_224",
    "xception": "legacy_xception",
}
TITLE: dict[DetectorName, str] = {
    "resnet50": "ResNet50",
    "swin_small": "Swin-Small",
    "xception": "XceptionNet",
}
ENCODING: dict[DetectorName, Encoding] = {
    "resnet50": "float16",
    "swin_small": "int8",
    "xception": "int8",
}
DEFENCES: tuple[DefenceName, ...] = (
    "resnet50_robust",
    "small",
    "small_residual",
    "small_attention",
)


@dataclass(frozen=True)
class ModelFolders:
    """Where the made-up weights and their cards lie: what `Zoo` takes as `folder` and `cards`."""

    weights: Path
    cards: Path


def make_models(root: Path) -> ModelFolders:
    """Write the networks and policies below `root`; about 110 MB, a few seconds."""
    folders = ModelFolders(root / "weights", root / "cards")
    folders.weights.mkdir()
    folders.cards.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for scale in (2, 3, 4):
            network = repeating_edsr(scale)
            path = folders.weights / f"edsr_x{scale}.safetensors"
            edsr = edsr_card(scale, save_weights(network.state_dict(), path, "float32"))
            write_card(edsr, folders.cards / f"{edsr.name}.json")
        for name in DETECTOR_NAMES:
            network = random_detector(name)
            path = folders.weights / f"{name}.safetensors"
            card = detector_card(name, save_weights(network.state_dict(), path, ENCODING[name]))
            write_card(card, folders.cards / f"{name}.json")
        for policy in POLICY_NAMES:
            none = WeightsFile("none.safetensors", "0" * 64, 1, "int8")
            state = build_policy_of(policy_card(policy, none)).state_dict()
            file = save_weights(state, folders.weights / f"{policy}.safetensors", "int8")
            write_card(policy_card(policy, file), folders.cards / f"{policy}.json")
        path = folders.weights / f"{ROUND_TRIP_NAME}.safetensors"
        seen = round_trip_card(save_weights(RoundTripModels(8, 6).state_dict(), path, "float32"))
        write_card(seen, folders.cards / f"{seen.name}.json")
    return folders


def make_defences(folders: ModelFolders, names: tuple[DefenceName, ...] = DEFENCES) -> None:
    """Write some defences beside the networks of `make_models`; a few seconds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        for name in names:
            card = defence_card(name, WeightsFile("none.safetensors", "0" * 64, 1, "float32"))
            network = random_network(card)
            path = folders.weights / f"{name}.safetensors"
            weights = save_weights(network.state_dict(), path, "float16")
            write_card(replace(card, weights=weights), folders.cards / f"{name}.json")


def defence_card(name: DefenceName, weights: WeightsFile) -> DetectorCard:
    """A proper card for a defence's file of weights; its threshold is not that of the plain."""
    plain = name.removesuffix("_robust")
    if plain != name:
        card = detector_card(plain, weights)  # type: ignore[arg-type]
        return replace(card, name=name, title=f"{card.title}, robust", threshold=0.3)
    architecture = name if name in SMALL_ARCHITECTURES else "small"
    card = detector_card("resnet50", weights)
    return replace(card, name=name, title=name, architecture=architecture, input_size=256)


def detector_card(name: DetectorName, weights: WeightsFile) -> DetectorCard:
    """A proper card for a detector's file of weights."""
    half = (0.5, 0.5, 0.5)
    xception = name == "xception"
    return DetectorCard(
        name=name,
        title=TITLE[name],
        architecture=ARCHITECTURE[name],
        input_size=224,
        mean=half if xception else (0.485, 0.456, 0.406),
        std=half if xception else (0.229, 0.224, 0.225),
        crop=CropPolicy(scale=1.2, shift=0.05),
        threshold=0.5,
        weights=weights,
        figures=(FIGURE,),
        origin=ORIGIN,
        note="Random: says nothing about any picture.",
    )


def edsr_card(scale: int, weights: WeightsFile) -> SuperResolutionCard:
    """A proper card for an EDSR network's file of weights."""
    names = {2: "edsr_x2", 3: "edsr_x3", 4: "edsr_x4"}
    return SuperResolutionCard(
        name=names[scale],  # type: ignore[arg-type]
        title=f"EDSR ×{scale}",
        scale=scale,  # type: ignore[arg-type]
        blocks=16,
        channels=64,
        weights=weights,
        figures=(Figure("PSNR", 30.0, None, None, "dB", "nothing, n = 0", f"×{scale}"),),
        origin=ORIGIN,
        note="Repeats pixels.",
    )


def policy_card(name: PolicyName, weights: WeightsFile, size: int = 224) -> PolicyCard:
    """A proper card for a policy's file of weights; its hidden layer is two wide."""
    faithful = name == "policy_mask_resnet50"
    detector = detector_card("resnet50", weights)
    return PolicyCard(
        name=name,
        title="ResNet50 with a mask" if faithful else "ResNet50 with six actions",
        detector="resnet50",
        actions=("leave", "mask") if faithful else CROP_ACTIONS,
        architecture="two_layers" if faithful else "convolutional",
        hidden=2,
        input_size=size,
        mean=detector.mean,
        std=detector.std,
        weights=weights,
        figures=(Figure("TPR", 50.0, 40.0, 60.0, "%", "nothing, n = 0", "clean"),),
        origin=ORIGIN,
        note="Random.",
    )


def round_trip_card(weights: WeightsFile) -> RoundTripCard:
    """A proper card for a round-trip detector's file of weights: 8 rings, 6 factors."""
    return RoundTripCard(
        name=ROUND_TRIP_NAME,
        title="Round-trip detector",
        rings=8,
        least_side=32,
        factors=(1.5, 2.0, 2.5, 3.0, 3.5, 4.0),
        linear_threshold=0.5,
        network_threshold=0.5,
        weights=weights,
        figures=(FIGURE,),
        origin=ORIGIN,
        note="Random: says nothing about any picture.",
    )


def random_detector(name: DetectorName) -> nn.Module:
    """A random detector whose logits over unlike crops have mean 0 and deviation 1."""
    return random_network(
        detector_card(name, WeightsFile("none.safetensors", "0" * 64, 1, "float32"))
    )


def random_network(card: DetectorCard) -> nn.Module:
    """What `random_detector` returns, for any card."""
    network = build_detector(card.architecture)
    small = card.architecture in SMALL_ARCHITECTURES
    last = network.get_submodule("classifier.5") if small else network.get_classifier()  # type: ignore[operator]
    assert isinstance(last, nn.Linear)
    numbers = np.random.default_rng(0)
    crops = [_blobs(numbers) for _ in range(3)]
    with torch.inference_mode():
        logits = fake_logits(network, prepare(crops, card))
    with torch.no_grad():
        last.bias.sub_(logits.mean())
        for parameter in last.parameters():
            parameter.div_(logits.std())
    return network


def repeating_edsr(scale: int) -> nn.Module:
    """An EDSR network close to nearest-neighbour enlargement, plus faint noise."""
    network: nn.Module = build_edsr(scale)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.startswith(("head", "body", "tail")):
                parameter.mul_(0.01 if key.startswith("body") else 0.0)
        for key, parameter in network.named_parameters():
            if parameter.ndim != 4 or not key.startswith(("head", "tail")):
                continue
            outputs, inputs = parameter.shape[:2]
            copies = max(outputs // inputs, 1) if key.startswith("tail") else 1
            for output in range(min(outputs, inputs * copies)):
                parameter[output, output // copies, 1, 1] = 1.0
    return network


def tiny_network() -> nn.Module:
    """A network of nine small tensors, one of each kind that the encodings tell apart."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(20, 2))


def _blobs(numbers: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A smooth coloured crop, unlike the next one: uint8 RGB 224×224×3."""
    coarse = numbers.integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((32, 32, 1), dtype=np.uint8))
