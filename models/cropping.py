"""Where a detector wants a face cut out of a picture."""

import math

from models.cards import CropPolicy

Box = tuple[int, int, int, int]


def square_crop(
    box: tuple[float, float, float, float], policy: CropPolicy, size: tuple[int, int]
) -> Box:
    """The square around a detected face that a detector was trained on.

    Args:
        box: The face detector's box (x0, y0, x1, y1), px.
        policy: The detector's.
        size: Height and width of the picture, px.

    Returns:
        A square (x0, y0, x1, y1) in whole px, half-open, moved inside the picture; where the
        picture's shorter side is less than the square's, that shorter side is its side.
    """
    x0, y0, x1, y1 = box
    height, width = size
    wanted = policy.scale * math.sqrt((x1 - x0) * (y1 - y0))
    side = max(1, min(round(wanted), height, width))
    left = round((x0 + x1) / 2 - side / 2)
    top = round((y0 + y1) / 2 + policy.shift * wanted - side / 2)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    return left, top, left + side, top + side
