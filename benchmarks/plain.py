"""The plain way of analysing a picture, as one writes it down first: what the core is beside.

The networks are built for the picture; faces are looked for at full size; each crop goes alone
through EDSR and through one detector after another, in float32, with gradients recorded and in the
layout that PyTorch begins with; pictures are encoded as Pillow does without being asked.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from super_image import EdsrModel
from torch import nn

from demo.core.images import Picture
from demo.core.quality import measure
from demo.core.round_trip_detection import round_trip_logits
from models.card_files import (
    CARDS_FOLDER,
    read_detector_card,
    read_super_resolution_card,
)
from models.cards import DETECTOR_NAMES, DetectorCard
from models.cropping import square_crop
from models.detectors import build_detector, prepare
from models.loading import load_round_trip_detector
from models.super_resolution import build_edsr
from models.weights import WEIGHTS_FOLDER, load_weights, state_shapes

MODELS, DETECTION, ROUND_TRIP, DETECTORS, REST, ENCODING = STAGES = (
    "building the models",
    "detection",
    "round trip",
    "detectors",
    "quality and the rest",
    "encoding",
)
LEAST_PROBABILITY = 0.9


@dataclass
class Watch:
    """Seconds spent in each stage."""

    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def on(self, stage: str) -> Iterator[None]:
        """Adds what happens inside to a stage."""
        start = time.perf_counter()
        yield
        self.spent[stage] += time.perf_counter() - start


def plain_analysis(picture: Picture, watch: Watch) -> int:
    """Send every face through a round trip of EDSR at K = 2 and ask all; return how many faces.

    Args:
        picture: uint8 RGB, H×W×3.
        watch: takes the time of each stage.
    """
    with watch.on(MODELS):
        finder = MTCNN(keep_all=True, device="cpu").eval()
        edsr = _edsr()
        detectors = [_detector(name) for name in DETECTOR_NAMES]
        seen = load_round_trip_detector(
            CARDS_FOLDER / "round_trip.json",
            WEIGHTS_FOLDER,
            torch.device("cpu"),
            given=None,
            hub=None,
        )
    with watch.on(DETECTION):
        found, probabilities, _ = finder.detect(picture, landmarks=True)
        faces = [
            tuple(max(0, round(float(side))) for side in box)
            for box, probability in zip(found, probabilities, strict=True)
            if probability >= LEAST_PROBABILITY
        ]
    policy = detectors[0][0].crop
    boxes = [square_crop((x0, y0, x1, y1), policy, picture.shape[:2]) for x0, y0, x1, y1 in faces]
    attacked = picture.copy()
    with watch.on(ROUND_TRIP):
        for x0, y0, x1, y1 in boxes:
            attacked[y0:y1, x0:x1] = _round_trip(edsr, picture[y0:y1, x0:x1])
    pairs = [
        (picture[y0:y1, x0:x1].copy(), attacked[y0:y1, x0:x1].copy()) for x0, y0, x1, y1 in boxes
    ]
    with watch.on(DETECTORS):
        for card, network in detectors:
            for pair in pairs:
                for crop in pair:
                    torch.sigmoid(network(prepare([crop], card))).item()
    with watch.on(REST):
        for clean, restored in pairs:
            measure(clean, restored)
            round_trip_logits(clean, seen)
            round_trip_logits(restored, seen)
    with watch.on(ENCODING):
        for shown in (attacked, *pairs[0]):
            Image.fromarray(shown).save(io.BytesIO(), "PNG")
    return len(boxes)


def _edsr() -> EdsrModel:
    card = read_super_resolution_card(CARDS_FOLDER / "edsr_x2.json")
    network = build_edsr(card.scale)
    shapes = state_shapes(network)
    network.load_state_dict(load_weights(card.weights, WEIGHTS_FOLDER, shapes, title=card.title))
    return network


def _detector(name: str) -> tuple[DetectorCard, nn.Module]:
    card = read_detector_card(CARDS_FOLDER / f"{name}.json")
    network = build_detector(card.architecture)
    shapes = state_shapes(network)
    network.load_state_dict(load_weights(card.weights, WEIGHTS_FOLDER, shapes, title=card.title))
    return card, network


def _round_trip(edsr: EdsrModel, crop: Picture) -> Picture:
    height, width = crop.shape[:2]
    even = np.pad(crop, ((0, height % 2), (0, width % 2), (0, 0)), mode="reflect")
    size = (even.shape[1] // 2, even.shape[0] // 2)
    small = np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA))
    enlarged = edsr(torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255)
    levels = (enlarged.detach()[0].clamp(0, 1) * 255).round().to(torch.uint8)
    return np.asarray(levels.permute(1, 2, 0))[:height, :width]
