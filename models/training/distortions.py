"""Distortions a picture meets on its way: JPEG, blur, noise, colour, shrinking and enlarging.

No learned super-resolution is among them: the plain detectors must never have seen the attack.
"""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def reencode_jpeg(picture: Picture, quality: int) -> Picture:
    """Encode as JPEG and decode again.

    Args:
        picture: H×W×3, uint8 RGB.
        quality: 1 to 100, as OpenCV counts it.

    Returns:
        H×W×3, uint8 RGB.
    """
    bgr = np.ascontiguousarray(picture[..., ::-1])
    encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[..., ::-1])


def distort(picture: Picture, rng: np.random.Generator, strength: float) -> Picture:
    """Draw a chain of distortions; each is applied with the probability `strength`.

    The draws do not depend on the picture: two pictures and two generators of one seed get the
    same chain, as a pair of a real crop and its fake must.

    Args:
        picture: H×W×3, uint8 RGB.
        rng: The source of every random choice.
        strength: Probability of each distortion, 0 to 1.

    Returns:
        H×W×3, uint8 RGB.
    """
    recolour, rescale, blur, noise, jpeg = rng.random(5) < strength
    gain = rng.uniform(0.8, 1.2) * rng.uniform(0.93, 1.07, 3)
    offset = rng.uniform(-20, 20)
    ratio, kernel = rng.uniform(0.5, 0.9), int(rng.integers(3))
    sigma, level, noise_seed = rng.uniform(0.4, 1.4), rng.uniform(1, 8), int(rng.integers(2**31))
    quality = int(rng.integers(45, 96))
    if recolour:
        shifted = (picture.astype(np.float32) - 128) * gain + 128 + offset
        picture = np.clip(np.rint(shifted), 0, 255).astype(np.uint8)
    if rescale:
        picture = _shrink_and_enlarge(picture, ratio, kernel)
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.uint8)
    if noise:
        grain = np.random.default_rng(noise_seed).normal(0, level, picture.shape)
        picture = np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8)
    return reencode_jpeg(picture, quality) if jpeg else picture


def _shrink_and_enlarge(picture: Picture, ratio: float, kernel: int) -> Picture:
    height, width = picture.shape[:2]
    small = cv2.resize(
        picture,
        (max(1, round(width * ratio)), max(1, round(height * ratio))),
        interpolation=cv2.INTER_AREA,
    )
    enlarger = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[kernel]
    return np.asarray(cv2.resize(small, (width, height), interpolation=enlarger), np.uint8)
