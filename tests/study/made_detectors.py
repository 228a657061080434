"""Small random detectors with proper cards: a ResNet34 that looks at 64 px, under every name."""

from dataclasses import replace
from pathlib import Path

import torch

from models.card_files import write_card
from models.cards import DETECTOR_NAMES, CropPolicy
from models.detectors import build_detector
from models.weights import save_weights
from tests.made_models import detector_card


def make_detectors(folder: Path, opposite: bool = False) -> Path:
    """Write cards of one network that differ in how a face is cut out, and their weights.

    The `opposite` ones answer with minus the logit of the others.
    """
    folder.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = build_detector("resnet34")
        for parameter in network.get_classifier().parameters():  # type: ignore[operator]
            parameter.mul_(-1 if opposite else 1)
    weights = save_weights(network.state_dict(), folder / "quick.safetensors", "float16")
    for name, scale in zip(DETECTOR_NAMES, (1.0, 1.2, 1.6), strict=True):
        card = replace(
            detector_card(name, weights),
            architecture="resnet34",
            input_size=64,
            crop=CropPolicy(scale=scale, shift=0.05),
        )
        write_card(card, folder / f"{name}.json")
    return folder
