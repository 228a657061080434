"""One crop under white-box attacks, and what every detector says of it.

The crop goes through one round trip, and each detector is attacked by gradients: at several
strengths, and once with the very error that the round trip made, after which the other detectors
are asked too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from demo.core.attack import round_trip
from demo.core.errors import ImageError
from demo.core.images import Picture, digest
from demo.core.own_gradient import STEPS
from demo.core.quality import measure
from demo.core.scoring import score_crops
from demo.core.white_box import (
    FGSM,
    L0,
    PGD_L2,
    PGD_LINF,
    attack_at_equal_psnr,
    pixels_changed,
    root_mean_square,
    white_box,
)
from demo.study.measuring import CLEAN
from demo.study.samples import Sample
from models.loading import LoadedDetector
from models.zoo import Zoo

ROUND_TRIP: Final = "round_trip"
EQUAL_PSNR: Final = "equal_psnr"
METHOD: Final = "edsr"
KERNEL: Final = "area"
SURE: Final = 4.6  # log-odds of 99 %


@dataclass(frozen=True)
class WhiteBoxPlan:
    """What a study of white-box attacks asks.

    Attributes:
        k: of the round trip, by EDSR after averaging.
        steps: of every attack but FGSM.
        levels: L∞ strengths of FGSM and PGD, in 8-bit levels. Less than one level is lost when the
            attacked picture is rounded.
        rms: L2 strengths of PGD: roots of the mean squared change, in 8-bit levels.
        pixels: L0 strengths: the most pixels that change.
        curve_crops: how many crops, drawn with the seed, are attacked at these strengths, which
            is most of the work; None for all. At equal PSNR all are attacked.
        seed: of every draw.
    """

    k: float = 2.0
    steps: int = STEPS
    levels: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    rms: tuple[float, ...] = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
    pixels: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    curve_crops: int | None = None
    seed: int = 0

    @property
    def curves(self) -> Mapping[str, tuple[float, ...]]:
        """The strengths of every attack, rising."""
        strengths = {FGSM: self.levels, PGD_LINF: self.levels, PGD_L2: self.rms, L0: self.pixels}
        return {attack: tuple(sorted(given)) for attack, given in strengths.items() if given}

    def drawn(self, crops: int) -> frozenset[int]:
        """The places of the crops that are attacked at every strength, of so many."""
        order = np.random.default_rng(self.seed).permutation(crops)
        return frozenset(order[: self.curve_crops].tolist())


@dataclass(frozen=True)
class WhiteBoxRow:
    """What one detector says about one crop, as it was or after one attack.

    Attributes:
        sample: its name.
        forgery: the manipulation method, or ``samples.PRISTINE``.
        source: the video behind it.
        picture_sha256: of the decoded crop.
        attack: one of ``core.white_box.ATTACKS``, ``EQUAL_PSNR``, ``ROUND_TRIP`` or ``CLEAN``.
        strength: as ``core.white_box.white_box`` has it; of the round trip and of the attack at
            equal PSNR the root of their mean squared error, in 8-bit levels.
        knows: whose gradient was followed; empty where nobody's was.
        detector: who is asked.
        threshold: its card's, a probability.
        logit: its answer.
        psnr_db: of the attacked crop; infinite where nothing changed.
        pixels_changed: how many of the crop's pixels differ.
        pixels: how many the crop has.
    """

    sample: str
    forgery: str
    source: str
    picture_sha256: str
    attack: str
    strength: float
    knows: str
    detector: str
    threshold: float
    logit: float
    psnr_db: float
    pixels_changed: int
    pixels: int


def measure_crop(
    sample: Sample,
    crop: Picture,
    plan: WhiteBoxPlan,
    curves: Mapping[str, Sequence[float]],
    detectors: Sequence[LoadedDetector],
    zoo: Zoo,
) -> list[WhiteBoxRow]:
    """Attack a crop against its true label, and ask the detectors.

    The curves are the plan's, or none.

    Where no change of a size is found, as where a gradient is zero, the crop stays as it is.

    A strength that leaves a detector 99 % sure of the wrong verdict is the last that is computed:
    its picture lies within every greater strength too, and stands for them. So does that of L0,
    which looks for the fewest pixels. FGSM, whose single step may overshoot, is computed at all.

    Raises:
        DemoError: a network is refused.
    """
    attacked = round_trip(crop, plan.k, METHOD, KERNEL, zoo)
    error = root_mean_square(crop, attacked)

    def row(
        attack: str, strength: float, knows: str, asked: LoadedDetector, one: Picture, logit: float
    ) -> None:
        rows.append(
            WhiteBoxRow(
                sample=sample.name,
                forgery=sample.forgery,
                source=sample.source,
                picture_sha256=sha256,
                attack=attack,
                strength=strength,
                knows=knows,
                detector=asked.card.name,
                threshold=asked.card.threshold,
                logit=logit,
                psnr_db=measure(crop, one).psnr_db,
                pixels_changed=pixels_changed(crop, one),
                pixels=crop.shape[0] * crop.shape[1],
            )
        )

    rows: list[WhiteBoxRow] = []
    sha256 = digest(crop)
    for loaded in detectors:
        name, clean = loaded.card.name, _ask(loaded, crop, zoo)
        row(CLEAN, 0.0, "", loaded, crop, clean)
        row(ROUND_TRIP, error, "", loaded, attacked, _ask(loaded, attacked, zoo))
        for attack, strengths in curves.items():
            curve = (
                _fewest(loaded, crop, clean, strengths, sample.fake, plan.steps, zoo)
                if attack == L0
                else _rising(loaded, crop, attack, strengths, sample.fake, plan.steps, zoo)
            )
            for strength, (found, logit) in zip(strengths, curve, strict=True):
                row(attack, strength, name, loaded, found, logit)
        equal = _pgd_l2(loaded, crop, error, sample.fake, plan.steps)
        for asked in detectors:
            row(EQUAL_PSNR, error, name, asked, equal, _ask(asked, equal, zoo))
    return rows


def _fewest(
    loaded: LoadedDetector,
    crop: Picture,
    clean: float,
    strengths: Sequence[float],
    fake: bool,
    steps: int,
    zoo: Zoo,
) -> Iterator[tuple[Picture, float]]:
    """The crop with the fewest pixels changed, where a strength allows as many, and its logit."""
    found = white_box(loaded, crop, L0, strengths[-1], fake, steps)
    logit = _ask(loaded, found, zoo)
    for strength in strengths:
        yield (found, logit) if pixels_changed(crop, found) <= strength else (crop, clean)


def _rising(
    loaded: LoadedDetector,
    crop: Picture,
    attack: str,
    strengths: Sequence[float],
    fake: bool,
    steps: int,
    zoo: Zoo,
) -> Iterator[tuple[Picture, float]]:
    """The attacked crop and its logit at each of the rising strengths."""
    found, logit, sure = crop, 0.0, False
    for strength in strengths:
        if not sure:
            if attack == PGD_L2:
                found = _pgd_l2(loaded, crop, strength, fake, steps)
            else:
                found = white_box(loaded, crop, attack, strength, fake, steps)
            logit = _ask(loaded, found, zoo)
            sure = attack != FGSM and (-logit if fake else logit) > SURE
        yield found, logit


def _pgd_l2(loaded: LoadedDetector, crop: Picture, rms: float, fake: bool, steps: int) -> Picture:
    try:
        return attack_at_equal_psnr(loaded, crop, rms, fake, steps)
    except ImageError:
        return crop


def _ask(loaded: LoadedDetector, crop: Picture, zoo: Zoo) -> float:
    return score_crops(loaded, [crop], zoo.device)[0]
