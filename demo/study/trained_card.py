"""From trained weights to a file of them with its card: threshold from val, figures from test."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from scipy.special import expit, logit

from demo.core.analysis import device_name
from demo.study.rates import Estimate, Judged, rates
from models.card_files import write_card
from models.cards import CropPolicy, DetectorCard, Figure, Origin
from models.detectors import build_detector
from models.training.measure import ask, balanced_threshold
from models.training.networks import input_statistics
from models.training.paper_recipe import RANDOM_START, Crops, Numbers, Recipe, Trained
from models.training.ship import NAMES
from models.weights import load_weights, save_weights, state_shapes

# Of a probability on a card, so that its logit stays finite.
SMALLEST: Final = 1e-6


@dataclass(frozen=True)
class Story:
    """What a card tells about the data.

    Attributes:
        data: what it was trained on.
        terms: the terms of that data.
        val: what the val figures are of, in words.
        test: what the test figures are of, in words.
        crop: how the crops were cut out.
    """

    data: str
    terms: str
    val: str
    test: str
    crop: CropPolicy


def write_trained_card(
    file: Path,
    story: Story,
    recipe: Recipe,
    trained: Trained,
    val: Crops,
    test: Crops,
    device: torch.device,
) -> DetectorCard:
    """Store weights beside their card, choose the threshold on val, and look at test, once.

    Args:
        file: of the card; its folder takes the weights, and its stem is the detector's name.
        story: what the card tells about the data.
        recipe: how it was trained.
        trained: what came of it.
        val: chooses the threshold: where the mean of FNR and FPR is least.
        test: gives the figures, asked with the weights as stored.
        device: where the networks run.

    Returns:
        The card as written.
    """
    name, title = NAMES[recipe.architecture]
    network = build_detector(recipe.architecture)
    network.load_state_dict(trained.weights)
    weights = save_weights(network.state_dict(), file.with_suffix(".safetensors"), "float32")
    mean, std = input_statistics(recipe.architecture)
    card = DetectorCard(
        name=name,
        title=title,
        architecture=recipe.architecture,
        input_size=val.pictures.shape[1],
        mean=mean,
        std=std,
        crop=story.crop,
        threshold=0.5,
        weights=weights,
        figures=(),
        origin=Origin(
            data=story.data,
            terms=story.terms,
            recipe=_recipe_in_words(recipe, trained),
            hours=round(trained.hours, 4),
            hardware=device_name(device),
            seed=recipe.seed,
            curve=trained.curve,
            curve_label="epoch; AUC on val crops",
        ),
        note=_note(recipe),
    )
    network.load_state_dict(
        load_weights(weights, file.parent, state_shapes(network), title=title), strict=True
    )
    network = network.eval().to(device).to(memory_format=torch.channels_last)
    on_val = ask(network, card, val.pictures[val.chosen])
    threshold = round(float(expit(balanced_threshold(val.fake, on_val))), 6)
    card = replace(card, threshold=min(max(threshold, SMALLEST), 1 - SMALLEST))
    on_test = ask(network, card, test.pictures[test.chosen])
    figures = _figures(card, test, on_test, story.test)
    val_auc = _figures(card, val, on_val, story.val)[0]
    card = replace(card, figures=(*figures, val_auc))
    write_card(card, file)
    return card


def _figures(card: DetectorCard, crops: Crops, logits: Numbers, of: str) -> tuple[Figure, ...]:
    """AUC, FNR, FPR and the paper's accuracy, with intervals over source videos."""
    of = f"{of}, {len(crops.fake):,} crops"
    _, source = np.unique(crops.source, return_inverse=True)
    found = rates(Judged(crops.fake, logits, float(logit(card.threshold)), source), seed=0)
    return (
        _figure("AUC", found.auc, 1, "", of),
        _figure("FNR", found.fnr, 100, "%", of),
        _figure("FPR", found.fpr, 100, "%", of),
        _figure("accuracy", found.accuracy, 100, "%", of),
    )


def _figure(name: str, estimate: Estimate, times: int, unit: str, of: str) -> Figure:
    value, low, high = (
        round(times * one, 4) for one in (estimate.value, estimate.low, estimate.high)
    )
    return Figure(name, value, low, high, unit, of, "clean")


def _recipe_in_words(recipe: Recipe, trained: Trained) -> str:
    return (
        "As arXiv 2407.02670 says, and as its authors' code does where it is silent. Start: "
        f"{recipe.start}. SGD, rate {recipe.rate:g} falling along a cosine to a tenth, weight "
        f"decay {recipe.decay:g}, {recipe.batch} crops a step, {recipe.epochs} epochs, of which "
        f"val chose number {trained.epoch}; cross-entropy with both classes weighed equally. Crops "
        "varied by JPEG, noise, mirroring, grey, and a small shift, scale and turn. No "
        "super-resolved picture was seen."
    )


def _note(recipe: Recipe) -> str:
    began = (
        "Not the paper's training: it began with random numbers. "
        if recipe.start == RANDOM_START
        else ""
    )
    return (
        f"{began}Val chose the epoch (AUC) and the threshold (mean of FNR and FPR); test was "
        "looked at once, on the stored weights, and chose nothing. Intervals are drawn over source "
        "videos."
    )
