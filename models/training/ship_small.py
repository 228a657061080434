"""From a run of the small network to what ships: calibrated, stored, measured once, with its card.

Beside the figures that every detector has on the crops of the project's test split that never
change stand those that the paper of the network gives (arXiv 2302.11704): precision, cross-entropy
and the area under the ROC curve, on a fifth of the originals.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import logit
from torch import nn

from models.card_files import CARDS_FOLDER, write_card
from models.cards import DefenceName, DetectorCard, Encoding, Figure, WeightsFile
from models.small_network import build_small
from models.training.checkpoints import read_checkpoint
from models.training.distortions import reencode_jpeg
from models.training.faces import Faces
from models.training.frequency_patterns import with_pattern
from models.training.measure import (
    Numbers,
    Pictures,
    ask,
    auc_figure,
    mean_figure,
    share_figure,
)
from models.training.ship import (
    DFDC_FRAMING,
    JPEG_QUALITY,
    LEAST_THRESHOLD,
    Story,
    operating_threshold,
    origin,
    store_calibrated,
    storing_figure,
)
from models.training.small import SIDE, STATISTICS
from models.weights import WEIGHTS_FOLDER

TITLES: dict[DefenceName, str] = {
    "small": "Small network",
    "small_residual": "Small network, residual",
    "small_attention": "Small network, attention",
    "small_synthetic": "Small network, synthetic fakes added",
    "small_adversarial": "Small network, adversarially trained",
    "small_patterns": "Small network, frequency patterns only",
    "small_mixed": "Small network, frequency patterns added",
    "small_self_blended": "Small network, self-blended only",
}


@dataclass(frozen=True)
class Exam:
    """What a small network is chosen and measured with.

    Attributes:
        val: The fifth of the originals that is chosen with, or a draw of its crops.
        test: The fifth that is measured with, once.
        fixed: The crops of the project's test split that never change.
        pristine: Portraits that may be trained on; the threshold is chosen with them.
        portraits: Portraits that may not, for measuring.
    """

    val: Faces
    test: Faces
    fixed: Faces
    pristine: list[Pictures]
    portraits: list[Pictures]


def ship_small(
    checkpoint: Path,
    name: DefenceName,
    story: Story,
    exam: Exam,
    encoding: Encoding = "int8",
    weights_folder: Path = WEIGHTS_FOLDER,
    cards_folder: Path = CARDS_FOLDER,
) -> DetectorCard:
    """Calibrate, store, measure what was stored, and write the card beside it.

    A network that was trained on frequency patterns alone is calibrated on patterns too: what it
    says of deepfakes need not be above chance, and calibration may not turn it round.

    Args:
        checkpoint: The last of the run; its averaged weights are shipped.
        name: Under which it ships.
        story: What only its trainer knows.
        exam: Looked at here; its test parts once.
        encoding: How the weights are stored; see `models.weights`.
        weights_folder: Where the weights go.
        cards_folder: Where the card goes.

    Returns:
        The card as written.

    Raises:
        ValueError: The network tells the fakes it is calibrated on no better than at random.
    """
    state = read_checkpoint(checkpoint)
    network = build_small(state["plan"]["architecture"])
    network.load_state_dict(state["averaged"])
    network = network.to(memory_format=torch.channels_last)
    card = _card_so_far(state, story, name, encoding)
    trained = ask(network, card, exam.val.pictures)
    last = network.classifier[-1]
    assert isinstance(last, nn.Linear)
    known = exam.val
    if state["plan"]["cutting"]["patterns"] == 1:
        known = patterned(exam.val, state["plan"]["seed"])
    stored, card = store_calibrated(network, last, card, known, weights_folder, encoding)
    card = replace(card, threshold=operating_threshold(ask(stored, card, exam.pristine)))
    card = replace(card, figures=_figures(stored, card, trained, exam))
    if known is not exam.val:
        of = f"val crops and the same with a pattern, {len(known.fake):,} crops"
        own = auc_figure(known.fake, ask(stored, card, known.pictures), known.source, of, "clean")
        card = replace(card, figures=(*card.figures, own))
    write_card(card, cards_folder / f"{name}.json")
    return card


def _card_so_far(
    state: dict[str, Any], story: Story, name: DefenceName, encoding: Encoding
) -> DetectorCard:
    plan = state["plan"]
    return DetectorCard(
        name=name,
        title=TITLES[name],
        architecture=plan["architecture"],
        input_size=SIDE,
        mean=STATISTICS,
        std=STATISTICS,
        crop=DFDC_FRAMING,
        threshold=LEAST_THRESHOLD,
        weights=WeightsFile(f"{name}.safetensors", "0" * 64, 1, encoding),
        figures=(),
        origin=origin(state, story, training_data(plan), "step; AUC on 400 val crops"),
        note=story.note,
    )


def patterned(faces: Faces, seed: int) -> Faces:
    """The real crops, then the same with a frequency pattern each, called fake."""
    rng = np.random.default_rng(seed)
    real = np.flatnonzero(~faces.fake)
    pictures = faces.pictures[real]
    changed = np.stack([with_pattern(crop, rng) for crop in pictures])
    return Faces(
        np.concatenate([pictures, changed]),
        np.repeat([False, True], len(real)),
        np.tile(np.arange(len(real)), 2),
        np.tile(faces.source[real], 2),
    )


def training_data(plan: dict[str, Any]) -> str:
    """What a run was trained on, in sentences, from its plan."""
    blended, patterns = plan["cutting"]["blended"], plan["cutting"]["patterns"]
    shares = {
        "a DFDC fake": 1 - blended - patterns,
        "a self-blended fake (Shiohara and Yamasaki 2022)": blended,
        "a pristine crop with a frequency pattern (arXiv 2403.13479)": patterns,
    }
    fakes = ", ".join(f"{share:.0%} {what}" for what, share in shares.items() if share > 1e-9)
    return (
        "DFDC face crops (Dolhansky et al. 2020, arXiv 2006.07397), 60 % of the originals, all of "
        "the project's train split. Actors appear in several videos, so the parts share actors. "
        f"Pairs of a pristine crop and, made of it: {fakes}."
    )


def _figures(
    network: nn.Module, card: DetectorCard, trained: Numbers, exam: Exam
) -> tuple[Figure, ...]:
    test, fixed, val = exam.test, exam.fixed, exam.val
    on_fixed = f"DFDC test split, {len(fixed.fake)} crops"
    on_val = f"20 % of DFDC's originals for choosing, {len(val.fake):,} crops"
    on_portraits = f"portraits not trained on, {len(exam.portraits)} pristine faces"
    threshold = float(logit(card.threshold))
    clean = ask(network, card, fixed.pictures)
    jpeg = ask(network, card, fixed.pictures, lambda crop: reencode_jpeg(crop, JPEG_QUALITY))
    called_fake = ask(network, card, exam.portraits) >= threshold
    val_auc = auc_figure(val.fake, ask(network, card, val.pictures), val.source, on_val, "clean")
    return (
        auc_figure(fixed.fake, clean, fixed.source, on_fixed, "clean"),
        auc_figure(fixed.fake, jpeg, fixed.source, on_fixed, f"JPEG quality {JPEG_QUALITY}"),
        share_figure("FNR", (clean < threshold)[fixed.fake], on_fixed, "clean"),
        share_figure("FPR", (clean >= threshold)[~fixed.fake], on_fixed, "clean"),
        *_published_figures(test, ask(network, card, test.pictures), threshold),
        share_figure("called fake", called_fake, on_portraits, "clean"),
        val_auc,
        storing_figure(val, trained, val_auc),
    )


def _published_figures(test: Faces, logits: Numbers, threshold: float) -> tuple[Figure, ...]:
    """What arXiv 2302.11704 gives: ROC, precision among the crops called fake, cross-entropy."""
    of = f"20 % of DFDC's originals for testing, {len(test.fake):,} crops"
    called = logits >= threshold
    entropy = np.logaddexp(0, np.where(test.fake, -logits, logits))
    figures = (
        auc_figure(test.fake, logits, test.source, of, "clean"),
        mean_figure("cross-entropy", entropy, test.source, "nat", of, "clean"),
    )
    # Of a network that calls nothing fake there is no precision.
    if not called.any():
        return figures
    return (share_figure("precision", test.fake[called], of, "clean"), *figures)
