"""A sweep as rows, one point of one curve each: for charts and tables."""

from dataclasses import dataclass

from demo.core.sweep import Sweep


@dataclass(frozen=True)
class SweepRow:
    """One point of one curve; the fields are those of the records.

    Attributes:
        detector: its name, as on its card.
        title: its name for people.
        method: who restored.
        k: scale factor, from 1.
        probability: of being fake, in [0, 1].
        logit: log-odds behind it.
        threshold: a probability from there on is called fake.
        fake: whether it is.
        flipped: whether the verdict differs from that at K = 1.
        ssim: to the clean crop.
        psnr_db: to the clean crop; infinite at K = 1.
    """

    detector: str
    title: str
    method: str
    k: float
    probability: float
    logit: float
    threshold: float
    fake: bool
    flipped: bool
    ssim: float
    psnr_db: float


def rows(made: Sweep) -> tuple[SweepRow, ...]:
    """Return every point of every curve: by detector, then by method, then by K from 1 up."""
    made_rows = (
        SweepRow(
            detector=score.detector,
            title=score.title,
            method=point.method,
            k=point.k,
            probability=score.attacked,
            logit=score.attacked_logit,
            threshold=score.threshold,
            fake=score.attacked_fake,
            flipped=score.flipped,
            ssim=point.quality.ssim,
            psnr_db=point.quality.psnr_db,
        )
        for point in made.points
        for score in point.scores
    )
    order = {score.detector: place for place, score in enumerate(made.points[0].scores)}
    return tuple(sorted(made_rows, key=lambda row: order[row.detector]))
