"""Settings and a picture → one Analysis: every number and picture that is shown about it.

One way through: faces → round trip → paste → scores and quality. All numbers are taken from the
crops of the attacked picture as it is shown, after everything has been pasted.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from typing import Final

import cv2
import torch

from demo import __version__
from demo.core.carrying_out import Job
from demo.core.errors import WeightsError
from demo.core.faces import Box, Face, crop_box, cut
from demo.core.images import Picture
from demo.core.picture_attack import (
    Attack,
    ModelUsed,
    OnStep,
    Target,
    Toolbox,
    attack_found,
    attack_picture,
    attacked_pixels,
    chosen_faces,
    find_faces,
    ignore_step,
    make_toolbox,
)
from demo.core.quality import Quality, measure
from demo.core.round_trip_detection import RoundTripVerdict, round_trip_verdict
from demo.core.scoring import DetectorScore, compare, score_crops
from demo.core.settings import Settings
from models.loading import LoadedDetector
from models.precision import Precision
from models.zoo import Zoo

__all__ = [
    "Analysis",
    "AskedCrops",
    "Attack",
    "FaceResult",
    "ModelUsed",
    "Settings",
    "Target",
    "Toolbox",
    "analyse",
    "asked_crops",
    "attack_picture",
    "make_toolbox",
]

PACKAGES: Final = (
    "torch",
    "timm",
    "super-image",
    "facenet-pytorch",
    "numpy",
    "pillow",
    "scikit-image",
)
SeenRoundTrips = tuple[RoundTripVerdict | None, RoundTripVerdict | None]


@dataclass(frozen=True)
class FaceResult:
    """One face before and after.

    Attributes:
        face: as found, drawn or taken.
        box: of both crops in the picture.
        clean: crop of the clean picture, uint8 RGB.
        attacked: the same box of the attacked picture.
        quality: likeness of the two crops.
        scores: one a detector that could be asked.
        clean_round_trip: whether the clean crop alone shows a round trip; None where it is too
            small to say, or the round-trip detector could not be asked.
        attacked_round_trip: the same of the attacked crop.
    """

    face: Face
    box: Box
    clean: Picture
    attacked: Picture
    quality: Quality
    scores: tuple[DetectorScore, ...]
    clean_round_trip: RoundTripVerdict | None = None
    attacked_round_trip: RoundTripVerdict | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything that is shown about a picture.

    Attributes:
        picture: clean, uint8 RGB, H×W×3.
        attacked: the same size; bit-identical outside the attacked boxes.
        faces: all faces found, largest first.
        results: one a face that was asked about: the chosen one, or all in the scopes "faces" and
            "frame", in the order of ``faces``.
        settings: what was asked for.
        device: where the networks ran, as ``device_name`` says it.
        models: the networks that took part.
        problems: a sentence for every detector that could not be asked, and one where the work
            went to the CPU for want of a GPU.
        versions: (name, version) of everything that the numbers depend on.
    """

    picture: Picture
    attacked: Picture
    faces: tuple[Face, ...]
    results: tuple[FaceResult, ...]
    settings: Settings
    device: str
    models: tuple[ModelUsed, ...]
    problems: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]

    @property
    def chosen(self) -> FaceResult:
        """The result of the face that the settings choose."""
        return self.results[self.settings.face if len(self.results) > 1 else 0]


def analyse(
    picture: Picture, settings: Settings, toolbox: Toolbox, on_step: OnStep = ignore_step
) -> Analysis:
    """Attack a picture and ask every detector about its faces before and after.

    However many faces there are, each detector is asked once, about all their crops, and a face's
    logits are those that it has alone (``score_crops``).

    Args:
        picture: uint8 RGB, H×W×3.
        settings: what to do.
        toolbox: the models.
        on_step: called with the stage's name and the finished fraction in [0, 1] before each
            stage; whatever it raises stops the analysis.

    Returns:
        The record. A detector whose weights are refused is missing from the scores, and its
        sentence is among the problems; so is that of the round-trip detector.

    Raises:
        ImageError: the array is not a usable picture.
        NoFaceError: no face was found, and neither a box nor the whole picture was asked for.
        SettingsError: the chosen face or box is not in the picture.
        WeightsError: the restoring network's weights are refused.
    """
    picture, found = find_faces(picture, settings, toolbox, on_step)
    chosen = chosen_faces(picture, found, settings)
    job = Job(
        partial(_analyse, picture, found, settings),
        factors=(settings.k,),
        pixels=attacked_pixels(picture, chosen, settings),
        crops=2 * len(chosen) * len(toolbox.zoo.detector_names),
    )
    made, notices = toolbox.carry_out(job, on_step)
    return replace(made, problems=(*notices, *made.problems))


def _analyse(
    picture: Picture, found: tuple[Face, ...], settings: Settings, zoo: Zoo, on_step: OnStep
) -> Analysis:
    attack = attack_found(picture, found, settings, zoo, on_step)
    names = zoo.detector_names
    scores: list[tuple[DetectorScore, ...]] = []
    used: list[ModelUsed] = []
    problems: list[str] = []
    for index, name in enumerate(names):
        on_step("Asking the detectors", 0.5 + 0.4 * index / len(names))
        try:
            loaded = zoo.detector(name)
            scores.append(_score_targets(loaded, attack, zoo))
        except WeightsError as refused:
            problems.append(str(refused))
            continue
        used.append(ModelUsed(name=loaded.card.name, sha256=loaded.card.weights.sha256))
    on_step("Looking for a round trip", 0.9)
    round_trips: tuple[SeenRoundTrips, ...] = ((None, None),) * len(attack.targets)
    try:
        round_trips = _look_for_round_trips(attack, zoo)
        card = zoo.round_trip_detector().card
        used.append(ModelUsed(name=card.name, sha256=card.weights.sha256))
    except WeightsError as refused:
        problems.append(str(refused))
    on_step("Measuring the difference", 0.95)
    results = tuple(
        _result(attack, target, tuple(detector[index] for detector in scores), round_trips[index])
        for index, target in enumerate(attack.targets)
    )
    on_step("Done", 1.0)
    return Analysis(
        picture=attack.picture,
        attacked=attack.attacked,
        faces=attack.faces,
        results=results,
        settings=settings,
        device=device_name(zoo.device, zoo.precision),
        models=(*attack.models, *used),
        problems=tuple(problems),
        versions=versions(),
    )


@dataclass(frozen=True)
class AskedCrops:
    """What one detector was asked about: its own crop before and after, uint8 RGB."""

    detector: str
    clean: Picture
    attacked: Picture


def asked_crops(analysis: Analysis, result: FaceResult, zoo: Zoo) -> tuple[AskedCrops, ...]:
    """Return the crops of one face as each detector that answered saw them, by its own policy."""
    size = analysis.picture.shape[:2]
    asked = []
    for score in result.scores:
        box = crop_box(result.face, zoo.detector(score.detector).card.crop, size)
        before, after = cut(analysis.picture, box), cut(analysis.attacked, box)
        asked.append(AskedCrops(score.detector, before, after))
    return tuple(asked)


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of the project and of everything that its numbers depend on."""
    return (
        ("super-resolution-robustness", __version__),
        ("python", platform.python_version()),
        *((package, version(package)) for package in PACKAGES),
        ("opencv", cv2.__version__),
    )


def device_name(device: torch.device, precision: Precision = "float32") -> str:
    """Where numbers are computed, as far as their last digits depend on it.

    Such as "cpu (AVX512, 2 threads)", or with a GPU "cuda (NVIDIA H100), cpu (AVX2, 16 threads)",
    for faces are found on the CPU all the same. The fast mode ends in ", bfloat16".
    """
    threads = torch.get_num_threads()
    many = "thread" if threads == 1 else "threads"
    cpu = f"cpu ({torch.backends.cpu.get_cpu_capability()}, {threads} {many})"
    gpu = f"cuda ({torch.cuda.get_device_name(device)}), " if device.type == "cuda" else ""
    return f"{gpu}{cpu}" + (f", {precision}" if precision != "float32" else "")


def _score_targets(loaded: LoadedDetector, attack: Attack, zoo: Zoo) -> tuple[DetectorScore, ...]:
    size = attack.picture.shape[:2]
    boxes = [crop_box(target.face, loaded.card.crop, size) for target in attack.targets]
    crops = [cut(source, box) for source in (attack.picture, attack.attacked) for box in boxes]
    logits = score_crops(loaded, crops, zoo.device)
    pairs = zip(logits[: len(boxes)], logits[len(boxes) :], strict=True)
    return tuple(compare(loaded, clean, attacked) for clean, attacked in pairs)


def _look_for_round_trips(attack: Attack, zoo: Zoo) -> tuple[SeenRoundTrips, ...]:
    return tuple(
        (
            round_trip_verdict(cut(attack.picture, target.box), zoo),
            round_trip_verdict(cut(attack.attacked, target.box), zoo),
        )
        for target in attack.targets
    )


def _result(
    attack: Attack,
    target: Target,
    scores: tuple[DetectorScore, ...],
    round_trips: SeenRoundTrips,
) -> FaceResult:
    clean, attacked = cut(attack.picture, target.box), cut(attack.attacked, target.box)
    before, after = round_trips
    return FaceResult(
        face=target.face,
        box=target.box,
        clean=clean,
        attacked=attacked,
        quality=measure(clean, attacked),
        scores=scores,
        clean_round_trip=before,
        attacked_round_trip=after,
    )
