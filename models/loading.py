"""A card and its file of weights → a network that can be asked."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from models.card_files import Card, read_detector_card, read_super_resolution_card
from models.cards import DetectorCard, SuperResolutionCard
from models.detectors import build_detector
from models.hub import Hub
from models.policy import build_policy_of
from models.policy_card import PolicyCard, read_policy_card
from models.precision import InFloat32, in_bfloat16
from models.round_trip_card import RoundTripCard, read_round_trip_card
from models.round_trip_detector import LoadedRoundTripDetector, RoundTripModels
from models.silent_blocks import leave_out_silent_blocks
from models.super_resolution import build_edsr, enlarge_in_strips, leave_out_scaling
from models.weights import load_weights, state_shapes


@dataclass(frozen=True)
class LoadedDetector:
    """A detector ready to be asked.

    Attributes:
        card: What is known about it.
        network: On the zoo's device, in evaluation mode.
        trained_on: The forgery that it was trained on alone, whose fakes are the only ones that it
            is asked about; empty where it is asked about all.
    """

    card: DetectorCard
    network: nn.Module
    trained_on: str = ""


class LoadedSuperResolution(NamedTuple):
    """An EDSR network ready to be used: its card, and its network on the zoo's device."""

    card: SuperResolutionCard
    network: nn.Module


class LoadedPolicy(NamedTuple):
    """A policy ready to choose: its card, and its Q-network on the zoo's device."""

    card: PolicyCard
    network: nn.Module


def load_detector(
    card_file: Path,
    folder: Path,
    device: torch.device,
    *,
    given: Path | None = None,
    hub: Hub | None = None,
) -> LoadedDetector:
    """Build the detector of a card and fill it with its weights.

    Args:
        card_file: The card, named after the detector.
        folder: Where its file of weights lies.
        device: Where the network is to live.
        given: A file of weights in place of the one in `folder`.
        hub: Where to ask for a missing file; None asks nobody.

    Raises:
        WeightsError: The card or the weights are refused.
    """
    card = read_detector_card(card_file)
    network = build_detector(card.architecture)
    _fill(network, card, folder, device, given, hub)
    leave_out_silent_blocks(network, card.architecture)
    if card.architecture != "swin_small_patch4_window7_224":
        network = network.to(memory_format=torch.channels_last)
    return LoadedDetector(card, network)


def load_super_resolution(
    card_file: Path,
    scale: int,
    folder: Path,
    device: torch.device,
    *,
    given: Path | None = None,
    hub: Hub | None = None,
) -> LoadedSuperResolution:
    """Build the EDSR network of a card and fill it with its weights.

    Args:
        card_file: The card, named after the network.
        scale: The network's factor, 2 to 4.
        folder: As for `load_detector`, and so are the next three.
        device: Where the network is to live.
        given: A file of weights in place of the one in `folder`.
        hub: Where to ask for a missing file.

    Raises:
        WeightsError: The card or the weights are refused.
    """
    card = read_super_resolution_card(card_file)
    network = build_edsr(scale)
    _fill(network, card, folder, device, given, hub)
    leave_out_scaling(network)
    enlarge_in_strips(network)
    return LoadedSuperResolution(card, network.to(memory_format=torch.channels_last))


def load_policy(
    card_file: Path,
    folder: Path,
    device: torch.device,
    *,
    given: Path | None = None,
    hub: Hub | None = None,
) -> LoadedPolicy:
    """Build the Q-network of a card and fill it with its weights; all as `load_detector`."""
    card = read_policy_card(card_file)
    network = build_policy_of(card)
    _fill(network, card, folder, device, given, hub)
    return LoadedPolicy(card, network)


def load_round_trip_detector(
    card_file: Path, folder: Path, device: torch.device, *, given: Path | None, hub: Hub | None
) -> LoadedRoundTripDetector:
    """Build the two models of the round-trip detector and fill them with their weights.

    Args:
        card_file: Their card.
        folder: As for `load_detector`, and so are the next three.
        device: Where the network is to live; the linear model is asked in NumPy.
        given: A file of weights in place of the one in `folder`.
        hub: Where to ask for a missing file.

    Raises:
        WeightsError: The card or the weights are refused.
    """
    card = read_round_trip_card(card_file)
    both = RoundTripModels(card.rings, len(card.factors))
    _fill(both, card, folder, torch.device("cpu"), given, hub)
    return LoadedRoundTripDetector(
        card=card,
        weight=both.linear.weight.double().numpy(),
        bias=both.linear.bias.double().numpy(),
        network=both.network.to(device),
    )


def detector_in_bfloat16(loaded: LoadedDetector) -> LoadedDetector:
    """The same detector with a copy of its network that computes in bfloat16."""
    return replace(loaded, network=in_bfloat16(loaded.network))


def super_resolution_in_bfloat16(loaded: LoadedSuperResolution) -> LoadedSuperResolution:
    """The same EDSR network, as a copy that computes in bfloat16 up to its tail.

    The tail makes the pixels, and rounds them too coarsely in bfloat16: up to 3 levels of 8 bits.
    """
    network = in_bfloat16(loaded.network)
    network.tail = InFloat32(loaded.network.get_submodule("tail"))
    return loaded._replace(network=network)


def _fill(
    network: nn.Module,
    card: Card | PolicyCard | RoundTripCard,
    folder: Path,
    device: torch.device,
    given: Path | None,
    hub: Hub | None,
) -> None:
    shapes = state_shapes(network)
    state = load_weights(card.weights, folder, shapes, title=card.title, given=given, hub=hub)
    network.load_state_dict(state, strict=True)
    network.eval().requires_grad_(False).to(device)
