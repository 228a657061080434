"""How the paper's training varies a crop: the chain and the chances of its authors' code.

Nothing shrinks and enlarges again, so that neither the attack nor its controls are ever seen.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.training.distortions import reencode_jpeg

Picture = npt.NDArray[np.uint8]


def augment(crop: Picture, rng: np.random.Generator) -> Picture:
    """Draw JPEG, noise, mirroring, grey, and a small shift, scale and turn, each with its chance.

    Args:
        crop: S×S×3, uint8 RGB; left as it is.
        rng: The source of every random choice.

    Returns:
        S×S×3, uint8 RGB.
    """
    jpeg, noise, mirror, grey, move = rng.random(5) < (0.2, 0.3, 0.5, 0.2, 0.5)
    if jpeg:
        crop = reencode_jpeg(crop, int(rng.integers(60, 101)))
    if noise:
        grain = rng.normal(0, np.sqrt(rng.uniform(10, 50)), crop.shape)
        crop = np.clip(np.rint(crop + grain), 0, 255).astype(np.uint8)
    if mirror:
        crop = np.ascontiguousarray(crop[:, ::-1])
    if grey:
        crop = np.repeat(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return _move(crop, rng) if move else crop


def _move(crop: Picture, rng: np.random.Generator) -> Picture:
    """Shift by up to a tenth of the side, scale by up to a fifth, turn by up to 5 degrees."""
    side = crop.shape[0]
    matrix = cv2.getRotationMatrix2D(
        ((side - 1) / 2, (side - 1) / 2), rng.uniform(-5, 5), rng.uniform(0.8, 1.2)
    )
    matrix[:, 2] += rng.uniform(-0.1, 0.1, 2) * side
    return np.asarray(cv2.warpAffine(crop, matrix, (side, side)), np.uint8)
