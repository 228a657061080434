"""What a figure sheet says: its caption, its metadata, and the command that makes it again."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from demo.core.analysis import Analysis
from demo.core.images import digest
from demo.core.scoring import DetectorScore, called
from demo.sheet.settings import PictureShown, SheetSettings

SHORT_HASH = 12
FULL_HASH = 64


@dataclass(frozen=True)
class Magnified:
    """How often a pixel is repeated across and down, and the zoomed window's side in px."""

    panel: int
    zoom: int
    window: int


def caption(
    pictures: Sequence[PictureShown], settings: SheetSettings, magnified: Magnified
) -> list[str]:
    """Return the paragraphs under the panels, all but the command that follows them."""
    paragraphs = []
    for shown in pictures:
        paragraphs.append(_picture(shown))
        paragraphs += [_numbers(analysis) for analysis in shown.analyses]
    problems = [problem for analysis in analyses_of(pictures) for problem in analysis.problems]
    return [
        *paragraphs,
        *dict.fromkeys(problems),
        _reading(settings, magnified),
        f"Models (SHA-256): {_models(pictures, SHORT_HASH)}. {_maker(pictures)}, "
        f"on {pictures[0].analyses[0].device}. A face after a round trip is no original "
        "photograph. The command that makes this sheet again:",
    ]


def command(
    pictures: Sequence[PictureShown], settings: SheetSettings, output: str, more: Sequence[str]
) -> list[str]:
    """Return the words of the command that makes a sheet again; files without their folders.

    Args:
        pictures: on the sheet.
        settings: of the sheet.
        output: name of the sheet's file.
        more: further words, such as ``--detector mine=mine.pt``.
    """
    asked = pictures[0].analyses[0].settings
    words = ["python", "-m", "demo", "sheet", *(shown.name for shown in pictures)]
    words += ["--k", *_factors(pictures), "--method", *methods(pictures), "--kernel", asked.kernel]
    if asked.scope != "face":
        words += ["--scope", asked.scope]
    if asked.whole:
        words.append("--whole")
    elif asked.box is not None:
        words += ["--box", *map(_exact, asked.box)]
    elif asked.face:
        words += ["--face", str(asked.face + 1)]
    words += ["--rows", *settings.rows, "--width", str(settings.width_mm)]
    if "difference" in settings.rows:
        words += ["--gain", _exact(settings.gain)]
    if "zoom" in settings.rows and settings.window is not None:
        words += ["--window", str(settings.window)]
    if "zoom" in settings.rows and settings.at is not None:
        words += ["--at", *map(_exact, settings.at)]
    return [shlex.quote(printable(word)) for word in (*words, *more, "-o", output)]


def sheet_mark(pictures: Sequence[PictureShown], made_by: Sequence[str]) -> dict[str, str]:
    """Return the metadata that says what a sheet holds, with the keywords of ``record.mark``.

    Args:
        pictures: on the sheet.
        made_by: the words of its command.
    """
    asked = pictures[0].analyses[0].settings
    return {
        "Title": "Super-resolution round trips",
        "Software": _maker(pictures),
        "Description": (
            "Figure sheet of super-resolution round trips: faces were shrunk by 1/K and restored. "
            "What it shows after them is no original photograph."
        ),
        "K": ", ".join(_factors(pictures)),
        "Method": ", ".join(methods(pictures)),
        "Kernel": asked.kernel,
        "Scope": asked.scope,
        "Picture SHA-256": ", ".join(digest(shown.analyses[0].picture) for shown in pictures),
        "Model SHA-256": _models(pictures, FULL_HASH),
        "Command": " ".join(made_by),
    }


def analyses_of(pictures: Sequence[PictureShown]) -> list[Analysis]:
    """Return every analysis on a sheet, a column each."""
    return [analysis for shown in pictures for analysis in shown.analyses]


def methods(pictures: Sequence[PictureShown]) -> list[str]:
    """Return the methods on a sheet, each once."""
    return list(dict.fromkeys(analysis.settings.method for analysis in analyses_of(pictures)))


def probabilities(score: DetectorScore) -> str:
    """Return the fake probability before and after."""
    return f"{score.clean:.3f} → {score.attacked:.3f}"


def verdicts(score: DetectorScore) -> str:
    """Return both verdicts in words."""
    before, after = map(called, (score.clean_fake, score.attacked_fake))
    return f"{before} → {after}" if score.flipped else f"{before}, unchanged"


def printable(text: str) -> str:
    """Return text with a question mark for every letter that no figure can hold."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _exact(number: float) -> str:
    """The shortest text that reads back as the same number."""
    return repr(float(number)).removesuffix(".0")


def _picture(shown: PictureShown) -> str:
    analysis = shown.analyses[0]
    result = analysis.chosen
    x0, y0, x1, y1 = result.box
    by_hand = {"hand": "face marked by hand", "picture": "taken whole as the face"}
    face = by_hand.get(result.face.source) or (
        f"face {analysis.faces.index(result.face) + 1} of {len(analysis.faces)}"
    )
    attacked = {"face": "", "faces": ", every face attacked", "frame": ", whole frame attacked"}
    return (
        f"{printable(shown.name)} (SHA-256 of its pixels {digest(analysis.picture)[:SHORT_HASH]}): "
        f"{face}, crop of {x1 - x0}×{y1 - y0} px at ({x0}, {y0}), shrunk by "
        f"{analysis.settings.kernel}{attacked[analysis.settings.scope]}."
    )


def _numbers(analysis: Analysis) -> str:
    asked, quality = analysis.settings, analysis.chosen.quality
    psnr = "∞" if math.isinf(quality.psnr_db) else f"{quality.psnr_db:.2f}"
    scores = "".join(
        f"; {score.title} {probabilities(score)} "
        f"({verdicts(score)}{', flipped' if score.flipped else ''})"
        for score in analysis.chosen.scores
    )
    return f"K = {asked.k:g}, {asked.method}: SSIM {quality.ssim:.4f}, PSNR {psnr} dB{scores}."


def _reading(settings: SheetSettings, magnified: Magnified) -> str:
    said = []
    if {"before", "after", "difference"} & set(settings.rows):
        times = magnified.panel
        said.append(f"Each pixel of the crop is shown as {times}×{times} equal ones.")
    if "difference" in settings.rows:
        said.append(
            f"Difference: the largest change of a colour channel, amplified ×{settings.gain:g} in "
            "every panel."
        )
    if "zoom" in settings.rows:
        side, times = magnified.window, magnified.zoom
        place = "in the middle"
        if settings.at is not None:
            place = f"around ({settings.at[0]:.4g}, {settings.at[1]:.4g})"
        said.append(
            f"Zoom: {side}×{side} px {place} of the crop, between the bars beside the panels, each "
            f"pixel as {times}×{times}; before on the left, after on the right."
        )
    if "scores" in settings.rows:
        said.append(
            "Scores: fake probability on a scale from 0 to 1, circle before, dot after, upright "
            "stroke the threshold; a frame marks a flipped verdict."
        )
    return " ".join(said)


def _models(pictures: Sequence[PictureShown], digits: int) -> str:
    used = {model.name: model.sha256 for a in analyses_of(pictures) for model in a.models}
    return ", ".join(f"{name} {sha256[:digits]}" for name, sha256 in used.items()) or "none"


def _maker(pictures: Sequence[PictureShown]) -> str:
    return " ".join(pictures[0].analyses[0].versions[0])


def _factors(pictures: Sequence[PictureShown]) -> list[str]:
    return list(dict.fromkeys(f"{analysis.settings.k:g}" for analysis in analyses_of(pictures)))
