"""A study of white-box attacks: success against strength, and at the round trip's own PSNR.

Each crop goes through one round trip, and each detector is attacked by gradients: at several
strengths, and once with the very error that the round trip made, after which the other detectors
are asked too. A crop's rows are written whole or not at all, so that a killed run goes on.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow
import pyarrow.parquet

from demo.core.analysis import device_name, versions
from demo.core.attack import round_trip
from demo.core.errors import DemoError, SettingsError, WeightsError
from demo.core.images import Picture, check_picture, digest
from demo.core.quality import measure
from demo.core.restoring import restoring_scale, restoring_weights
from demo.core.scoring import score_crops
from demo.core.white_box import (
    FGSM,
    L0,
    PGD_L2,
    PGD_LINF,
    STEPS,
    attack_at_equal_psnr,
    pixels_changed,
    root_mean_square,
    white_box,
)
from demo.study.measuring import CLEAN
from demo.study.run import MANIFEST, SCORES
from demo.study.run_folder import alone, begin, write_whole
from demo.study.samples import DataSet, Sample, samples_digest
from models.loading import LoadedDetector
from models.zoo import Zoo

ROUND_TRIP: Final = "round_trip"
EQUAL_PSNR: Final = "equal_psnr"
METHOD: Final = "edsr"
KERNEL: Final = "area"
SURE: Final = 4.6  # log-odds of 99 %
OTHER_STUDY: Final = (
    "The folder holds a study of other data, settings, weights or versions. Choose another folder, "
    "or delete it to begin anew."
)

OnSample = Callable[[int, int], None]


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


def run_white_box(
    data: DataSet,
    plan: WhiteBoxPlan,
    detectors: Sequence[LoadedDetector],
    zoo: Zoo,
    out: Path,
    on_sample: OnSample,
) -> None:
    """Attack every crop of a data set; go on if the folder holds a part of the same study.

    Args:
        data: face crops.
        plan: what is asked.
        detectors: attacked and asked.
        zoo: makes the round trip.
        out: the study's folder, made where it is missing.
        on_sample: called with the number of crops done and of all, at first and after each.

    Raises:
        SettingsError: the data are no face crops, a detector comes twice, the folder holds another
            study or is in use, or the plan is impossible.
        WeightsError: a network is refused.
    """
    names = [loaded.card.name for loaded in detectors]
    if not data.crops or not names or len(set(names)) < len(names):
        raise SettingsError(
            "A study of white-box attacks needs face crops and one or more detectors, each named "
            "once. Correct them."
        )
    if plan.curve_crops is not None and plan.curve_crops < 0:
        raise SettingsError(
            f"The number of crops for the curves must be 0 or more, but {plan.curve_crops} came. "
            "Choose a larger one."
        )
    manifest = _manifest(data, plan, detectors, zoo)
    with alone(out):
        (out / "parts").mkdir(exist_ok=True)
        begin(out, manifest, OTHER_STUDY)
        files = [out / "parts" / f"{place:07d}.json" for place in range(len(data.samples))]
        on_sample(sum(file.exists() for file in files), len(files))
        drawn = plan.drawn(len(files))
        for place, (file, sample) in enumerate(zip(files, data.samples, strict=True)):
            if not file.exists():
                curves = plan.curves if place in drawn else {}
                measured = _measure(data, sample, plan, curves, detectors, zoo)
                write_whole(file, json.dumps(measured))
                on_sample(sum(file.exists() for file in files), len(files))
        _finish(out, manifest, files)


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

    A strength that leaves a detector 99 % sure of the wrong verdict is the last that is computed:
    its picture lies within every greater strength too, and stands for them. So does that of L0,
    which looks for the fewest pixels. FGSM, whose single step may overshoot, is computed at all.

    Raises:
        DemoError: a network is refused, or an attack finds no change of the wanted size.
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
        equal = attack_at_equal_psnr(loaded, crop, error, sample.fake, plan.steps)
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
            found = white_box(loaded, crop, attack, strength, fake, steps)
            logit = _ask(loaded, found, zoo)
            sure = attack != FGSM and (-logit if fake else logit) > SURE
        yield found, logit


def _ask(loaded: LoadedDetector, crop: Picture, zoo: Zoo) -> float:
    return score_crops(loaded, [crop], zoo.device)[0]


def _measure(
    data: DataSet,
    sample: Sample,
    plan: WhiteBoxPlan,
    curves: Mapping[str, Sequence[float]],
    detectors: Sequence[LoadedDetector],
    zoo: Zoo,
) -> dict[str, object]:
    """A crop's rows, or the sentence that says why there are none."""
    try:
        rows = measure_crop(sample, check_picture(data.read(sample)), plan, curves, detectors, zoo)
    except (SettingsError, WeightsError):
        raise  # of the study, and not of this picture
    except DemoError as reason:
        return {"rows": [], "refused": [{"sample": sample.name, "why": str(reason)}]}
    return {"rows": [asdict(row) for row in rows], "refused": []}


def _manifest(
    data: DataSet, plan: WhiteBoxPlan, detectors: Sequence[LoadedDetector], zoo: Zoo
) -> dict[str, object]:
    weights = {loaded.card.name: loaded.card.weights.sha256 for loaded in detectors}
    restorer = restoring_weights(METHOD, restoring_scale(plan.k, METHOD, zoo), zoo)
    return {
        "data": data.name,
        "samples": len(data.samples),
        "samples_sha256": samples_digest(data),
        "plan": asdict(plan),
        "detectors": [loaded.card.name for loaded in detectors],
        "weights": weights | ({} if restorer is None else dict([restorer])),
        "device": device_name(zoo.device),
        "precision": zoo.precision,
        "versions": dict(versions()) | {"foolbox": version("foolbox")},
    }


def _finish(out: Path, manifest: Mapping[str, object], files: Sequence[Path]) -> None:
    measured = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    rows = [row for one in measured for row in one["rows"]]
    pictures = dict.fromkeys(f"{row['sample']}\t{row['picture_sha256']}" for row in rows)
    said = dict(manifest) | {
        "pictures_sha256": hashlib.sha256("\n".join(pictures).encode()).hexdigest(),
        "measured": len(pictures),
        "refused": [one for part in measured for one in part["refused"]],
    }
    kinds = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64()}
    schema = pyarrow.schema(
        [(name, kinds[kind]) for name, kind in WhiteBoxRow.__annotations__.items()]
    )
    partial = out / f"{SCORES}.partial"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema), partial)
    partial.replace(out / SCORES)
    write_whole(out / MANIFEST, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
