"""Where a network is loaded at its first request, and shared between threads from then on."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from models.errors import WeightsError
from models.loading import LoadedDetector

Loaded = TypeVar("Loaded")


class Slot(Generic[Loaded]):
    """One network: loaded at the first request, or refused then and for good."""

    def __init__(self, load: Callable[[], Loaded]) -> None:
        self.problem: str | None = None
        self._load = load
        self._loaded: Loaded | None = None
        self._lock = threading.Lock()

    def then(self, change: Callable[[Loaded], Loaded]) -> "Slot[Loaded]":
        """A slot of its own for the same network, changed when it is loaded."""
        return Slot(lambda: change(self._load()))

    @property
    def is_loaded(self) -> bool:
        """Whether the network is there; does not wait for one that is just being loaded."""
        return self._loaded is not None

    def get(self) -> Loaded:
        """The network.

        Raises:
            WeightsError: It is refused, now or before.
        """
        # Without the lock, which a process forked meanwhile would find held for ever.
        if self._loaded is not None:
            return self._loaded
        with self._lock:
            if self.problem is not None:
                raise WeightsError(self.problem)
            if self._loaded is None:
                try:
                    # A caller may be in inference mode, whose tensors nobody could take a gradient
                    # through later.
                    with torch.inference_mode(False):
                        self._loaded = self._load()
                except WeightsError as refusal:
                    self.problem = str(refusal)
                    raise
            return self._loaded


def ready(loaded: LoadedDetector) -> Callable[[], LoadedDetector]:
    """What a slot loads where there is nothing left to load."""
    return lambda: loaded
