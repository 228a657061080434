"""Where the networks' files lie, and each network loaded from them by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from models.hub import Hub
from models.loading import (
    LoadedDetector,
    LoadedPolicy,
    LoadedSuperResolution,
    load_detector,
    load_policy,
    load_round_trip_detector,
    load_super_resolution,
)
from models.round_trip_card import ROUND_TRIP_NAME
from models.round_trip_detector import LoadedRoundTripDetector


@dataclass(frozen=True)
class NetworkFiles:
    """The folders of weights and cards; every method loads anew, and raises `WeightsError`.

    Attributes:
        folder: Where the files of weights lie.
        cards: Where the cards lie.
        given: Files of weights by network name, used in place of those in `folder`.
        hub: Where to ask for missing files that have a repository on their card.
        device: Where the networks are to live.
    """

    folder: Path
    cards: Path
    given: Mapping[str, Path]
    hub: Hub
    device: torch.device

    def detector(self, name: str) -> LoadedDetector:
        """A detector, one of the defences among them."""
        given = self.given.get(name)
        return load_detector(self._card(name), self.folder, self.device, given=given, hub=self.hub)

    def policy(self, name: str) -> LoadedPolicy:
        """A policy."""
        given = self.given.get(name)
        return load_policy(self._card(name), self.folder, self.device, given=given, hub=self.hub)

    def super_resolution(self, scale: int) -> LoadedSuperResolution:
        """The EDSR network that enlarges by `scale`."""
        name = f"edsr_x{scale}"
        return load_super_resolution(
            self._card(name),
            scale,
            self.folder,
            self.device,
            given=self.given.get(name),
            hub=self.hub,
        )

    def round_trip_detector(self) -> LoadedRoundTripDetector:
        """What tells whether a crop went through a round trip."""
        return load_round_trip_detector(
            self._card(ROUND_TRIP_NAME),
            self.folder,
            self.device,
            given=self.given.get(ROUND_TRIP_NAME),
            hub=self.hub,
        )

    def _card(self, name: str) -> Path:
        return self.cards / f"{name}.json"
