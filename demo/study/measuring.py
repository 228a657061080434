"""One sample before and after every attack of a study: a row for each detector.

The numbers are those of ``core.analysis.analyse`` for the same picture and settings: both go
through ``attack_found``, ``score_crops`` and ``measure``. What a study saves is looking for the
face, and asking about the clean crop, once for each round trip.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from demo.core.defences import Defence
from demo.core.errors import ImageError
from demo.core.faces import Box, crop_box, cut
from demo.core.images import Picture, check_picture, digest
from demo.core.judges import Judge, defence_judge, detector_judge
from demo.core.picture_attack import Attack, Toolbox, attack_found
from demo.core.quality import Quality, measure
from demo.core.settings import Settings
from demo.study.published import PublishedQuality, measure_as_published
from demo.study.samples import Sample
from models.loading import LoadedDetector
from models.training.distortions import reencode_jpeg
from models.zoo import Zoo

CLEAN: Final = "clean"
JPEG: Final = "jpeg60"
PGD: Final = "pgd"
JPEG_QUALITY: Final = 60
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
        method: who restored; without a round trip ``CLEAN``, ``JPEG`` or ``PGD``.
        k: scale factor; 1 without a round trip.
        detector: its name, as on its card.
        trained_on: the forgery that it was trained on alone; empty where it was asked about all.
        threshold: the card's, a probability.
        logit: log-odds of being fake, as the network gave it.
        ssim: of the attacked box to the clean one, of PGD the detector's own crop; 1 for ``CLEAN``.
        psnr_db: of the same; infinite for ``CLEAN``.
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


@dataclass(frozen=True)
class _Condition:
    """A picture as it is asked about, and what was done to it."""

    method: str
    k: float
    picture: Picture
    right: Quality
    published: PublishedQuality


def measure_sample(
    sample: Sample,
    picture: Picture,
    crops: bool,
    round_trips: Sequence[Settings],
    judges: Sequence[Judge],
    toolbox: Toolbox,
    jpeg: bool = False,
    white_box: bool = False,
) -> list[Row]:
    """Ask detectors about a sample's largest face, clean and after every round trip.

    One that was trained on a forgery alone is asked about its fakes and about pristine pictures.

    Args:
        sample: where the picture comes from.
        picture: uint8 RGB, H×W×3.
        crops: whether it is a face crop, as the settings then say too (``whole``).
        round_trips: one or more settings that differ in K, method or kernel only.
        judges: those of the study.
        toolbox: the models.
        jpeg: whether they are also asked about the picture as a JPEG of ``JPEG_QUALITY``.
        white_box: whether each is also attacked by PGD, against its own network, at the PSNR that
            the round trip by EDSR at K = 2 gives the very same crop; a crop for which it finds no
            such change stays as it is.

    Returns:
        Rows by detector; first the clean one, then one for each round trip, ``JPEG``, ``PGD``.

    Raises:
        DemoError: the picture is unusable or no face was found.
    """
    picture = check_picture(picture)
    found = () if crops or sample.box else toolbox.faces.find(picture)
    if sample.box is not None:
        round_trips = [replace(one, box=sample.box) for one in round_trips]
    attacks = [attack_found(picture, found, one, toolbox.zoo) for one in round_trips]
    (target,) = attacks[0].targets
    face = cut(picture, target.box)
    conditions = [
        _Condition(CLEAN, 1.0, picture, SAME, SAME_AS_PUBLISHED),
        *(
            _condition(one.settings.method, one.settings.k, one.attacked, face, target.box)
            for one in attacks
        ),
    ]
    if jpeg:
        encoded = reencode_jpeg(picture, JPEG_QUALITY)
        conditions.append(_condition(JPEG, 1.0, encoded, face, target.box))
    reference = _reference(attacks, toolbox) if white_box else None
    height, width = face.shape[:2]
    side = sample.native_side or (height * width) ** 0.5
    sha256 = digest(picture)
    perturbed: dict[str, Picture] = {}
    rows: list[Row] = []
    for judge in judges:
        loaded = judge.network
        if sample.fake and loaded.trained_on not in ("", sample.forgery):
            continue
        box = crop_box(target.face, loaded.card.crop, picture.shape[:2])
        asked = [cut(one.picture, box) for one in conditions]
        said = list(conditions)
        if reference is not None:
            name = loaded.card.name
            if name not in perturbed:
                perturbed[name] = _perturbed(loaded, asked[0], cut(reference, box), sample.fake)
            asked.append(perturbed[name])
            whole = (0, 0, box[2] - box[0], box[3] - box[1])
            said.append(_condition(PGD, 1.0, perturbed[name], asked[0], whole))
        rows += [
            Row(
                sample=sample.name,
                forgery=sample.forgery,
                source=sample.source,
                picture_sha256=sha256,
                face_side=side,
                method=one.method,
                k=one.k,
                detector=judge.name,
                trained_on=loaded.trained_on,
                threshold=loaded.card.threshold,
                logit=logit,
                ssim=one.right.ssim,
                psnr_db=one.right.psnr_db,
                published_ssim=one.published.ssim,
                published_psnr_db=one.published.psnr_db,
            )
            for one, logit in zip(said, judge.ask(asked), strict=True)
        ]
    return rows


def study_judges(
    detectors: Sequence[LoadedDetector], defences: Sequence[Defence], zoo: Zoo
) -> tuple[Judge, ...]:
    """Whom a study asks, detectors first.

    Raises:
        WeightsError: a defence is refused.
    """
    return (
        *(detector_judge(one, zoo) for one in detectors),
        *(defence_judge(one, zoo) for one in defences),
    )


def _condition(
    method: str, k: float, picture: Picture, clean_face: Picture, box: Box
) -> _Condition:
    face = cut(picture, box)
    right = measure(clean_face, face)
    return _Condition(method, k, picture, right, measure_as_published(clean_face, face, right))


def _reference(attacks: Sequence[Attack], toolbox: Toolbox) -> Picture:
    """The picture after the round trip whose PSNR a gradient attack is given."""
    first = attacks[0]
    wanted = replace(first.settings, k=2.0, method="edsr")
    for attack in attacks:
        if attack.settings == wanted:
            return attack.attacked
    return attack_found(first.picture, first.faces, wanted, toolbox.zoo).attacked


def _perturbed(loaded: LoadedDetector, clean: Picture, restored: Picture, fake: bool) -> Picture:
    """A crop after PGD, as far from the clean one as the restored one is."""
    # Only here: foolbox takes a second to import, and few studies attack by gradients.
    from demo.core.white_box import attack_at_equal_psnr, root_mean_square

    try:
        return attack_at_equal_psnr(loaded, clean, root_mean_square(clean, restored), fake)
    except ImageError:
        return clean
