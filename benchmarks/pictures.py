"""Pictures to measure with, all of the astronaut: faces that are really found."""

import cv2
import numpy as np

from demo.core.images import Picture

FRAME_HEIGHT, FRAME_WIDTH = 1080, 1920
GREY = 90
# Her head and shoulders: four abreast fill the frame, and her face is then 186 px wide.
LEFT, TOP, SIDE = 110, 20, 240
PORTRAIT_SIDE = 480
# The found face's crop in the astronaut's picture of 512 px.
FACE_LEFT, FACE_TOP, FACE_SIDE = 178, 78, 93


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """A picture enlarged to a size."""
    size = (width, height)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def frame_of_faces(astronaut: Picture, faces: int) -> Picture:
    """A 1080p frame with 1 to 8 faces, four a row: uint8 RGB 1080×1920×3."""
    part = astronaut[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    portrait = scaled(part, PORTRAIT_SIDE, PORTRAIT_SIDE)
    frame = np.full((FRAME_HEIGHT, FRAME_WIDTH, 3), GREY, np.uint8)
    for index in range(faces):
        row, column = divmod(index, FRAME_WIDTH // PORTRAIT_SIDE)
        y, x = row * PORTRAIT_SIDE, column * PORTRAIT_SIDE
        frame[y : y + PORTRAIT_SIDE, x : x + PORTRAIT_SIDE] = portrait
    return frame


def face_of(astronaut: Picture, side: int) -> Picture:
    """The face alone, side×side px, to be taken whole."""
    rows = slice(FACE_TOP, FACE_TOP + FACE_SIDE)
    return scaled(astronaut[rows, FACE_LEFT : FACE_LEFT + FACE_SIDE], side, side)
