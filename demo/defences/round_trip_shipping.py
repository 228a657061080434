"""From trained models to what ships: thresholds chosen on val, weights, card; later the figures."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from scipy.special import expit

from demo.core.attack import FACTORS, round_trip
from demo.core.restoring import METHODS
from demo.core.spectrum import Array
from demo.defences.round_trip_figures import HARMLESS, Measured, Said, ask, figures
from demo.defences.round_trip_samples import (
    PORTRAIT_DRAWS,
    Attacked,
    Samples,
    attack_portraits,
)
from demo.defences.round_trip_training import RINGS, Plan, Trained, train
from demo.defences.round_trips import KERNEL, RoundTrips, read_round_trips
from models.card_files import CARDS_FOLDER, write_card
from models.cards import Figure, Origin, WeightsFile
from models.round_trip_card import ROUND_TRIP_NAME, RoundTripCard
from models.round_trip_detector import LEAST_SIDE, LoadedRoundTripDetector, RoundTripModels
from models.training.faces import Faces, read_faces
from models.training.portraits import read_portraits
from models.training.ship import DFDC_FRAMING, subset
from models.weights import WEIGHTS_FOLDER, save_weights
from models.zoo import Zoo

CACHE: Final = Path("runs/cache")
FALSE_ALARMS: Final = 0.05
TRAIN_PAIRS: Final = 3000
VAL_PAIRS: Final = 200
SEED: Final = 5
TRAINED_PORTRAITS: Final = 100
TEST_CROPS: Final = 400
DATA: Final = (
    "DFDC face crops (Dolhansky et al. 2020, arXiv 2006.07397), train split by source video: "
    f"{TRAIN_PAIRS:,} pairs after a round trip, all 22,362 clean crops. Actors appear in several "
    f"videos, so train, val and test share actors. {TRAINED_PORTRAITS} portraits of US government "
    "fellowship sites, scaled and attacked four times each."
)
TERMS: Final = "DFDC's own terms: research. The portraits: public domain, CC0."
NOTE: Final = (
    "A round trip is shrinking by 1/K, K from 1.5 to 4, and restoring to the size it had. Scaling "
    "to another size, as data sets do, counts as none. Enlarging a sharp picture by 1.5 or more "
    "ends as a round trip by a control does and is taken for one by the network. JPEG of quality "
    "60 erases what both models look for, and a slight loss by resampling may raise a false alarm. "
    "The network's opinion is the one that is shown."
)


def add_round_trip_arguments(parser: argparse.ArgumentParser) -> None:
    """What the training of the round-trip detector takes."""
    _add_data(parser)
    parser.add_argument("--run", type=Path, default=Path("runs/roundtrip"), help="its checkpoint")
    parser.add_argument("--crops", type=int, default=10000, help="of the linear model")
    parser.add_argument("--steps", type=int, default=1500, help="of the network")
    parser.add_argument("--pixels", type=int, default=300_000, help="a step of the network")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--hardware", required=True)


def add_round_trip_figures_arguments(parser: argparse.ArgumentParser) -> None:
    """What measuring on the test split takes."""
    _add_data(parser)


def run_round_trip(arguments: argparse.Namespace) -> None:
    """Train both models, choose their thresholds on val, store them and write the card."""
    torch.set_num_threads(arguments.threads)
    zoo = Zoo("cpu")
    data, seed = arguments.data, SEED
    faces = read_faces(data / "dfdc_faces", "train", CACHE)
    trips = read_round_trips(faces, "train", TRAIN_PAIRS, seed, CACHE, zoo)
    portraits = read_portraits(data / "portraits", DFDC_FRAMING, "train")
    attacked = attack_portraits(
        portraits, PORTRAIT_DRAWS, seed, arguments.run / "portraits.safetensors", zoo
    )
    learnt = PORTRAIT_DRAWS * TRAINED_PORTRAITS
    samples = Samples(
        faces.pictures,
        trips.attacked.reshape(-1, *trips.attacked.shape[2:]),
        np.repeat(trips.k, 2),
        attacked[:learnt],
    )
    plan = Plan(arguments.crops, arguments.steps, arguments.pixels, arguments.rate, arguments.seed)
    trained = train(samples, plan, arguments.run)
    val = read_faces(data / "dfdc_faces", "val", CACHE)
    val_trips = read_round_trips(val, "val", VAL_PAIRS, seed, CACHE, zoo)
    card = ship(trained, plan, arguments.hardware, _pairs(val, val_trips), attacked[learnt:])
    print_figures(card.figures)


def run_round_trip_figures(arguments: argparse.Namespace) -> None:
    """Look at the test split, once, and write what is seen into the card."""
    torch.set_num_threads(arguments.threads)
    zoo = Zoo("cpu")
    loaded = zoo.round_trip_detector()
    test = subset(read_faces(arguments.data / "dfdc_faces", "test", CACHE), TEST_CROPS, seed=0)
    portraits = read_portraits(arguments.data / "portraits", DFDC_FRAMING, "test")
    measured = attack_each(test, zoo, SEED)
    of = f"portraits not trained on, {len(portraits)} pristine faces"
    said = ask(loaded, measured, portraits)
    card = replace(loaded.card, figures=figures(loaded.card, measured, said, of))
    write_card(card, CARDS_FOLDER / f"{ROUND_TRIP_NAME}.json")
    print_figures(card.figures)


def ship(
    trained: Trained, plan: Plan, hardware: str, val: Measured, portraits: list[Attacked]
) -> RoundTripCard:
    """Store both models and write their card, with thresholds and figures of the val split.

    Args:
        trained: the models.
        plan: how they were trained.
        hardware: on what machine.
        val: what the thresholds are chosen on.
        portraits: of the training half, but not trained on: more of the same.
    """
    path = WEIGHTS_FOLDER / f"{ROUND_TRIP_NAME}.safetensors"
    weights = save_weights(trained.models.state_dict(), path, "float32")
    loaded = loaded_from(trained.models, _card_so_far(trained, plan, hardware, weights))
    said = ask(loaded, val, [one.clean for one in portraits])
    linear, network = choose_thresholds(said)
    card = replace(loaded.card, linear_threshold=linear, network_threshold=network)
    of = f"portraits of the training half kept from training, {len(portraits)} drawn sizes"
    card = replace(card, figures=figures(card, val, said, of))
    write_card(card, CARDS_FOLDER / f"{ROUND_TRIP_NAME}.json")
    return card


def choose_thresholds(said: Said) -> tuple[float, float]:
    """Choose the linear model's threshold and the network's by what was said of the val split.

    Returns:
        For each the least probability from 0.5 on, in thousandths, that at most ``FALSE_ALARMS`` of
        the val crops reach, taken as often clean as with each harmless change, and of portraits.
    """
    harmless = [said.before[change.words] for change in HARMLESS]
    return (
        threshold_of([one.linear for one in harmless], said.portraits.linear),
        threshold_of([one.network for one in harmless], said.portraits.network),
    )


def threshold_of(harmless: list[Array], photographs: Array) -> float:
    """The least threshold of one model, see ``choose_thresholds``, by its logits."""
    faces = np.concatenate(harmless)[:, 0]
    reached = max(
        float(expit(np.quantile(group, 1 - FALSE_ALARMS, method="higher")))
        for group in (faces, photographs[:, 0])
    )
    return float(min(0.999, max(0.5, (np.floor(1000 * reached) + 1) / 1000)))


def attack_each(faces: Faces, zoo: Zoo, seed: int) -> Measured:
    """Send every crop through one round trip of a K and a method drawn for it."""
    rng = np.random.default_rng(seed)
    count = len(faces.fake)
    k, method = rng.choice(FACTORS, count), rng.choice(METHODS, count)
    attacked = [
        round_trip(np.asarray(crop), float(k[place]), str(method[place]), KERNEL, zoo)
        for place, crop in enumerate(faces.pictures)
    ]
    of = f"DFDC test split, {count} crops"
    return Measured(list(faces.pictures), attacked, k, method, faces.source, of)


def loaded_from(models: RoundTripModels, card: RoundTripCard) -> LoadedRoundTripDetector:
    """Make the detector of models that were just trained."""
    return LoadedRoundTripDetector(
        card=card,
        weight=models.linear.weight.detach().double().numpy(),
        bias=models.linear.bias.detach().double().numpy(),
        network=models.network.eval(),
    )


def print_figures(said: tuple[Figure, ...]) -> None:
    """Print figures with their intervals, one a line."""
    for one in said:
        span = "" if one.low is None or one.high is None else f" ({one.low:.4g} to {one.high:.4g})"
        print(f"{one.name}, {one.condition}, {one.of}: {one.value:.4g}{one.unit}{span}")


def _pairs(faces: Faces, trips: RoundTrips) -> Measured:
    """The pairs of a split one after the other: the real crop, then its fake."""
    index = np.stack((trips.real, trips.fake), axis=1).ravel()
    attacked = trips.attacked.reshape(-1, *trips.attacked.shape[2:])
    return Measured(
        clean=[faces.pictures[one] for one in index],
        attacked=list(attacked),
        k=np.repeat(trips.k, 2),
        method=np.repeat(trips.method, 2),
        source=faces.source[index],
        of=f"DFDC val split, {len(index)} crops",
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with dfdc_faces, portraits"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())


def _card_so_far(
    trained: Trained, plan: Plan, hardware: str, weights: WeightsFile
) -> RoundTripCard:
    return RoundTripCard(
        name=ROUND_TRIP_NAME,
        title="Round-trip detector",
        rings=RINGS,
        least_side=LEAST_SIDE,
        factors=FACTORS,
        linear_threshold=0.5,
        network_threshold=0.5,
        weights=weights,
        figures=(),
        origin=Origin(
            data=DATA,
            terms=TERMS,
            recipe=(
                "Half of what is drawn went through a round trip (shrunk by area, K 1.5 to 4, "
                "EDSR, bicubic or Lanczos), a third of it stored as JPEG of quality 90 to 100 "
                "afterwards; the other half is clean, scaled by 0.5 to 1.3, shrunk by up to 1/1.25 "
                "and enlarged again, sharpened, or JPEG of quality 60 to 95. Windows of "
                f"{LEAST_SIDE} to 224 px at the crop's own size. Linear model: logistic regression "
                f"and multinomial logistic regression on {RINGS} levels of the radial spectrum, "
                f"{plan.crops:,} crops. Network: AdamW, one cycle to {plan.rate:g}, {plan.steps:,} "
                f"steps of {plan.pixels:,} px, bfloat16. Each threshold is the least from 0.5 on "
                f"that at most {FALSE_ALARMS:.0%} of val crops without a round trip reach."
            ),
            hours=round(trained.hours, 2),
            hardware=hardware,
            seed=plan.seed,
            curve=trained.curve,
            curve_label="step of the network; mean loss of training since the point before",
        ),
        note=NOTE,
    )
