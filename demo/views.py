"""Pictures made for looking at: the amplified difference, the zoomed window, numbered faces.

Nothing here resamples a pixel that carries a measurement: enlargements repeat whole pixels, and
what is shrunk is for finding one's way.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.core.errors import SettingsError
from demo.core.faces import Box
from demo.core.images import Picture

DIFFERENCE_GAIN = 8.0
FRAME_LIMIT = 1024
CHOSEN = (255, 196, 0)
OTHER = (255, 255, 255)
SHADOW = (0, 0, 0)


def difference(clean: Picture, attacked: Picture, gain: float) -> Picture:
    """Returns what the round trip changed, made visible.

    Args:
        clean: uint8 RGB H×W×3.
        attacked: uint8 RGB H×W×3, the same size.
        gain: factor on the difference, from 1 to 64.

    Returns:
        uint8 RGB H×W×3: |clean - attacked| x gain for each channel, clamped to 255. Black where
        nothing changed.

    Raises:
        SettingsError: the sizes differ, or the gain lies outside its range.
    """
    if clean.shape != attacked.shape:
        raise SettingsError(
            "A difference needs two pictures of the same size; "
            f"these are {_size(clean)} and {_size(attacked)}."
        )
    check_gain(gain)
    apart = np.abs(clean.astype(np.float32) - attacked.astype(np.float32))
    return np.rint(np.minimum(apart * np.float32(gain), 255)).astype(np.uint8)


def check_gain(gain: float) -> None:
    """Refuses a gain of the difference that lies outside its range.

    Raises:
        SettingsError: it is not a number from 1 to 64.
    """
    if not 1 <= gain <= 64:
        raise SettingsError(f"The gain of the difference goes from 1 to 64; {gain:g} came.")


def window_box(picture: Picture, centre: tuple[float, float], window: int) -> Box:
    """Returns the square window around a point, moved to lie inside the picture.

    Args:
        picture: uint8 RGB H×W×3.
        centre: (x, y) in pixels of the picture; a point outside is moved to the edge.
        window: side in pixels; a smaller picture makes it smaller.

    Raises:
        SettingsError: the window is smaller than one pixel or the centre is not a number.
    """
    height, width = picture.shape[:2]
    if window < 1 or not np.isfinite(centre).all():
        raise SettingsError("A zoomed window needs a centre in pixels and a side of 1 or more.")
    across, down = min(window, width), min(window, height)
    left = int(np.clip(round(centre[0] - across / 2), 0, width - across))
    top = int(np.clip(round(centre[1] - down / 2), 0, height - down))
    return left, top, left + across, top + down


def enlarge_pixels(picture: Picture, factor: int) -> Picture:
    """Repeats every pixel ``factor`` times across and down (nearest neighbour, whole factor)."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def whole_factor(sides: Sequence[int], size: int) -> int:
    """Returns the largest whole factor that keeps the longest side within ``size`` pixels."""
    return max(1, size // max(sides))


def zoom(picture: Picture, centre: tuple[float, float], window: int, size: int) -> Picture:
    """Cuts the window around a point and repeats its pixels until it nearly fills ``size``.

    Args:
        picture: uint8 RGB H×W×3.
        centre: (x, y) in pixels of the picture.
        window: side of the window in pixels.
        size: longest side wanted, in pixels; the factor is whole, so it may stay below.

    Returns:
        uint8 RGB, every pixel of the window as a square of equal pixels.
    """
    x0, y0, x1, y1 = window_box(picture, centre, window)
    cut = picture[y0:y1, x0:x1]
    return enlarge_pixels(cut, whole_factor(cut.shape[:2], size))


def outline(picture: Picture, box: Box, factor: int) -> Picture:
    """Repeats pixels ``factor`` times and frames a box with a light and a dark line.

    Args:
        picture: uint8 RGB H×W×3.
        box: in pixels of the picture.
        factor: whole number from 1.

    Returns:
        uint8 RGB (H·factor)×(W·factor)×3. The lines lie just outside the box where there is room,
        so that what it holds stays visible.
    """
    large = enlarge_pixels(picture, factor)
    x0, y0, x1, y1 = (side * factor for side in box)
    line = max(1, factor // 2)
    for reach, colour in ((2 * line, SHADOW), (line, OTHER)):
        _frame_outside(large, (x0, y0, x1, y1), line, reach, colour)
    return large


def frame_scale(picture: Picture, limit: int = FRAME_LIMIT) -> float:
    """Returns the factor, at most 1, that brings the longer side down to ``limit`` pixels."""
    longest: int = max(picture.shape[:2])
    return min(1.0, limit / longest)


def shrunk(picture: Picture, limit: int) -> Picture:
    """Averages a picture over area until its longer side is ``limit`` pixels; never enlarges."""
    scale = frame_scale(picture, limit)
    if scale == 1:
        return picture
    height, width = picture.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def marked_frame(
    picture: Picture,
    boxes: Mapping[str, Box],
    chosen: str | None,
    corner: tuple[float, float] | None = None,
    limit: int = FRAME_LIMIT,
) -> Picture:
    """Draws named boxes on a copy of the picture, no larger than ``limit`` pixels a side.

    Args:
        picture: uint8 RGB H×W×3.
        boxes: name -> box in pixels of the picture; the name is written in its corner.
        chosen: name of the box that is drawn in the accent colour with a thicker line.
        corner: (x, y) in pixels of the picture, marked by a cross: the first corner of a box
            that is being drawn.
        limit: longest side of the result in pixels.

    Returns:
        uint8 RGB, for choosing a face by eye; no measurement is taken from it.
    """
    scale = frame_scale(picture, limit)
    canvas = Image.fromarray(shrunk(picture, limit))
    pen = ImageDraw.Draw(canvas)
    unit = max(1, round(max(canvas.size) / 400))
    for name in sorted(boxes, key=lambda name: name == chosen):
        x0, y0, x1, y1 = (side * scale for side in boxes[name])
        _draw_box(pen, (x0, y0, x1, y1), name, name == chosen, unit)
    if corner is not None:
        _draw_cross(pen, (corner[0] * scale, corner[1] * scale), unit)
    return np.array(canvas)


def _frame_outside(
    picture: Picture, box: Box, line: int, reach: int, colour: tuple[int, int, int]
) -> None:
    left, top, right, bottom = box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
    for x0, y0, x1, y1 in (
        (left, top, right, top + line),
        (left, bottom - line, right, bottom),
        (left, top, left + line, bottom),
        (right - line, top, right, bottom),
    ):
        picture[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = colour


def _draw_box(
    pen: ImageDraw.ImageDraw,
    edges: tuple[float, float, float, float],
    name: str,
    chosen: bool,
    unit: int,
) -> None:
    x0, y0, x1, y1 = edges
    colour = CHOSEN if chosen else OTHER
    line = 2 * unit if chosen else unit
    pen.rectangle((x0 - unit, y0 - unit, x1, y1), outline=SHADOW, width=line + 2 * unit)
    pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=colour, width=line)
    font = ImageFont.load_default(size=max(12, 18 * unit))
    left, top, right, bottom = pen.textbbox((0, 0), name, font=font)
    tag = (x0, y0, x0 + right - left + 6 * unit, y0 + bottom - top + 6 * unit)
    pen.rectangle(tag, fill=colour)
    pen.text((x0 + 3 * unit - left, y0 + 3 * unit - top), name, fill=SHADOW, font=font)


def _draw_cross(pen: ImageDraw.ImageDraw, at: tuple[float, float], unit: int) -> None:
    x, y = at
    arm = 8 * unit
    for colour, width in ((SHADOW, 3 * unit), (CHOSEN, unit)):
        pen.line((x - arm, y, x + arm, y), fill=colour, width=width)
        pen.line((x, y - arm, x, y + arm), fill=colour, width=width)


def _size(picture: Picture) -> str:
    height, width = picture.shape[:2]
    return f"{width} x {height} px"
