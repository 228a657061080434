"""A tiny tree in the shape of FaceForensics++: one face in many lights, its fakes with an oval."""

import json
from pathlib import Path

import cv2
import numpy as np
import skimage

from demo.core.images import Picture
from tests.study.made_ffpp import place, write_video

SIDE = 128
FRAMES = 3
FORGERY = "Deepfakes"
PAIRS = {"train": 8, "val": 3, "test": 4}


def make_tree(root: Path, pairs: dict[str, int] | None = None) -> tuple[Path, Path]:
    """Write videos and splits; return the data's folder and the splits'.

    Of each pair both videos and both fakes are there, as in the original; `pairs` says how many
    a split has.
    """
    data, splits = root / "FF++ größer", root / "splits"
    splits.mkdir(parents=True)
    number = 0
    for split, count in (pairs or PAIRS).items():
        listed = []
        for _ in range(count):
            first, second = f"{number:03d}", f"{number + 1:03d}"
            listed.append([first, second])
            number += 2
            for one, other in ((first, second), (second, first)):
                for name in (f"pristine/{one}.mp4", f"{FORGERY}/{one}_{other}.mp4"):
                    file = place(data, name)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    write_video(file, face_frames(int(one), fake=name.startswith(FORGERY)))
        (splits / f"{split}.json").write_text(json.dumps(listed))
    return data, splits


def face_frames(source: int, fake: bool) -> list[Picture]:
    """Frames of one source: its light and framing vary with the source, a little with the frame."""
    rng = np.random.default_rng(source)
    portrait = skimage.data.astronaut().astype(np.float32)
    gain, offset = rng.uniform(0.8, 1.1) * rng.uniform(0.95, 1.05, 3), rng.uniform(-10, 20)
    left, top, window = rng.integers(100, 130), rng.integers(0, 20), rng.integers(200, 230)
    frames = []
    for _ in range(FRAMES):
        x, y = int(left + rng.integers(-4, 5)), max(0, int(top + rng.integers(-4, 5)))
        lit = portrait[y : y + window, x : x + window] * gain + offset + rng.normal(0, 3)
        if fake:
            # The nose lies at (225, 110) of the portrait.
            mask = np.zeros(lit.shape[:2], np.float32)
            cv2.ellipse(mask, (225 - x, 115 - y), (30, 36), 0, 0, 360, 1.0, -1)
            mask = 0.45 * cv2.GaussianBlur(mask, (0, 0), 4)[..., None]
            lit = lit * (1 - mask) + np.array([20.0, 130.0, 180.0], np.float32) * mask
        clipped = np.clip(np.rint(lit), 0, 255).astype(np.uint8)
        frames.append(np.asarray(cv2.resize(clipped, (SIDE, SIDE), interpolation=cv2.INTER_AREA)))
    return frames
