"""Crops, clean and attacked, with a detector's answer to each of them under every action.

A policy's episodes have one step, so that the answers are all there is to know of its world: they
are computed once, and both training and measuring only look them up.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from tqdm import tqdm

from demo.core.attack import FACTORS, round_trip
from demo.core.restoring import METHODS
from demo.core.scoring import score_crops
from demo.defences.round_trips import KERNEL, RoundTrips
from models.cards import DetectorCard
from models.crop_actions import CROP_ACTIONS, act
from models.detectors import resize_to_input
from models.loading import LoadedDetector
from models.training.faces import Faces
from models.zoo import Zoo

Pictures = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PolicyCrops:
    """Crops that a policy is trained or measured on; the clean ones first, then their twins.

    Attributes:
        pictures: N×224×224×3, uint8 RGB.
        fake: N, the truth.
        attacked: N, whether the crop went through a round trip.
        source: N, the name of the real video behind it.
    """

    pictures: Pictures
    fake: Flags
    attacked: Flags
    source: npt.NDArray[np.str_]


@dataclass(frozen=True)
class Answers:
    """What one detector says about crops under every action.

    Attributes:
        logits: N×6, float32, under ``CROP_ACTIONS`` in their order.
        threshold: log-odds from which an answer is called fake, from the detector's card.
        fake: N, the truth.
    """

    logits: npt.NDArray[np.float32]
    threshold: float
    fake: Flags

    @property
    def right(self) -> Flags:
        """Whether the verdict is right: N×6."""
        verdicts: Flags = (self.logits >= self.threshold) == self.fake[:, None]
        return verdicts


def of_pairs(faces: Faces, trips: RoundTrips, pairs: int) -> PolicyCrops:
    """The first pairs of some round trips, clean and attacked: 4 crops a pair.

    Args:
        faces: their split.
        trips: from ``round_trips.read_round_trips``.
        pairs: how many of them.
    """
    both = np.stack((trips.real[:pairs], trips.fake[:pairs]), axis=1).ravel()
    attacked = trips.attacked[:pairs].reshape(-1, *trips.attacked.shape[2:])
    return _twins(faces.pictures[both], attacked, faces.fake[both], faces.source[both])


def attack_each(faces: Faces, seed: int, zoo: Zoo) -> PolicyCrops:
    """Every crop, clean and after one round trip of a drawn K and method: 2 crops a face.

    Args:
        faces: a split, or a part of one.
        seed: of the draws.
        zoo: restores.
    """
    rng = np.random.default_rng(seed)
    count = len(faces.fake)
    method, k = rng.choice(METHODS, count), rng.choice(FACTORS, count)
    attacked = [
        round_trip(np.asarray(crop), float(k[i]), str(method[i]), KERNEL, zoo)
        for i, crop in enumerate(tqdm(faces.pictures, desc="round trips"))
    ]
    return _twins(faces.pictures, np.stack(attacked), faces.fake, faces.source)


def ask_actions(loaded: LoadedDetector, crops: PolicyCrops, zoo: Zoo, cache: Path) -> Answers:
    """Ask a detector about every crop under every action, or read what it said before.

    Args:
        loaded: the detector.
        crops: what it is asked about.
        zoo: on whose device its network is.
        cache: a file that is made if absent, and holds N×6 numbers; one that a broken run left is
            filled up.

    Raises:
        ValueError: the file belongs to another number of crops.
    """
    shape = (len(crops.fake), len(CROP_ACTIONS))
    if not cache.exists():
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.save(cache, np.full(shape, np.nan, np.float32))
    logits = np.load(cache, mmap_mode="r+")
    if logits.shape != shape:
        raise ValueError(f"Expected answers of shape {shape}, found {logits.shape}: remove them.")
    for place in tqdm(np.flatnonzero(np.isnan(logits).any(axis=1)), desc=cache.stem):
        crop = resize_to_input(np.asarray(crops.pictures[place]), loaded.card.input_size)
        changed = [act(action, crop) for action in CROP_ACTIONS]
        logits[place] = score_crops(loaded, changed, zoo.device)
    return Answers(np.array(logits), threshold_logit(loaded.card), crops.fake)


def answers_file(cache: Path, loaded: LoadedDetector, zoo: Zoo, of: str) -> Path:
    """Where a detector's answers are kept: its weights and its precision are part of the name."""
    weights = loaded.card.weights.sha256[:8]
    return cache / f"answers_{loaded.card.name}_{weights}_{zoo.precision}_{of}.npy"


def threshold_logit(card: DetectorCard) -> float:
    """The log-odds from which a detector calls a crop fake."""
    return float(logit(card.threshold))


def _twins(
    clean: Pictures, attacked: Pictures, fake: Flags, source: npt.NDArray[np.str_]
) -> PolicyCrops:
    return PolicyCrops(
        pictures=np.concatenate((clean, attacked)),
        fake=np.tile(fake, 2),
        attacked=np.repeat([False, True], len(fake)),
        source=np.tile(source, 2),
    )
