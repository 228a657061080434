"""The card of the round-trip detector: what it reads, from where on it fires, and how well."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.card_files import CARDS_FOLDER, read_card
from models.cards import Figure, Origin, WeightsFile

ROUND_TRIP_NAME: Final = "round_trip"


@dataclass(frozen=True)
class RoundTripCard:
    """What tells from a crop alone whether it went through a round trip, and at which K.

    Attributes:
        name: The name used in code, files and commands.
        title: The name shown to people.
        rings: How many levels of the radial spectrum the linear model reads.
        least_side: Shortest side in px of a crop that can be judged.
        factors: The K that it tells apart, ascending.
        linear_threshold: Probability in (0, 1) from which on the linear model fires.
        network_threshold: The same of the network.
        weights: The file of weights of both.
        figures: What was measured on exactly that file.
        origin: Where the weights come from.
        note: What a reader has to know before trusting the figures.
    """

    name: Literal["round_trip"]
    title: str
    rings: int
    least_side: int
    factors: tuple[float, ...]
    linear_threshold: float
    network_threshold: float
    weights: WeightsFile
    figures: tuple[Figure, ...]
    origin: Origin
    note: str

    def __post_init__(self) -> None:
        if self.rings < 2:
            raise ValueError(f"rings must be 2 or more, found {self.rings}")
        if self.least_side < 32:
            raise ValueError(f"least_side must be 32 px or more, found {self.least_side}")
        if len(self.factors) < 2 or list(self.factors) != sorted(set(self.factors)):
            raise ValueError("factors must be two or more different ones, ascending")
        for threshold in (self.linear_threshold, self.network_threshold):
            if not 0 < threshold < 1:
                raise ValueError(f"a threshold must lie between 0 and 1, found {threshold}")


def read_round_trip_card(path: Path) -> RoundTripCard:
    """Read and check its card; errors as `card_files.read_detector_card`."""
    return read_card(path, RoundTripCard)


def shipped_round_trip_cards(folder: Path = CARDS_FOLDER) -> tuple[RoundTripCard, ...]:
    """The card of the round-trip detector in `folder`, or none where it is absent.

    Raises:
        WeightsError: As `card_files.read_detector_card`.
    """
    path = folder / f"{ROUND_TRIP_NAME}.json"
    return (read_round_trip_card(path),) if path.is_file() else ()
