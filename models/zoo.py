"""The networks, each loaded once when first asked for and shared between threads."""

import copy
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from models.card_files import CARDS_FOLDER
from models.cards import DEFENCE_NAMES, DETECTOR_NAMES
from models.errors import WeightsError
from models.foreign_super_resolution import ForeignSuperResolution
from models.hub import Hub
from models.loading import (
    LoadedDetector,
    LoadedPolicy,
    LoadedSuperResolution,
    detector_in_bfloat16,
    super_resolution_in_bfloat16,
)
from models.names import SHIPPED_NAMES, check_name, check_new
from models.network_files import NetworkFiles
from models.policy_card import POLICY_NAMES
from models.precision import PRECISIONS, Precision
from models.round_trip_card import ROUND_TRIP_NAME
from models.round_trip_detector import LoadedRoundTripDetector
from models.slots import Slot, ready
from models.transfer import copy_to
from models.weights import WEIGHTS_FOLDER

DeviceChoice = Literal["auto", "cpu", "cuda"]
SCALES = (2, 3, 4)


def resolve_device(choice: str) -> torch.device:
    """The device meant by "auto" (the GPU where there is one), "cpu" or "cuda".

    Raises:
        WeightsError: Another word, or "cuda" without a usable GPU.
    """
    if choice not in ("auto", "cpu", "cuda"):
        raise WeightsError(
            f"The device {choice!r} is unknown: expected auto, cpu or cuda; choose one of these."
        )
    usable = torch.cuda.is_available()
    if choice == "cuda" and not usable:
        raise WeightsError(
            "The device cuda was asked for, but no usable NVIDIA GPU was found: choose auto or cpu."
        )
    return torch.device("cuda" if usable and choice != "cpu" else "cpu")


class Zoo:
    """All networks of the project, made once and passed to whoever needs them.

    A network is loaded at its first request, and threads that ask at the same time wait for the
    one that loads it. One that is refused stays refused, with its sentence in `problems`; the
    others go on working. The networks are in evaluation mode, need no gradients, and may be
    called from several threads under `torch.inference_mode`.

    Attributes:
        device: Where every network lives.
        precision: What its networks compute in.
        exact: The zoo of the same networks in float32: itself, unless it is a faster twin.
    """

    def __init__(
        self,
        device: str = "auto",
        *,
        folder: Path = WEIGHTS_FOLDER,
        cards: Path = CARDS_FOLDER,
        given: Mapping[str, Path] | None = None,
        hub: Hub | None = None,
        added: Sequence[LoadedDetector] = (),
        restorers: Sequence[ForeignSuperResolution] = (),
    ) -> None:
        """Prepare, without loading anything yet.

        On a GPU this turns off TF32 and non-deterministic convolutions for the whole process,
        so that its results agree with the CPU's and repeat.

        Args:
            device: "auto", "cpu" or "cuda", see `resolve_device`.
            folder: Where the files of weights lie.
            cards: Where the cards lie.
            given: Files of weights by network name, used in place of those in `folder`.
            hub: Where to ask for missing files that have a repository on their card.
            added: The operator's own detectors on the same device, asked after those that ship.
            restorers: The operator's own super-resolution networks on the same device.

        Raises:
            WeightsError: The device is not to be had, `given` names an unknown network, or a
                network of the operator's has a name that is taken.
        """
        self.device = resolve_device(device)
        self.precision: Precision = "float32"
        self.exact = self
        if self.device.type == "cuda":
            torch.backends.cudnn.allow_tf32 = False
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.deterministic = True
        for name in given or {}:
            check_name(name, SHIPPED_NAMES)
        self._files = files = NetworkFiles(
            folder, cards, dict(given or {}), hub if hub is not None else Hub(), self.device
        )
        self._added = tuple(added)
        self._detectors: dict[str, Slot[LoadedDetector]] = {
            name: Slot(partial(files.detector, name)) for name in DETECTOR_NAMES
        }
        self._defences: dict[str, Slot[LoadedDetector]] = {
            name: Slot(partial(files.detector, name)) for name in DEFENCE_NAMES
        }
        self._policies: dict[str, Slot[LoadedPolicy]] = {
            name: Slot(partial(files.policy, name)) for name in POLICY_NAMES
        }
        self._round_trip = Slot(files.round_trip_detector)
        self._edsr = {scale: Slot(partial(files.super_resolution, scale)) for scale in SCALES}
        check_new((*(one.card.name for one in added), *(one.card.name for one in restorers)))
        self._detectors |= {one.card.name: Slot(ready(one)) for one in added}
        self._restorers = {one.card.name: one for one in restorers}

    def in_precision(self, precision: str) -> "Zoo":
        """The zoo of the same networks that compute in "float32" or "bfloat16".

        Raises:
            WeightsError: Another word.
        """
        if precision not in PRECISIONS:
            raise WeightsError(
                f"The precision {precision!r} is unknown: expected {' or '.join(PRECISIONS)}; "
                "choose one of these."
            )
        return self.in_bfloat16() if precision == "bfloat16" else self.exact

    def in_bfloat16(self) -> "Zoo":
        """A zoo of the same networks that compute in bfloat16, see `models.precision`.

        The operator's own super-resolution networks stay in float32, for not all bear less. So do
        the policies, whose choices should not depend on it, and the round-trip detector, which is
        small.
        """
        twin = copy.copy(self)
        twin.precision = "bfloat16"
        twin._detectors = {
            name: slot.then(detector_in_bfloat16) for name, slot in self._detectors.items()
        }
        twin._defences = {
            name: slot.then(detector_in_bfloat16) for name, slot in self._defences.items()
        }
        twin._edsr = {
            scale: slot.then(super_resolution_in_bfloat16) for scale, slot in self._edsr.items()
        }
        return twin

    def on_cpu(self) -> "Zoo":
        """A zoo of the same networks on the CPU, in the same precision.

        The project's own are loaded from their files again, for a GPU whose memory is full may not
        even hold them; the operator's are copied.
        """
        cpu = torch.device("cpu")
        twin = Zoo(
            "cpu",
            folder=self._files.folder,
            cards=self._files.cards,
            given=self._files.given,
            hub=self._files.hub,
            added=[replace(one, network=copy_to(one.network, cpu)) for one in self._added],
            restorers=[
                replace(one, network=copy_to(one.network, cpu)) for one in self._restorers.values()
            ],
        )
        return twin.in_bfloat16() if self.precision == "bfloat16" else twin

    @property
    def detector_names(self) -> tuple[str, ...]:
        """The detectors' names in the order in which they are shown."""
        return tuple(self._detectors)

    @property
    def defence_names(self) -> tuple[str, ...]:
        """Those of `cards.DEFENCE_NAMES` and of the policies whose card is there, in order."""
        names = (*DEFENCE_NAMES, *POLICY_NAMES)
        return tuple(name for name in names if (self._files.cards / f"{name}.json").is_file())

    @property
    def restorer_names(self) -> tuple[str, ...]:
        """The names of the operator's own super-resolution networks, in the order given."""
        return tuple(self._restorers)

    def restorer(self, name: str) -> ForeignSuperResolution:
        """The operator's super-resolution network of that name.

        Raises:
            WeightsError: There is none of that name.
        """
        check_name(name, self.restorer_names)
        return self._restorers[name]

    def detector(self, name: str) -> LoadedDetector:
        """The detector of that name.

        Raises:
            WeightsError: The name is unknown, or its card or weights are refused.
        """
        check_name(name, self.detector_names)
        return self._detectors[name].get()

    def detectors(self) -> tuple[LoadedDetector, ...]:
        """Every detector that works, in order; the others are in `problems` afterwards."""
        working = []
        for slot in self._detectors.values():
            try:
                working.append(slot.get())
            except WeightsError:
                continue
        return tuple(working)

    def defence(self, name: str) -> LoadedDetector:
        """A detector that is asked about its robustness only, one of `cards.DEFENCE_NAMES`.

        Raises:
            WeightsError: The name is unknown, or its card or weights are refused.
        """
        check_name(name, DEFENCE_NAMES)
        return self._defences[name].get()

    def policy(self, name: str) -> LoadedPolicy:
        """A policy that chooses what is done to a crop before its detector sees it.

        Raises:
            WeightsError: The name is unknown, or its card or weights are refused.
        """
        check_name(name, POLICY_NAMES)
        return self._policies[name].get()

    def round_trip_detector(self) -> LoadedRoundTripDetector:
        """What tells whether a crop went through a round trip.

        Raises:
            WeightsError: Its card or weights are refused.
        """
        return self._round_trip.get()

    def super_resolution(self, scale: int) -> LoadedSuperResolution:
        """The EDSR network that enlarges by `scale`, 2 to 4.

        Raises:
            WeightsError: There is none of that scale, or its card or weights are refused.
        """
        if scale not in self._edsr:
            raise WeightsError(
                f"No super-resolution network enlarges {scale} times: expected a scale of "
                f"{', '.join(map(str, SCALES))}; choose one of these."
            )
        return self._edsr[scale].get()

    def load(self) -> None:
        """Load every network that is there now; those that are refused are in `problems` then."""
        policies = [name for name in self.defence_names if name in POLICY_NAMES]
        defences = [name for name in self.defence_names if name not in POLICY_NAMES]
        slots: list[Slot[Any]] = [
            *self._detectors.values(),
            *(self._defences[name] for name in defences),
            *(self._policies[name] for name in policies),
            *self._edsr.values(),
            self._round_trip,
        ]
        for slot in slots:
            with suppress(WeightsError):
                slot.get()

    def problems(self) -> dict[str, str]:
        """Name of every network that was asked for and refused, with the sentence that says why."""
        return {
            name: slot.problem for name, slot in self._slots().items() if slot.problem is not None
        }

    @property
    def loaded_names(self) -> tuple[str, ...]:
        """The names of all networks that are loaded by now."""
        return tuple(name for name, slot in self._slots().items() if slot.is_loaded)

    def _slots(self) -> "dict[str, Slot[Any]]":
        edsr = {f"edsr_x{scale}": slot for scale, slot in self._edsr.items()}
        seen = {ROUND_TRIP_NAME: self._round_trip}
        return edsr | self._detectors | self._defences | self._policies | seen
