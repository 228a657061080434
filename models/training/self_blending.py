"""Self-blended fakes: a pristine face blended with a transformed copy of itself.

Source: Shiohara and Yamasaki, "Detecting Deepfakes with Self-Blended Images", CVPR 2022,
section 3. The copy is shifted, resized, recoloured, blurred or sharpened and laid under a soft,
deformed oval mask. What remains is what every face swap leaves behind: a seam, and two
statistics in one face.
"""

import cv2
import numpy as np
import numpy.typing as npt


def self_blend(
    crop: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Blend a face crop with a transformed copy of itself.

    Args:
        crop: A pristine face that fills the frame, H×W×3, uint8 RGB.
        rng: The source of every random choice.

    Returns:
        The blended crop (H×W×3, uint8 RGB) and the mask it was blended with (H×W, float32 in
        [0, 1]; 1 where the copy lies).
    """
    copy = _recolour(_displace(crop, rng), rng)
    mask = _face_mask(crop.shape[0], crop.shape[1], rng)
    blended = crop + mask[..., None] * (copy - crop.astype(np.float32))
    return np.clip(np.rint(blended), 0, 255).astype(np.uint8), mask


def _displace(crop: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Shift and scale the copy by a few per cent, so that features do not meet exactly."""
    height, width = crop.shape[:2]
    zoom_x, zoom_y = rng.uniform(0.95, 1.05, 2)
    shift_x, shift_y = rng.uniform(-0.03, 0.03, 2) * (width, height)
    matrix = np.array(
        [
            [zoom_x, 0, (1 - zoom_x) * width / 2 + shift_x],
            [0, zoom_y, (1 - zoom_y) * height / 2 + shift_y],
        ]
    )
    moved = cv2.warpAffine(
        crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(moved, np.float32)


def _recolour(copy: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Give the copy other colours, and a sharpness of its own."""
    gain = rng.uniform(0.88, 1.12, 3)
    offset = rng.uniform(-12, 12) + rng.uniform(-8, 8, 3)
    copy = (copy - 128) * gain.astype(np.float32) + 128 + offset.astype(np.float32)
    blurred = cv2.GaussianBlur(copy, (0, 0), float(rng.uniform(0.6, 1.8)))
    # From fully blurred (1) over untouched (0) to sharpened (-0.6).
    amount = np.float32(rng.uniform(-0.6, 1.0))
    return np.asarray(np.clip(copy + amount * (blurred - copy), 0, 255), np.float32)


def _face_mask(height: int, width: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Draw a soft, deformed oval over the inner face."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = 1 + rng.uniform(-0.12, 0.12, angles.size)
    radius_x, radius_y = rng.uniform(0.22, 0.40) * width, rng.uniform(0.26, 0.44) * height
    centre_x, centre_y = rng.uniform(0.45, 0.55) * width, rng.uniform(0.46, 0.58) * height
    outline = np.stack(
        [
            centre_x + radius_x * wobble * np.cos(angles),
            centre_y + radius_y * wobble * np.sin(angles),
        ],
        axis=1,
    )
    mask = np.zeros((height, width), np.float32)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1.0)
    softness = float(rng.uniform(0.01, 0.06)) * width
    mask = cv2.GaussianBlur(mask, (0, 0), softness)
    opacity = rng.choice([0.5, 0.75, 1.0, 1.0, 1.0])
    return np.asarray(np.clip(mask * opacity, 0, 1), np.float32)
