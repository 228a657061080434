"""One sample before and after every round trip of a study: a row for each detector.

The numbers are those of ``core.analysis.analyse`` for the same picture and settings: both go
through ``attack_found``, ``score_crops`` and ``measure``. What a study saves is looking for the
face, and asking about the clean crop, once for each round trip.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from demo.core.analysis import Toolbox
from demo.core.faces import crop_box, cut
from demo.core.images import Picture, check_picture, digest
from demo.core.picture_attack import attack_found
from demo.core.quality import Quality, measure
from demo.core.scoring import score_crops
from demo.core.settings import Settings
from demo.study.published import PublishedQuality, measure_as_published
from demo.study.samples import Sample
from models.loading import LoadedDetector

CLEAN: Final = "clean"
SAME: Final = Quality(ssim=1.0, psnr_db=math.inf, mean_difference=0.0, max_difference=0)
SAME_AS_PUBLISHED: Final = PublishedQuality(ssim=1.0, psnr_db=math.inf)


@dataclass(frozen=True)
class Row:
    """What one detector says about one sample, clean or after one round trip.

    Attributes:
        sample: its name.
        forgery: the manipulation method, or ``samples.PRISTINE``.
        source: the video behind it.
        picture_sha256: of the decoded picture.
        face_side: geometric mean of the sides of the attacked box, px; of the face before the data
            set resized it, where the data set says so.
        method: who restored; ``CLEAN`` without a round trip.
        k: scale factor; 1 without a round trip.
        detector: its name, as on its card.
        trained_on: the forgery that it was trained on alone; empty where it was asked about all.
        threshold: the card's, a probability.
        logit: log-odds of being fake, as the network gave it.
        ssim: of the attacked box to the clean one; 1 without a round trip.
        psnr_db: of the same; infinite without a round trip.
        published_ssim: as ``published.measure_as_published``.
        published_psnr_db: as ``published.measure_as_published``.
    """

    sample: str
    forgery: str
    source: str
    picture_sha256: str
    face_side: float
    method: str
    k: float
    detector: str
    trained_on: str
    threshold: float
    logit: float
    ssim: float
    psnr_db: float
    published_ssim: float
    published_psnr_db: float


def measure_sample(
    sample: Sample,
    picture: Picture,
    crops: bool,
    round_trips: Sequence[Settings],
    detectors: Sequence[LoadedDetector],
    toolbox: Toolbox,
) -> list[Row]:
    """Ask detectors about a sample's largest face, clean and after every round trip.

    One that was trained on a forgery alone is asked about its fakes and about pristine pictures.

    Args:
        sample: where the picture comes from.
        picture: uint8 RGB, H×W×3.
        crops: whether it is a face crop, as the settings then say too (``whole``).
        round_trips: one or more settings that differ in K, method or kernel only.
        detectors: those of the study.
        toolbox: the models.

    Returns:
        Rows by detector; first the clean one, then one for each round trip.

    Raises:
        DemoError: the picture is unusable or no face was found.
    """
    picture = check_picture(picture)
    found = () if crops or sample.box else toolbox.faces.find(picture)
    if sample.box is not None:
        round_trips = [replace(one, box=sample.box) for one in round_trips]
    attacks = [attack_found(picture, found, one, toolbox.zoo) for one in round_trips]
    (target,) = attacks[0].targets
    pictures = [picture, *(attack.attacked for attack in attacks)]
    faces = [cut(one, target.box) for one in pictures]
    likeness = [(SAME, SAME_AS_PUBLISHED), *(_likeness(faces[0], one) for one in faces[1:])]
    asked = [(CLEAN, 1.0), *((one.method, one.k) for one in round_trips)]
    height, width = faces[0].shape[:2]
    side = sample.native_side or (height * width) ** 0.5
    sha256 = digest(picture)
    rows: list[Row] = []
    for loaded in detectors:
        if sample.fake and loaded.trained_on not in ("", sample.forgery):
            continue
        box = crop_box(target.face, loaded.card.crop, picture.shape[:2])
        logits = score_crops(loaded, [cut(one, box) for one in pictures], toolbox.zoo.device)
        rows += [
            Row(
                sample=sample.name,
                forgery=sample.forgery,
                source=sample.source,
                picture_sha256=sha256,
                face_side=side,
                method=method,
                k=k,
                detector=loaded.card.name,
                trained_on=loaded.trained_on,
                threshold=loaded.card.threshold,
                logit=logit,
                ssim=right.ssim,
                psnr_db=right.psnr_db,
                published_ssim=published.ssim,
                published_psnr_db=published.psnr_db,
            )
            for (method, k), logit, (right, published) in zip(asked, logits, likeness, strict=True)
        ]
    return rows


def _likeness(clean: Picture, attacked: Picture) -> tuple[Quality, PublishedQuality]:
    right = measure(clean, attacked)
    return right, measure_as_published(clean, attacked, right)
