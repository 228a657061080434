"""From a detector that was trained on to what ships: calibrated, stored, measured."""

from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from models.card_files import write_card
from models.cards import DetectorCard, Encoding, Origin, WeightsFile
from models.loading import LoadedDetector
from models.training.faces import Faces
from models.training.measure import Pictures, ask
from models.training.networks import ARCHITECTURES, begin, build_network
from models.training.ship import detector_figures, store_calibrated


@dataclass(frozen=True)
class Exam:
    """What a robust detector is calibrated and measured with.

    Attributes:
        val: Calibrated with, and the loss by storing.
        test: Measured with, once.
        portraits: Portraits that may not be trained on, uint8 RGB.
    """

    val: Faces
    test: Faces
    portraits: list[Pictures]


def ship_robust(
    network: nn.Module,
    plain: LoadedDetector,
    origin: Origin,
    exam: Exam,
    encoding: Encoding,
    weights: Path,
    cards: Path,
) -> DetectorCard:
    """Calibrate, store and measure a robust detector, at the threshold of the plain one.

    Args:
        network: As `robust.train_on` returns it.
        plain: The detector that it was trained on from.
        origin: How it was made.
        exam: Looked at here.
        encoding: How the weights are stored, see `models.weights`.
        weights: Folder of the weights.
        cards: Folder of the card.

    Returns:
        The card as written.
    """
    name = f"{plain.card.name}_robust"
    card = replace(
        plain.card,
        name=name,
        title=f"{plain.card.title}, robust",
        weights=WeightsFile(f"{name}.safetensors", "0" * 64, 1, encoding),
        figures=(),
        origin=origin,
        note=(
            f"Trained on from the weights of {plain.card.title}, whose threshold it keeps. What "
            "the round trip does to it stands in the table of defences; that says nothing of other "
            "attacks."
        ),
    )
    assert card.architecture in ARCHITECTURES
    whole = build_network(card.architecture, skeleton=False, side=card.input_size)
    begin(whole, network.state_dict())
    whole = whole.eval()
    trained = ask(network, card, exam.val.pictures)
    last = whole.get_classifier()  # type: ignore[operator]
    stored, card = store_calibrated(whole, last, card, exam.val, weights, encoding)
    figures = detector_figures(stored, card, trained, exam.val, exam.test, exam.portraits)
    card = replace(card, figures=figures)
    write_card(card, cards / f"{name}.json")
    return card
