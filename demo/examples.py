"""The example pictures: a public-domain photograph, and fakes of it made by this project.

``python -m demo.examples`` writes their files again, byte for byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage

from demo.core.faces import Box, cut, paste
from demo.core.images import Picture, digest, encode_png, read_picture
from models.training.self_blending import self_blend

FOLDER = Path(__file__).parents[1] / "assets" / "examples"
# The crop that the detectors are shown, so that seams lie where they look.
ASTRONAUT_FACE: Box = (178, 78, 271, 171)


@dataclass(frozen=True)
class Example:
    """A picture that the page offers.

    Attributes:
        path: its PNG file.
        title: what it is: a photograph, or made.
        seed: of the self-blending that made it; None for the photograph itself.
    """

    path: Path
    title: str
    seed: int | None


EXAMPLES = (
    Example(FOLDER / "astronaut.png", "Photograph", None),
    Example(FOLDER / "self-blended-1.png", "Made 1", 1),
    Example(FOLDER / "self-blended-2.png", "Made 2", 2),
    Example(FOLDER / "self-blended-3.png", "Made 3", 3),
)


def make(example: Example) -> bytes:
    """Returns an example's file: PNG, whose text says what the picture is."""
    photograph = skimage.data.astronaut()
    source = "NASA photograph of Eileen Collins, public domain, from scikit-image."
    if example.seed is None:
        return encode_png(photograph, {"Description": source})
    made = self_blended(photograph, ASTRONAUT_FACE, example.seed)
    text = f"Made, not photographed: face self-blended with seed {example.seed}. {source}"
    return encode_png(made, {"Description": text})


def example_of(sha256: str) -> Example | None:
    """Returns the example whose picture has this ``images.digest``; None where there is none."""
    for example in EXAMPLES:
        if digest(read_picture(example.path)) == sha256:
            return example
    return None


def self_blended(photograph: Picture, box: Box, seed: int) -> Picture:
    """Blends the face with a changed copy of itself; uint8 RGB, untouched outside the box."""
    blended, _ = self_blend(cut(photograph, box), np.random.default_rng(seed))
    return paste(photograph, blended, box)


def main(examples: Sequence[Example] = EXAMPLES) -> None:
    """Writes every example's file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for example in examples:
        example.path.write_bytes(make(example))


if __name__ == "__main__":
    main()
