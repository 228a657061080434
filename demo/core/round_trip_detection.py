"""A crop alone → was it restored from a smaller one, and at which K?

A round trip means here: shrunk by 1/K with K from 1.5 to 4 and restored to the size it had, by
EDSR or a control. What only changes a picture's size (a crop scaled to another size, the 224 px of
a data set) counts as none, and so do a slight loss by resampling, sharpening and JPEG. Enlarging a
sharp picture by 1.5 or more with a smooth kernel is the second half of a round trip by a control:
nothing in the pixels tells the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from demo.core.images import Picture
from demo.core.scoring import probability
from demo.core.spectrum import Array, luma, ring_frequencies, spectrum
from models.round_trip_detector import LoadedRoundTripDetector, linear_logits, network_logits
from models.zoo import Zoo

WINDOW: Final = 512


@dataclass(frozen=True)
class RoundTripOpinion:
    """What one model says about one crop.

    Attributes:
        probability: of a round trip, in [0, 1].
        threshold: the card's; from there on the model fires.
        k: the likeliest K, if there was a round trip.
    """

    probability: float
    threshold: float
    k: float

    @property
    def fired(self) -> bool:
        """Whether a round trip is seen."""
        return self.probability >= self.threshold


@dataclass(frozen=True)
class RoundTripVerdict:
    """What both models say about one crop; the network's opinion is the one that counts.

    Attributes:
        linear: of the linear model on the radial spectrum.
        network: of the small network.
    """

    linear: RoundTripOpinion
    network: RoundTripOpinion

    @property
    def probability(self) -> float:
        """Of a round trip, in [0, 1]."""
        return self.network.probability

    @property
    def threshold(self) -> float:
        """The probability from which on a round trip is seen."""
        return self.network.threshold

    @property
    def fired(self) -> bool:
        """Whether a round trip is seen."""
        return self.network.fired

    @property
    def k(self) -> float:
        """The likeliest K, if there was a round trip."""
        return self.network.k


def round_trip_verdict(crop: Picture, zoo: Zoo) -> RoundTripVerdict | None:
    """Say whether a crop went through a round trip.

    Args:
        crop: uint8 RGB, H×W×3, at its own size.
        zoo: the models.

    Returns:
        The verdict; the same crop gives the same one. None for a crop with a side below the
        card's least, of which too little is left to judge.

    Raises:
        WeightsError: the detector's card or weights are refused.
    """
    loaded = zoo.round_trip_detector()
    if min(crop.shape[:2]) < loaded.card.least_side:
        return None
    linear, network = round_trip_logits(crop, loaded)
    return RoundTripVerdict(
        linear=_opinion(linear, loaded.card.linear_threshold, loaded.card.factors),
        network=_opinion(network, loaded.card.network_threshold, loaded.card.factors),
    )


def round_trip_logits(crop: Picture, loaded: LoadedRoundTripDetector) -> tuple[Array, Array]:
    """Ask both models about a crop of the card's least side or more.

    Args:
        crop: uint8 RGB, H×W×3, at its own size; its central window is looked at.
        loaded: the detector.

    Returns:
        The linear model's logits, then the network's: each of a round trip, then of each K.
    """
    window = central_window(crop)
    levels = ring_levels(window, loaded.card.rings)
    return linear_logits(loaded, levels), network_logits(loaded, luma(window))


def ring_levels(crop: Picture, rings: int) -> Array:
    """Read a crop's radial spectrum at frequencies that do not depend on its size.

    Args:
        crop: uint8 RGB, H×W×3, sides of 8 px or more.
        rings: how many frequencies, equally far apart up to 0.5 cycles/px.

    Returns:
        Their levels in dB as ``spectrum.Spectrum`` counts them, between two rings of the crop by
        linear interpolation. The crop's mean is taken off first: under the window it would leak
        into the lowest ring.
    """
    signal = luma(crop)
    profile = spectrum(signal - signal.mean()).profile_db
    wanted = np.arange(1, rings + 1) * 0.5 / rings
    levels: Array = np.interp(wanted, ring_frequencies(crop.shape[:2]), profile)
    return levels


def central_window(crop: Picture) -> Picture:
    """Return the middle of a crop, at most ``WINDOW`` px a side: enough, and no slower."""
    height, width = crop.shape[:2]
    top, left = max(0, height - WINDOW) // 2, max(0, width - WINDOW) // 2
    return crop[top : top + WINDOW, left : left + WINDOW]


def _opinion(logits: Array, threshold: float, factors: tuple[float, ...]) -> RoundTripOpinion:
    return RoundTripOpinion(
        probability=probability(float(logits[0])),
        threshold=threshold,
        k=factors[int(logits[1:].argmax())],
    )
