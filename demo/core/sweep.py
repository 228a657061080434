"""The sweep: one face at every K, restored by every method, before every detector.

Every number is the one that ``analysis.analyse`` gives for the same picture and settings, to the
last digit: both attack through ``picture_attack.attack_found`` and ask through
``scoring.score_pass``. The sweep is faster because it finds the faces once and asks about the
clean crop once. EDSR takes the shrunken crops one by one: each K leaves another size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch

from demo.core.analysis import versions
from demo.core.attack import FACTORS
from demo.core.carrying_out import Job
from demo.core.errors import WeightsError
from demo.core.faces import Box, Face, crop_box, cut
from demo.core.images import Picture
from demo.core.picture_attack import (
    ModelUsed,
    OnStep,
    Target,
    Toolbox,
    attack_found,
    attacked_pixels,
    chosen_faces,
    find_faces,
    find_targets,
    ignore_step,
)
from demo.core.quality import Quality, measure
from demo.core.restoring import METHODS, methods, restorable
from demo.core.scoring import DetectorScore, compare, pass_size, score_pass
from demo.core.settings import Settings
from models.detectors import prepare
from models.loading import LoadedDetector
from models.zoo import Zoo

UNTOUCHED: Final = 1.0
SWEPT_FACTORS: Final = (UNTOUCHED, *FACTORS)

_FOUND: Final = 0.05
_ATTACKED: Final = 0.35


@dataclass(frozen=True)
class SweepPoint:
    """The chosen face at one K, restored by one method.

    Attributes:
        k: scale factor, one of ``SWEPT_FACTORS``; 1 is the clean crop itself.
        method: who restored, one of ``restoring.methods``.
        quality: likeness to the clean crop; at K = 1 an SSIM of 1 and an infinite PSNR.
        scores: one a detector that could be asked; ``flipped`` is against K = 1.
    """

    k: float
    method: str
    quality: Quality
    scores: tuple[DetectorScore, ...]


@dataclass(frozen=True)
class Sweep:
    """Everything that is shown about a face over K.

    Attributes:
        settings: what was asked for, less K and method, see ``swept``.
        face: the chosen one.
        box: of its crop.
        points: by method in the order of ``restoring.methods``, then by K from 1 up. Those whose
            restoring network was refused are missing.
        device: where the networks ran, such as "cpu".
        models: the networks that took part.
        problems: a sentence for every network that was refused, and one where the work went to
            the CPU for want of a GPU.
        versions: (name, version) of everything that the numbers depend on.
    """

    settings: Settings
    face: Face
    box: Box
    points: tuple[SweepPoint, ...]
    device: str
    models: tuple[ModelUsed, ...]
    problems: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Piece:
    """One attacked crop, ready to be asked about; ``prepared`` holds 1×3×S×S for each detector."""

    k: float
    method: str
    quality: Quality
    prepared: tuple[torch.Tensor, ...]


def swept(settings: Settings) -> Settings:
    """Return settings with K and method set to one value for all, since a sweep visits every one.

    With the picture's ``images.digest`` they are the key under which a sweep can be kept.
    """
    return replace(settings, k=FACTORS[0], method=METHODS[0])


def sweep(
    picture: Picture, settings: Settings, toolbox: Toolbox, on_step: OnStep = ignore_step
) -> Sweep:
    """Attack one face at every K with every method, and ask every detector about each result.

    Args:
        picture: uint8 RGB, H×W×3.
        settings: which face, what is attacked and how it is shrunk; K and method do not matter. In
            the scopes "faces" and "frame" all of it is attacked, and the points are about
            ``settings.face``.
        toolbox: the models.
        on_step: called with the stage's name and the finished fraction in [0, 1] before each round
            trip and each pass of a detector; whatever it raises stops the sweep.

    Returns:
        The record: every point is what ``analyse`` gives for its K and method. A refused detector
        is missing from the scores and a refused restorer's points are missing, each with its
        sentence among the problems.

    Raises:
        ImageError: the array is not a usable picture.
        NoFaceError: no face was found, and neither a box nor the whole picture was asked for.
        SettingsError: the chosen face or box is not in the picture.
    """
    settings = swept(settings)
    picture, found = find_faces(picture, settings, toolbox, on_step)
    names = methods(toolbox.zoo)
    job = Job(
        partial(_sweep, picture, found, settings),
        factors=FACTORS * len(names),
        pixels=attacked_pixels(picture, chosen_faces(picture, found, settings), settings),
        crops=len(SWEPT_FACTORS) * len(names) * len(toolbox.zoo.detector_names),
    )
    made, notices = toolbox.carry_out(job, on_step)
    return replace(made, problems=(*notices, *made.problems))


def _sweep(
    picture: Picture, found: tuple[Face, ...], settings: Settings, zoo: Zoo, on_step: OnStep
) -> Sweep:
    targets = find_targets(picture, found, settings, zoo)
    target = targets[settings.face if len(targets) > 1 else 0]
    detectors, problems = _detectors(zoo)
    clean = _piece(UNTOUCHED, "", picture, picture, target, detectors)
    pieces: list[_Piece] = []
    restorers: dict[str, ModelUsed] = {}
    names = methods(zoo)
    asked = tuple((name, k) for name in names for k in restorable(FACTORS, name, zoo))
    for index, (method, k) in enumerate(asked):
        on_step("Round trips", _FOUND + (_ATTACKED - _FOUND) * index / len(asked))
        try:
            attack = attack_found(picture, found, replace(settings, k=k, method=method), zoo)
        except WeightsError as refused:
            problems.append(str(refused))
            continue
        restorers |= {model.name: model for model in attack.models}
        pieces.append(_piece(k, method, picture, attack.attacked, target, detectors))
    scores, used, silent = _ask(detectors, clean, pieces, zoo, on_step)
    on_step("Done", 1.0)
    return Sweep(
        settings=settings,
        face=target.face,
        box=target.box,
        points=_points(clean, pieces, names, scores),
        device=str(zoo.device),
        models=(*restorers.values(), *used),
        problems=tuple(dict.fromkeys((*problems, *silent))),
        versions=versions(),
    )


def _detectors(zoo: Zoo) -> tuple[tuple[LoadedDetector, ...], list[str]]:
    loaded: list[LoadedDetector] = []
    problems: list[str] = []
    for name in zoo.detector_names:
        try:
            loaded.append(zoo.detector(name))
        except WeightsError as refused:
            problems.append(str(refused))
    return tuple(loaded), problems


def _piece(
    k: float,
    method: str,
    picture: Picture,
    attacked: Picture,
    target: Target,
    detectors: Sequence[LoadedDetector],
) -> _Piece:
    size = picture.shape[:2]
    return _Piece(
        k=k,
        method=method,
        quality=measure(cut(picture, target.box), cut(attacked, target.box)),
        prepared=tuple(
            prepare([cut(attacked, crop_box(target.face, loaded.card.crop, size))], loaded.card)
            for loaded in detectors
        ),
    )


def _ask(
    detectors: Sequence[LoadedDetector],
    clean: _Piece,
    pieces: Sequence[_Piece],
    zoo: Zoo,
    on_step: OnStep,
) -> tuple[list[list[DetectorScore]], list[ModelUsed], list[str]]:
    """Ask each detector about the clean crop and then all pieces: its scores in that order."""
    scores: list[list[DetectorScore]] = []
    used: list[ModelUsed] = []
    problems: list[str] = []
    for index, loaded in enumerate(detectors):
        prepared = torch.cat([piece.prepared[index] for piece in (clean, *pieces)])
        start = index / len(detectors)
        try:
            logits = _logits(loaded, prepared, zoo, _within(on_step, start, 1 / len(detectors)))
        except WeightsError as refused:
            problems.append(str(refused))
            continue
        scores.append([compare(loaded, logits[0], logit) for logit in logits])
        used.append(ModelUsed(name=loaded.card.name, sha256=loaded.card.weights.sha256))
    return scores, used, problems


def _logits(
    loaded: LoadedDetector, prepared: torch.Tensor, zoo: Zoo, on_pass: Callable[[float], None]
) -> list[float]:
    size = pass_size(zoo.device)
    logits: list[float] = []
    for start in range(0, len(prepared), size):
        on_pass(start / len(prepared))
        logits += score_pass(loaded, prepared[start : start + size], zoo.device)
    return logits


def _within(on_step: OnStep, start: float, share: float) -> Callable[[float], None]:
    def on_pass(done: float) -> None:
        fraction = start + share * done
        on_step("Asking the detectors", _ATTACKED + (1 - _ATTACKED) * fraction)

    return on_pass


def _points(
    clean: _Piece,
    pieces: Sequence[_Piece],
    names: Sequence[str],
    scores: Sequence[Sequence[DetectorScore]],
) -> tuple[SweepPoint, ...]:
    return tuple(
        SweepPoint(piece.k, method, piece.quality, tuple(detector[place] for detector in scores))
        for method in names
        for place, piece in enumerate((clean, *pieces))
        if piece.k == UNTOUCHED or piece.method == method
    )
