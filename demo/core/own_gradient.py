"""One network, attacked along its own gradient and as visibly as a round trip: for scale.

The attacked crop is asked about and let go: no picture comes out of here.
"""

import math
from dataclasses import dataclass
from typing import Final

from demo.core.errors import ImageError
from demo.core.images import Picture
from demo.core.judges import Judge
from demo.core.quality import measure
from demo.core.scoring import DetectorScore, compare

STEPS: Final = 10
NATURE: Final = (
    f"Each network attacked along its own gradient: PGD in L2, {STEPS} steps, against its clean "
    "verdict, with the PSNR that the round trip gives the very same crop. A research figure: "
    "whoever attacks so holds the network's weights, which the round trip never asks for."
)
MASKING: Final = "gradient masking, Athalye et al., ICML 2018, arXiv 1802.00420"


@dataclass(frozen=True)
class GradientScore:
    """What a network says of a crop before and after PGD along its own gradient.

    Attributes:
        score: its answers; ``attacked`` means by PGD.
        psnr_db: of the crop after PGD, in dB; infinite where it stayed as it was.
        round_trip_psnr_db: of the crop after the round trip, which PGD was given; infinite where
            the round trip changed nothing.
    """

    score: DetectorScore
    psnr_db: float
    round_trip_psnr_db: float

    @property
    def found(self) -> bool:
        """Whether PGD found a change of that size.

        It finds none where the gradient is exactly zero. A verdict that stands then is hidden, not
        robust, see ``MASKING``.
        """
        return self.psnr_db < math.inf or self.round_trip_psnr_db == math.inf


def ask_after_gradient(
    judge: Judge, clean: Picture, restored: Picture, said: DetectorScore
) -> GradientScore:
    """Attack a network on a crop, against its own clean verdict, and ask it again.

    Args:
        judge: who is attacked. Of an input policy the gradient is its detector's, for the choice of
            an action has none.
        clean: uint8 RGB, H×W×3, cut as the network wants it.
        restored: the same crop after the round trip.
        said: what the judge said of the clean crop.

    Raises:
        WeightsError: an answer is not finite.
    """
    # Only here: it brings foolbox and SciPy, for a switch that few turn on.
    from demo.core.white_box import attack_at_equal_psnr, root_mean_square

    try:
        error = root_mean_square(clean, restored)
        pushed = attack_at_equal_psnr(judge.network, clean, error, said.clean_fake)
    except ImageError:
        pushed = clean
    (logit,) = judge.ask([pushed])
    return GradientScore(
        score=compare(judge.network, said.clean_logit, logit),
        psnr_db=measure(clean, pushed).psnr_db,
        round_trip_psnr_db=measure(clean, restored).psnr_db,
    )
