"""From a checkpoint to what ships: calibrated, stored, measured once, with its card."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn

from models.card_files import CARDS_FOLDER, write_card
from models.cards import (
    Architecture,
    CropPolicy,
    DetectorCard,
    DetectorName,
    Encoding,
    Figure,
    Origin,
    WeightsFile,
)
from models.detectors import build_detector
from models.silent_blocks import leave_out_silent_blocks
from models.training.checkpoints import read_checkpoint
from models.training.distortions import reencode_jpeg
from models.training.faces import Faces
from models.training.measure import Numbers, Pictures, ask, auc_figure, share_figure
from models.training.networks import begin, build_network
from models.weights import (
    WEIGHTS_FOLDER,
    load_weights,
    pack,
    save_weights,
    state_shapes,
    unpack,
)

LEAST_THRESHOLD = 0.5
MOST_CALLED_FAKE = 0.12
JPEG_QUALITY = 60
FIXED_CROPS = 400
# Where portraits cut so, and DFDC crops, give MTCNN the same box: side and centre of the crop.
DFDC_FRAMING = CropPolicy(scale=0.95, shift=0.07)
NAMES: dict[Architecture, tuple[DetectorName, str]] = {
    "resnet50": ("resnet50", "ResNet50"),
    "swin_small_patch4_window7_224": ("swin_small", "Swin-Small"),
    "legacy_xception": ("xception", "XceptionNet"),
}
DATA = (
    "DFDC face crops (Dolhansky et al. 2020, arXiv 2006.07397), train split by source video: "
    "22,362 crops. Actors appear in several videos, so train, val and test share actors. "
    "Self-blended fakes (Shiohara and Yamasaki 2022) of these."
)
TERMS = "DFDC's own terms: research."


@dataclass(frozen=True)
class Story:
    """What a person has to tell about a training run.

    Attributes:
        recipe: How it was trained, in a few sentences.
        hardware: On what machine.
        hours: Training time of all its stages, hours.
        note: What a reader has to know before trusting the figures.
    """

    recipe: str
    hardware: str
    hours: float
    note: str


def ship(
    checkpoint: Path,
    story: Story,
    val: Faces,
    test: Faces,
    pristine: list[Pictures],
    portraits: list[Pictures],
    crops: int | None,
    encoding: Encoding = "int8",
) -> DetectorCard:
    """Calibrate on val, store, measure the stored file on test and portraits, write the card.

    Args:
        checkpoint: The last of the run; its averaged weights are shipped.
        story: What only its trainer knows.
        val: For the calibration and the loss by storing.
        test: Looked at here, once.
        pristine: Portraits that may be trained on; the threshold is chosen with them.
        portraits: Portraits that may not, for measuring.
        crops: Measure on so many of val and of test, drawn once and for all; None: on all.
        encoding: How the weights are stored; see `models.weights`.

    Returns:
        The card as written beside the weights.
    """
    fixed = subset(test, FIXED_CROPS, seed=0)
    val, test = (subset(split, crops or len(split.fake), seed=0) for split in (val, test))
    state = read_checkpoint(checkpoint)
    plan = state["plan"]
    name, title = NAMES[plan["architecture"]]
    network = build_network(plan["architecture"], skeleton=False, side=val.pictures.shape[1])
    begin(network, state["averaged"])
    network = network.eval().to(memory_format=torch.channels_last)
    card = _card_so_far(state, story, name, title)
    trained = ask(network, card, val.pictures)
    last = network.get_classifier()  # type: ignore[operator]
    stored, card = store_calibrated(network, last, card, val, WEIGHTS_FOLDER, encoding)
    card = replace(card, threshold=operating_threshold(ask(stored, card, pristine)))
    figures = detector_figures(stored, card, trained, val, test, portraits)
    # Of as many crops as the fixed ones, the draw is the same: they were measured already.
    if len(test.fake) != FIXED_CROPS:
        figures = (*figures, fixed_crops_figure(stored, card, fixed))
    card = replace(card, figures=figures)
    write_card(card, CARDS_FOLDER / f"{name}.json")
    return card


def _card_so_far(
    state: dict[str, Any], story: Story, name: DetectorName, title: str
) -> DetectorCard:
    plan = state["plan"]
    return DetectorCard(
        name=name,
        title=title,
        architecture=plan["architecture"],
        input_size=224,
        mean=tuple(plan["mean"]),
        std=tuple(plan["std"]),
        crop=DFDC_FRAMING,
        threshold=LEAST_THRESHOLD,
        weights=WeightsFile(f"{name}.safetensors", "0" * 64, 1, "int8"),
        figures=(),
        origin=origin(state, story, DATA, "step of the last stage; AUC on val crops"),
        note=story.note,
    )


def origin(state: dict[str, Any], story: Story, data: str, curve_label: str) -> Origin:
    """Where a run's weights come from.

    Args:
        state: The run's last checkpoint.
        story: What only its trainer knows.
        data: What it was trained on.
        curve_label: What the axes of its curve are.
    """
    return Origin(
        data=data,
        terms=TERMS,
        recipe=story.recipe,
        hours=round(story.hours, 2),
        hardware=story.hardware,
        seed=state["plan"]["seed"],
        curve=tuple((float(step), round(auc, 4)) for step, auc in state["curve"]),
        curve_label=curve_label,
    )


def store_calibrated(
    network: nn.Module,
    last: nn.Linear,
    card: DetectorCard,
    val: Faces,
    folder: Path,
    encoding: Encoding,
) -> tuple[nn.Module, DetectorCard]:
    """Calibrate on val, store, and read back what was stored.

    Args:
        network: With the trained weights; changed here.
        last: Its last layer, which takes up the calibration.
        card: How its input is prepared, and its name.
        val: Chosen with.
        folder: Where `<name>.safetensors` goes.
        encoding: How the weights are stored; see `models.weights`.

    Returns:
        The network as it reads back, and the card with the file's description.

    Raises:
        ValueError: The fakes of val do not score higher than its real crops.
    """
    # Calibrated as stored: rounding the weights may shift every logit a little.
    if encoding == "int8":
        network.load_state_dict(unpack(pack(network.state_dict())))
    _fold_calibration(last, ask(network, card, val.pictures), val)
    path = folder / f"{card.name}.safetensors"
    card = replace(card, weights=save_weights(network.state_dict(), path, encoding))
    stored = build_detector(card.architecture)
    stored.load_state_dict(
        load_weights(card.weights, folder, state_shapes(stored), title=card.title)
    )
    leave_out_silent_blocks(stored, card.architecture)
    return stored.eval().to(memory_format=torch.channels_last), card


def _fold_calibration(last: nn.Linear, logits: Numbers, val: Faces) -> None:
    """Platt scaling with equal classes, folded into the last layer."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(logits[:, None], val.fake)
    if model.coef_[0, 0] <= 0:
        raise ValueError("Calibration would turn every verdict round: train this detector longer.")
    with torch.no_grad():
        last.weight.mul_(float(model.coef_[0, 0]))
        last.bias.mul_(float(model.coef_[0, 0])).add_(float(model.intercept_[0]))


def operating_threshold(pristine: Numbers) -> float:
    """Choose the threshold, so that few ordinary photographs are called fake.

    Args:
        pristine: Calibrated fake logits of pristine portraits.

    Returns:
        The least probability from 0.5 on, in thousandths, that at most 12 % of them reach.
    """
    reached = float(expit(np.quantile(pristine, 1 - MOST_CALLED_FAKE, method="higher")))
    return max(LEAST_THRESHOLD, (math.floor(1000 * reached) + 1) / 1000)


def detector_figures(
    network: nn.Module,
    card: DetectorCard,
    trained: Numbers,
    val: Faces,
    test: Faces,
    portraits: list[Pictures],
) -> tuple[Figure, ...]:
    """What stands on every detector's card.

    Args:
        network: As stored.
        card: How its input is prepared, and its threshold.
        trained: Logits on val before it was stored.
        val: What it was chosen with.
        test: Looked at here.
        portraits: Pristine faces that were not trained on, uint8 RGB.
    """
    on_val = f"DFDC val split, {len(val.fake):,} crops"
    on_test = f"DFDC test split, {len(test.fake):,} crops"
    on_portraits = f"portraits not trained on, {len(portraits)} pristine faces"
    stored = ask(network, card, val.pictures)
    clean = ask(network, card, test.pictures)
    jpeg = ask(network, card, test.pictures, lambda crop: reencode_jpeg(crop, JPEG_QUALITY))
    threshold = float(logit(card.threshold))
    called_fake = ask(network, card, portraits) >= threshold
    val_auc = auc_figure(val.fake, stored, val.source, on_val, "clean")
    return (
        auc_figure(test.fake, clean, test.source, on_test, "clean"),
        auc_figure(test.fake, jpeg, test.source, on_test, f"JPEG quality {JPEG_QUALITY}"),
        share_figure("FNR", (clean < threshold)[test.fake], on_test, "clean"),
        share_figure("FPR", (clean >= threshold)[~test.fake], on_test, "clean"),
        share_figure("called fake", called_fake, on_portraits, "clean"),
        val_auc,
        storing_figure(val, trained, val_auc),
    )


def storing_figure(val: Faces, trained: Numbers, stored: Figure) -> Figure:
    """What storing cost: the AUC of the trained network's logits less that of the stored one's."""
    lost = round(float(roc_auc_score(val.fake, trained)) - stored.value, 4)
    return Figure("AUC lost by storing", lost, None, None, "", stored.of, stored.condition)


def fixed_crops_figure(network: nn.Module, card: DetectorCard, fixed: Faces) -> Figure:
    """AUC on the 400 crops of the test split that never change: few enough for a test to repeat."""
    logits = ask(network, card, fixed.pictures)
    of = f"DFDC test split, {FIXED_CROPS} crops"
    return auc_figure(fixed.fake, logits, fixed.source, of, "clean")


def subset(faces: Faces, count: int, seed: int) -> Faces:
    """A fixed draw of crops, in their own order."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(faces.fake))[:count])
    return Faces(
        faces.pictures[chosen], faces.fake[chosen], faces.original[chosen], faces.source[chosen]
    )
