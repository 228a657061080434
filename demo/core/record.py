"""Analysis → the record a person can keep: every number shown, and where it came from.

The record holds no pixel, no file name and no time: the same picture and settings on the same
machine give the same text. Faces are numbered from 1, as people count them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Final

from demo import __version__
from demo.core.analysis import Analysis, FaceResult, ModelUsed
from demo.core.faces import Face
from demo.core.images import digest
from demo.core.picture_attack import Attack
from demo.core.quality import Quality
from demo.core.round_trip_detection import RoundTripOpinion, RoundTripVerdict
from demo.core.scoring import DetectorScore
from demo.core.settings import Settings

FORMAT: Final = 2
SOFTWARE: Final = f"super-resolution-robustness {__version__}"

Json = dict[str, object]


def record(analysis: Analysis) -> Json:
    """Put an analysis into plain values that JSON can hold.

    Boxes are (x0, y0, x1, y1) in px, half-open; probabilities are in [0, 1]; PSNR is in dB, and
    null where the crops are identical, which ``identical`` says; differences are in 8-bit levels.
    What is seen of a round trip is null where nothing could be said of the crop.
    """
    return {
        **attack_record(analysis),
        "results": [_result(result, analysis.faces) for result in analysis.results],
        "device": analysis.device,
        "problems": list(analysis.problems),
        "versions": dict(analysis.versions),
    }


def attack_record(made: Analysis | Attack) -> Json:
    """Put what was done to a picture, without scores, into plain values that JSON can hold."""
    height, width = made.picture.shape[:2]
    return {
        "format": FORMAT,
        "settings": _settings(made.settings),
        "picture": {"width": width, "height": height, "sha256": digest(made.picture)},
        "attacked": {"width": width, "height": height, "sha256": digest(made.attacked)},
        "faces": [_face(face) | {"number": number} for number, face in enumerate(made.faces, 1)],
        "models": [{"name": model.name, "sha256": model.sha256} for model in made.models],
    }


def record_json(analysis: Analysis) -> str:
    """Return ``record`` as indented JSON text, keys in a fixed order, ending in a newline."""
    return json.dumps(record(analysis), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def mark(made: Analysis | Attack) -> dict[str, str]:
    """Return the text chunks that say what an attacked picture is, for ``images.encode_png``."""
    settings = made.settings
    meant = {"face": "one face", "faces": "all faces", "frame": "the whole frame"}[settings.scope]
    return {
        "Software": SOFTWARE,
        "Description": (
            f"Super-resolution round trip: {meant} of this picture was shrunk by 1/{settings.k:g} "
            f"and restored by {settings.method}. It is not an original photograph."
        ),
        "K": f"{settings.k:g}",
        "Method": settings.method,
        "Kernel": settings.kernel,
        "Scope": settings.scope,
        **_restorer(settings.method, made.models),
    }


def enlargement_mark(scale: int, method: str, models: Sequence[ModelUsed]) -> dict[str, str]:
    """Return the text chunks of a picture that was only enlarged."""
    return {
        "Software": SOFTWARE,
        "Description": (
            f"Enlarged {scale} times by {method}: details may be invented. "
            "It is not an original photograph."
        ),
        "Scale": str(scale),
        "Method": method,
        **_restorer(method, models),
    }


def _restorer(method: str, models: Sequence[ModelUsed]) -> dict[str, str]:
    for model in models:
        if model.name == method or model.name.startswith(f"{method}_x"):
            return {"Model": model.name, "Model SHA-256": model.sha256}
    return {}


def _settings(settings: Settings) -> Json:
    by_hand = settings.box is not None or settings.whole
    return {
        "k": settings.k,
        "method": settings.method,
        "kernel": settings.kernel,
        "scope": settings.scope,
        "face": None if by_hand else settings.face + 1,
        "box": None if settings.box is None else list(settings.box),
        "whole": settings.whole,
    }


def _face(face: Face) -> Json:
    return {
        "box": list(face.box),
        "source": face.source,
        "probability": face.probability,
        "landmarks": [list(point) for point in face.landmarks],
    }


def _result(result: FaceResult, found: Sequence[Face]) -> Json:
    return {
        "face": found.index(result.face) + 1 if result.face in found else None,
        "source": result.face.source,
        "face_box": list(result.face.box),
        "crop_box": list(result.box),
        "quality": _quality(result.quality),
        "scores": [score_record(score) for score in result.scores],
        "round_trip": {
            "clean": _round_trip(result.clean_round_trip),
            "attacked": _round_trip(result.attacked_round_trip),
        },
    }


def _quality(quality: Quality) -> Json:
    identical = math.isinf(quality.psnr_db)
    return {
        "ssim": quality.ssim,
        "psnr_db": None if identical else quality.psnr_db,
        "identical": identical,
        "mean_difference": quality.mean_difference,
        "max_difference": quality.max_difference,
    }


def score_record(score: DetectorScore) -> Json:
    """Put what a detector says about a crop, clean and attacked, into plain values."""
    return {
        "detector": score.detector,
        "title": score.title,
        "threshold": score.threshold,
        "clean": score.clean,
        "attacked": score.attacked,
        "clean_logit": score.clean_logit,
        "attacked_logit": score.attacked_logit,
        "clean_fake": score.clean_fake,
        "attacked_fake": score.attacked_fake,
        "flipped": score.flipped,
    }


def _round_trip(verdict: RoundTripVerdict | None) -> Json | None:
    if verdict is None:
        return None
    return {"linear": _opinion(verdict.linear), "network": _opinion(verdict.network)}


def _opinion(opinion: RoundTripOpinion) -> Json:
    return {
        "probability": opinion.probability,
        "threshold": opinion.threshold,
        "fired": opinion.fired,
        "k": opinion.k,
    }
