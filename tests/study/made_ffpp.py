"""A small tree in the shape of FaceForensics++, with what goes wrong in a real one."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import skimage

from demo.core.images import Picture

LENGTH = 16
SPLITS = "splits"
DEEPFAKES, FACESWAP = "Deepfakes", "FaceSwap"
MISSING, BROKEN, FACELESS, SHORT, ODD = (
    "Deepfakes/002_003.mp4",
    "Deepfakes/001_000.mp4",
    "FaceSwap/000_001.mp4",
    "FaceSwap/003_002.mp4",
    "pristine/001.mp4",
)
NAMES = (
    *(f"pristine/{one}.mp4" for one in ("000", "001", "002", "003")),
    *(
        f"{forgery}/{one}.mp4"
        for forgery in (DEEPFAKES, FACESWAP)
        for one in ("000_001", "001_000", "002_003", "003_002")
    ),
)


def make_ffpp(root: Path) -> Path:
    """Write two pairs of videos, both forgeries of each at c23, and the split "test" of them.

    One video is missing, one is broken, one has no face, one has a single frame and one odd sides.
    """
    (root / SPLITS).mkdir(parents=True)
    (root / SPLITS / "test.json").write_text('[["000", "001"], ["002", "003"]]')
    for number, name in enumerate(NAMES):
        file = place(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        if name == BROKEN:
            file.write_bytes(b"no video")
        elif name != MISSING:
            frames = _grey() if name == FACELESS else _faces(number)
            write_video(file, frames[:1] if name == SHORT else frames, odd=name == ODD)
    return root


def place(root: Path, name: str) -> Path:
    """Where a video lies."""
    forgery, _, file = name.partition("/")
    pristine = forgery == "pristine"
    folder = "original_sequences/youtube" if pristine else f"manipulated_sequences/{forgery}"
    return root / folder / "c23" / "videos" / file


def write_video(file: Path, frames: Sequence[Picture], odd: bool = False) -> None:
    """Write RGB frames of one size; OpenCV keeps odd sides only as Motion JPEG in an AVI."""
    height, width = frames[0].shape[:2]
    if odd:
        made = file.with_suffix(".avi")
        asked = str(made), cv2.CAP_OPENCV_MJPEG, cv2.VideoWriter.fourcc(*"MJPG")
    else:
        made = file
        asked = str(made), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(*asked, 25.0, (width, height))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    made.replace(file)


def _faces(number: int) -> list[Picture]:
    """The astronaut moving to the right; the side and the light depend on the number."""
    side = 113 if NAMES[number] == ODD else 112
    face = cv2.resize(skimage.data.astronaut()[:288, 80:368], (side, side))
    lit = (face * (1 - 0.03 * number)).astype(np.uint8)
    return [np.roll(lit, step, axis=1) for step in range(LENGTH)]


def _grey() -> list[Picture]:
    return [np.full((112, 112, 3), 90, np.uint8)] * LENGTH
