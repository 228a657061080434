"""Several pictures through the same settings: a row a picture, and the rows as CSV.

Each row is taken from one ``Analysis`` and tells of the picture's largest face. A row holds numbers
and words only, no pixel.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from demo.core.analysis import Analysis, ModelUsed
from demo.core.faces import Box
from demo.core.images import digest
from demo.core.quality import Quality
from demo.core.scoring import DetectorScore, called
from demo.core.settings import Settings

Cell = str | int | float

# What spreadsheets take for the beginning of a formula: OWASP, "CSV Injection". Full-width twins
# count in East Asian editions.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Reading:
    """What one analysis says about the largest face of a picture.

    Attributes:
        digest: SHA-256 of the picture's pixels, see ``images.digest``.
        size: of the picture, (width, height) in px.
        faces: how many were found.
        box: of the crop, in the picture.
        quality: likeness of the crop after to the crop before.
        scores: one a detector that could be asked.
        device: where the networks ran, such as "cpu".
        models: the networks that took part.
        problems: a sentence for every detector that could not be asked.
        versions: (name, version) of everything that the numbers depend on.
    """

    digest: str
    size: tuple[int, int]
    faces: int
    box: Box
    quality: Quality
    scores: tuple[DetectorScore, ...]
    device: str
    models: tuple[ModelUsed, ...]
    problems: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Row:
    """One picture of a comparison: its reading, or the sentence that refuses it.

    Attributes:
        name: what the person calls the picture, such as its file's name.
        settings: the same for every row of a comparison.
        reading: what was found; None where the picture was refused.
        refusal: the sentence; empty where there is a reading.
    """

    name: str
    settings: Settings
    reading: Reading | None
    refusal: str = ""


def compared(name: str, analysis: Analysis) -> Row:
    """Take a picture's row from its analysis; the largest face is the one that counts."""
    result = analysis.results[0]
    height, width = analysis.picture.shape[:2]
    reading = Reading(
        digest=digest(analysis.picture),
        size=(width, height),
        faces=len(analysis.faces),
        box=result.box,
        quality=result.quality,
        scores=result.scores,
        device=analysis.device,
        models=analysis.models,
        problems=analysis.problems,
        versions=analysis.versions,
    )
    return Row(name, analysis.settings, reading)


def asked_detectors(rows: Sequence[Row]) -> dict[str, str]:
    """Return name → title of every detector that a row has a score of, in their order there."""
    return {
        score.detector: score.title
        for row in rows
        if row.reading is not None
        for score in row.reading.scores
    }


def comparison_csv(rows: Sequence[Row]) -> str:
    """Write the rows as CSV (RFC 4180, comma, UTF-8), a header line first.

    Numbers have every digit (reading them back gives the same floats; the PSNR of identical crops
    is ``inf``) and are bare, words are quoted. A column that a row has nothing for is empty there.
    Text that a spreadsheet would take for a formula begins with an apostrophe, as OWASP advises.

    Args:
        rows: one a picture, in the order wanted.
    """
    lines = [_cells(row) for row in rows]
    header = list(dict.fromkeys(column for line in lines for column in line))
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([_harmless(column) for column in header])
    for line in lines:
        writer.writerow([_harmless(line.get(column, "")) for column in header])
    return stream.getvalue()


def _cells(row: Row) -> dict[str, Cell]:
    settings = row.settings
    reading = _reading_cells(row.reading) if row.reading is not None else {}
    asked: dict[str, Cell] = {
        "k": settings.k,
        "method": settings.method,
        "kernel": settings.kernel,
        "scope": settings.scope,
    }
    return {"picture": row.name, "refusal": row.refusal, **asked, **reading}


def _reading_cells(reading: Reading) -> dict[str, Cell]:
    x0, y0, x1, y1 = reading.box
    cells: dict[str, Cell] = {
        "picture_sha256": reading.digest,
        "picture_width": reading.size[0],
        "picture_height": reading.size[1],
        "faces": reading.faces,
        "crop_x0": x0,
        "crop_y0": y0,
        "crop_x1": x1,
        "crop_y1": y1,
        "ssim": reading.quality.ssim,
        "psnr_db": reading.quality.psnr_db,
        "mean_difference": reading.quality.mean_difference,
        "max_difference": reading.quality.max_difference,
        "flipped": _flipped(reading.scores),
    }
    for score in reading.scores:
        cells |= {
            f"{score.detector}_clean": score.clean,
            f"{score.detector}_attacked": score.attacked,
            f"{score.detector}_threshold": score.threshold,
            f"{score.detector}_clean_verdict": called(score.clean_fake),
            f"{score.detector}_attacked_verdict": called(score.attacked_fake),
            f"{score.detector}_flipped": "yes" if score.flipped else "no",
        }
    cells |= {"device": reading.device, "problems": " ".join(reading.problems)}
    cells |= {f"{model.name}_sha256": model.sha256 for model in reading.models}
    return cells | {f"version_{name}": number for name, number in reading.versions}


def _flipped(scores: Sequence[DetectorScore]) -> str:
    titles = "; ".join(score.title for score in scores if score.flipped)
    return titles or ("none" if scores else "")


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell
