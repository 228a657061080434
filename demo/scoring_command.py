"""`python -m demo score`: fake probabilities of a picture, or of a folder of pictures."""

from __future__ import annotations

import argparse
import json
import mimetypes
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.commands import MakeToolbox, say, toolbox_for
from demo.core.errors import DemoError, ImageError, NoFaceError, WeightsError
from demo.core.faces import crop_box, cut
from demo.core.images import Picture, read_picture
from demo.core.picture_attack import Toolbox
from demo.core.scoring import BATCH, called, probability, score_crops
from models.loading import LoadedDetector


@dataclass(frozen=True)
class _Read:
    """One picture of a folder: a crop for each detector, or the sentence that refuses it."""

    path: Path
    crops: dict[str, Picture]
    refusal: str | None


def score_command(options: argparse.Namespace, make: MakeToolbox) -> bool:
    """Ask every detector about a picture, or about each picture of a folder, in batches.

    Returns:
        Whether any picture of a folder was refused.

    Raises:
        DemoError: the only picture was refused, the folder holds none, or no detector works.
    """
    alone = not os.path.isdir(options.picture)
    paths = [options.picture] if alone else pictures_in(options.picture)
    if alone:
        # So that a bad picture is refused at once, before any weights are loaded.
        read_picture(options.picture)
    toolbox = toolbox_for(options, make)
    detectors = toolbox.zoo.detectors()
    problems = toolbox.zoo.problems()
    if not detectors:
        raise WeightsError(next(iter(problems.values())))
    say(problems.values())
    refused = False
    for start in range(0, len(paths), BATCH):
        batch = [
            _read_crops(path, detectors, toolbox, options.crops)
            for path in paths[start : start + BATCH]
        ]
        if alone and batch[0].refusal is not None:
            raise ImageError(batch[0].refusal)
        refused = refused or any(one.refusal is not None for one in batch)
        for line in _score_batch(batch, detectors, toolbox, options.json):
            print(line, flush=True)
    return refused


def pictures_in(folder: Path) -> list[Path]:
    """Return the files directly in a folder that are named as pictures, sorted by name.

    Any image format counts by its ending, so that one that cannot be read is refused aloud.

    Raises:
        ImageError: there are none, or the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:
        raise ImageError(
            "A folder of pictures was expected, but it cannot be read. Choose another one."
        ) from None
    pictures = [
        path for path in paths if (mimetypes.guess_type(path.name)[0] or "").startswith("image/")
    ]
    if not pictures:
        raise ImageError(
            "A folder of pictures was expected, but there is none in it. Name a folder with JPEG, "
            "PNG, WebP or BMP files; folders inside it are not searched."
        )
    return pictures


def _read_crops(
    path: Path, detectors: Sequence[LoadedDetector], toolbox: Toolbox, crops: bool
) -> _Read:
    try:
        picture = read_picture(path)
        if crops:
            return _Read(path, {loaded.card.name: picture for loaded in detectors}, None)
        faces = toolbox.faces.find(picture)
        if not faces:
            raise NoFaceError(
                "No face was found in this picture. If it is a face crop already, say so with "
                "--crops."
            )
    except DemoError as refused:
        return _Read(path, {}, str(refused))
    cuts: dict[str, Picture] = {
        loaded.card.name: cut(picture, crop_box(faces[0], loaded.card.crop, picture.shape[:2]))
        for loaded in detectors
    }
    return _Read(path, cuts, None)


def _score_batch(
    batch: Sequence[_Read], detectors: Sequence[LoadedDetector], toolbox: Toolbox, as_json: bool
) -> Iterator[str]:
    usable = [one for one in batch if one.refusal is None]
    scores: dict[Path, dict[str, float]] = {one.path: {} for one in usable}
    for loaded in detectors:
        crops = [one.crops[loaded.card.name] for one in usable]
        for one, logit in zip(usable, score_crops(loaded, crops, toolbox.zoo.device), strict=True):
            scores[one.path][loaded.card.name] = probability(logit)
    for one in batch:
        said = scores.get(one.path, {})
        yield (_score_json if as_json else _score_text)(one, said, detectors)


def _score_json(
    one: _Read, scores: Mapping[str, float], detectors: Sequence[LoadedDetector]
) -> str:
    if one.refusal is not None:
        return json.dumps({"file": one.path.name, "error": one.refusal})
    said = {
        loaded.card.name: {
            "fake_probability": scores[loaded.card.name],
            "threshold": loaded.card.threshold,
            "fake": scores[loaded.card.name] >= loaded.card.threshold,
        }
        for loaded in detectors
    }
    return json.dumps({"file": one.path.name, "detectors": said})


def _score_text(
    one: _Read, scores: Mapping[str, float], detectors: Sequence[LoadedDetector]
) -> str:
    if one.refusal is not None:
        return f"{one.path.name}: {one.refusal}"
    said = (
        f"{loaded.card.title} {scores[loaded.card.name]:.3f} "
        f"({called(scores[loaded.card.name] >= loaded.card.threshold)})"
        for loaded in detectors
    )
    return f"{one.path.name}: {', '.join(said)}"
