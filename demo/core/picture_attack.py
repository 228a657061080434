"""Picture → attacked picture: which faces are meant, round trip of their crops, pasted back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo.core.attack import round_trip
from demo.core.carrying_out import Elsewhere, Job, Result, here
from demo.core.carrying_out import OnStep as OnStep
from demo.core.errors import NoFaceError, SettingsError, WeightsError
from demo.core.faces import (
    Box,
    Face,
    FaceDetector,
    box_from_hand,
    crop_box,
    cut,
    paste,
    whole_picture,
)
from demo.core.images import Picture, check_picture
from demo.core.restoring import restoring_scale, restoring_weights
from demo.core.settings import Settings
from models.cards import CropPolicy
from models.foreign_detectors import read_foreign_detectors
from models.foreign_super_resolution import read_foreign_super_resolutions
from models.zoo import Zoo, resolve_device

FACE_ITSELF: Final = CropPolicy(scale=1.0, shift=0.0)


@dataclass(frozen=True)
class Toolbox:
    """The models, made once and shared between threads.

    Attributes:
        zoo: the networks.
        faces: finds faces.
        elsewhere: where jobs are carried out that need the networks; None does them here.
    """

    zoo: Zoo
    faces: FaceDetector
    elsewhere: Elsewhere | None = None

    def carry_out(self, job: Job[Result], on_step: OnStep) -> tuple[Result, tuple[str, ...]]:
        """Do a job where it is to be done: ``elsewhere``, or with these networks; as ``here``."""
        if self.elsewhere is not None:
            return self.elsewhere(job, on_step)
        return here(job, self.zoo, on_step)


@dataclass(frozen=True)
class ModelUsed:
    """A network that took part, and the sha256 of its weights file."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Target:
    """A face that results are about, and the box of its crop."""

    face: Face
    box: Box


@dataclass(frozen=True)
class Attack:
    """A picture before and after the round trip.

    Attributes:
        picture: clean, uint8 RGB, H×W×3.
        attacked: the same size; bit-identical outside the attacked boxes.
        faces: all faces found, largest first.
        targets: those that results are about; in the scope "frame" the crops are cut from the
            attacked frame.
        settings: what was asked for.
        models: the restoring network, none for the controls.
    """

    picture: Picture
    attacked: Picture
    faces: tuple[Face, ...]
    targets: tuple[Target, ...]
    settings: Settings
    models: tuple[ModelUsed, ...]


def ignore_step(stage: str, fraction: float) -> None:
    """Take note of nothing: the default where nobody watches the progress."""


def make_toolbox(
    device: str = "auto",
    given: Mapping[str, Path] | None = None,
    detectors: Sequence[str] = (),
    restorers: Sequence[str] = (),
) -> Toolbox:
    """Make the models' holder; shipped weights are loaded when first needed.

    Args:
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        given: files of weights by network name, in place of those that ship.
        detectors: checkpoints of other people's detectors, each as FILE or NAME=FILE, asked after
            those that ship.
        restorers: checkpoints of other people's super-resolution networks, written alike; each is
            a restoring method under its name.

    Raises:
        WeightsError: a GPU was asked for and there is none, a network's name is unknown, or a
            checkpoint is refused.
    """
    place = resolve_device(device)
    zoo = Zoo(
        device,
        given=given,
        added=read_foreign_detectors(detectors, place),
        restorers=read_foreign_super_resolutions(restorers, place),
    )
    return Toolbox(zoo=zoo, faces=FaceDetector())


def attack_picture(
    picture: Picture, settings: Settings, toolbox: Toolbox, on_step: OnStep = ignore_step
) -> Attack:
    """Send a picture's faces, or the whole frame, through the round trip; ask no detector.

    Where crops overlap, each is cut from the clean picture and pasted largest first, so that the
    smaller one lies on top and no pixel goes through the round trip twice; of two equally large
    ones the lower lies on top, or the one further right. They go through EDSR one by one, since
    they differ in size.

    Args:
        picture: uint8 RGB, H×W×3.
        settings: what to do.
        toolbox: the models.
        on_step: called with the stage's name and the finished fraction in [0, 1] before each
            stage; whatever it raises stops the work.

    Returns:
        The picture before and after, with the faces that were found and chosen.

    Raises:
        ImageError: the array is not a usable picture.
        NoFaceError: no face was found, and neither a box nor the whole picture was asked for.
        SettingsError: the chosen face or box is not in the picture, or the restoring method is
            unknown or cannot undo K.
        WeightsError: the restoring network's weights are refused.
    """
    picture, found = find_faces(picture, settings, toolbox, on_step)
    return attack_found(picture, found, settings, toolbox.zoo, on_step)


def find_faces(
    picture: Picture, settings: Settings, toolbox: Toolbox, on_step: OnStep = ignore_step
) -> tuple[Picture, tuple[Face, ...]]:
    """Do what comes before ``attack_found``, without the networks of the zoo.

    Returns:
        The checked picture, and all its faces, largest first.

    Raises:
        ImageError: the array is not a usable picture.
        SettingsError: the restoring method is unknown or cannot undo K.
    """
    picture = check_picture(picture)
    restoring_scale(settings.k, settings.method, toolbox.zoo)
    on_step("Finding faces", 0.0)
    return picture, toolbox.faces.find(picture)


def attack_found(
    picture: Picture,
    found: tuple[Face, ...],
    settings: Settings,
    zoo: Zoo,
    on_step: OnStep = ignore_step,
) -> Attack:
    """Do what ``attack_picture`` does, once the faces are found.

    Args:
        picture: uint8 RGB, H×W×3, checked.
        found: all its faces, largest first.
        settings: what to do.
        zoo: the loaded networks.
        on_step: as for ``attack_picture``.

    Returns:
        The picture before and after.

    Raises:
        NoFaceError: as ``attack_picture``, and so are the next two.
        SettingsError: the chosen face or box is not in the picture.
        WeightsError: the restoring network's weights are refused.
    """
    targets = find_targets(picture, found, settings, zoo)
    attacked = picture
    boxes = _boxes_to_attack(picture, targets, settings)
    for index, box in enumerate(boxes):
        on_step("Round trip", 0.1 + 0.4 * index / len(boxes))
        crop = round_trip(cut(picture, box), settings.k, settings.method, settings.kernel, zoo)
        attacked = paste(attacked, crop, box)
    return Attack(
        picture=picture,
        attacked=attacked,
        faces=found,
        targets=targets,
        settings=settings,
        models=_restorer(settings, zoo),
    )


def find_targets(
    picture: Picture, found: tuple[Face, ...], settings: Settings, zoo: Zoo
) -> tuple[Target, ...]:
    """Return the faces that results are about, in the order of ``found``.

    Raises:
        NoFaceError: there is none, and neither a box nor the whole picture was asked for.
        SettingsError: the chosen face or box is not in the picture.
    """
    policy = shared_policy(zoo)
    return tuple(
        Target(face, crop_box(face, policy, picture.shape[:2]))
        for face in chosen_faces(picture, found, settings)
    )


def shared_policy(zoo: Zoo) -> CropPolicy:
    """Return the crop policy that decides which box is attacked: the first working detector's.

    A detector with another policy is shown its own crop of the same attacked picture.
    """
    for name in zoo.detector_names:
        try:
            return zoo.detector(name).card.crop
        except WeightsError:
            continue
    return FACE_ITSELF


def attacked_pixels(picture: Picture, chosen: Sequence[Face], settings: Settings) -> int:
    """Return how many px go through one round trip, but for the margins of the crops."""
    if settings.scope == "frame":
        return math.prod(picture.shape[:2])
    return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in (face.box for face in chosen))


def chosen_faces(picture: Picture, found: tuple[Face, ...], settings: Settings) -> tuple[Face, ...]:
    """Return the faces that are meant, in the order of ``found``; errors as ``find_targets``."""
    if settings.box is not None:
        return (box_from_hand(picture, settings.box),)
    if settings.whole:
        return (whole_picture(picture),)
    if not found:
        raise NoFaceError(
            "No face was found in this picture. Draw a box around the face, or take the whole "
            "picture as one."
        )
    if settings.face >= len(found):
        count = f"{len(found)} faces were" if len(found) > 1 else "one face was"
        raise SettingsError(
            f"Face {settings.face + 1} was asked for, but {count} found. "
            f"Choose {'1' if len(found) == 1 else f'a number from 1 to {len(found)}'}."
        )
    return (found[settings.face],) if settings.scope == "face" else found


def _boxes_to_attack(
    picture: Picture, targets: Sequence[Target], settings: Settings
) -> tuple[Box, ...]:
    if settings.scope == "frame":
        return ((0, 0, picture.shape[1], picture.shape[0]),)
    return tuple(sorted((target.box for target in targets), key=_pasting_order))


def _pasting_order(box: Box) -> tuple[int, ...]:
    x0, y0, x1, y1 = box
    return -(x1 - x0) * (y1 - y0), y0, x0, y1, x1


def _restorer(settings: Settings, zoo: Zoo) -> tuple[ModelUsed, ...]:
    scale = restoring_scale(settings.k, settings.method, zoo)
    weights = restoring_weights(settings.method, scale, zoo)
    return () if weights is None else (ModelUsed(*weights),)
