"""A figure sheet made of nothing that can move: an example's pixels, block means, written scores.

``python -m tests.sheet.made_sheets`` writes the golden sheet anew. Look at it before committing.
"""

from pathlib import Path

import numpy as np

from demo.core.analysis import Analysis, FaceResult, ModelUsed, Settings
from demo.core.faces import Box, Face
from demo.core.images import Picture, read_picture
from demo.core.quality import measure
from demo.core.scoring import DetectorScore
from demo.examples import ASTRONAUT_FACE, EXAMPLES
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import PictureShown, SheetSettings

GOLDEN = Path(__file__).parent / "golden.png"
GOLDEN_SETTINGS = SheetSettings(width_mm=85)


def made_picture(
    name: str, factors: tuple[int, ...], box: Box = ASTRONAUT_FACE, method: str = "edsr"
) -> PictureShown:
    """The astronaut at whole K; 'attacked' means that blocks of K×K px are averaged."""
    picture = read_picture(EXAMPLES[0].path)
    return PictureShown(name, tuple(_analysis(picture, k, box, method) for k in factors))


def golden_sheet() -> bytes:
    """The sheet that is compared byte for byte."""
    return figure_sheet([made_picture("astronaut.png", (2, 4))], GOLDEN_SETTINGS, "golden.png")


def _analysis(picture: Picture, k: int, box: Box, method: str) -> Analysis:
    x0, y0, x1, y1 = box
    clean = picture[y0:y1, x0:x1].copy()
    attacked = picture.copy()
    attacked[y0:y1, x0:x1] = _block_means(clean, k)
    face = Face(box, 0.99, (), "mtcnn")
    scores = (
        _score("resnet50", "ResNet50", 0.81, 0.81 - 0.12 * k),
        _score("swin_small", "Swin-Small", 0.3, 0.3 + 0.01 * k),
        _score("xception", "XceptionNet", 0.02, 0.01),
    )
    crop = attacked[y0:y1, x0:x1].copy()
    result = FaceResult(face, box, clean, crop, measure(clean, crop), scores)
    models = (ModelUsed(f"edsr_x{k}", f"{k}" * 64), ModelUsed("resnet50", "a" * 64))
    return Analysis(
        picture=picture,
        attacked=attacked,
        faces=(face,),
        results=(result,),
        settings=Settings(k=k, method=method),
        device="cpu",
        models=models,
        problems=(),
        versions=(("super-resolution-robustness", "0"),),
    )


def _block_means(crop: Picture, k: int) -> Picture:
    height, width = crop.shape[:2]
    padded = np.pad(crop, ((0, -height % k), (0, -width % k), (0, 0)), mode="reflect").astype(int)
    rows, columns = padded.shape[0] // k, padded.shape[1] // k
    means = padded.reshape(rows, k, columns, k, 3).sum(axis=(1, 3)) // k**2
    return np.asarray(means.repeat(k, axis=0).repeat(k, axis=1)[:height, :width], np.uint8)


def _score(name: str, title: str, clean: float, attacked: float) -> DetectorScore:
    return DetectorScore(name, title, clean, attacked, 0.0, 0.0, threshold=0.5)


if __name__ == "__main__":
    GOLDEN.write_bytes(golden_sheet())
