"""Analyses → a figure sheet as the bytes of a PNG, PDF or SVG file."""

from collections.abc import Sequence
from typing import Final

from demo.core.errors import SettingsError
from demo.sheet.drawing import (
    MONO,
    PLAIN,
    Drawing,
    Mark,
    Words,
    to_pdf,
    to_png,
    to_svg,
    wrapped,
)
from demo.sheet.grid import TEXT_PT, Grid, Part, header, lay_out
from demo.sheet.rows import row
from demo.sheet.settings import PictureShown, SheetSettings, check_format
from demo.sheet.words import caption, command, sheet_mark

MAX_SHEET_PIXELS: Final = 40_000_000
COMMAND_PT: Final = 6.0

_LEADING_MM: Final = 2.9


def figure_sheet(
    pictures: Sequence[PictureShown],
    settings: SheetSettings,
    output: str,
    more: Sequence[str] = (),
) -> bytes:
    """Draw a sheet: a column for each picture, K and method, the chosen rows, a caption.

    Args:
        pictures: at least one, each with analyses under the same settings in the same order.
        settings: what every column shows.
        output: name of the file, which says the format and stands in the caption's command.
        more: further words of that command, such as ``--detector mine=mine.pt``.

    Returns:
        The file. The same analyses, settings and name give the same bytes.

    Raises:
        SettingsError: the name ends in no known format, the sheet would be too large, or the
            zoomed window is.
    """
    draw = {"png": to_png, "pdf": to_pdf, "svg": to_svg}[check_format(output)]
    made_by = command(pictures, settings, output, more)
    return draw(drawing(pictures, settings, made_by), sheet_mark(pictures, made_by))


def drawing(
    pictures: Sequence[PictureShown], settings: SheetSettings, made_by: Sequence[str]
) -> Drawing:
    """Place everything that lies on a sheet; raises as ``figure_sheet``.

    Args:
        pictures: as for ``figure_sheet``.
        settings: as for ``figure_sheet``.
        made_by: the words of the command that makes it again.
    """
    grid = lay_out(pictures, settings)
    marks: list[Mark] = []
    top = grid.margin
    for band in grid.bands:
        parts = header(band, grid, top, named=len(pictures) > 1)
        marks += parts.marks
        top += parts.height
        for name in settings.rows:
            _check_size(grid.width * top)
            part = row(name, band, grid, top)
            marks += part.marks
            top += part.height
        top += grid.px(_LEADING_MM)
    words = _caption(pictures, settings, made_by, grid, top)
    height = top + words.height
    _check_size(grid.width * height)
    return Drawing(grid.width, height, grid.scale, (*marks, *words.marks))


def _caption(
    pictures: Sequence[PictureShown],
    settings: SheetSettings,
    made_by: Sequence[str],
    grid: Grid,
    top: int,
) -> Part:
    lines = [
        (line, TEXT_PT, PLAIN)
        for paragraph in caption(pictures, settings, grid.magnified)
        for line in wrapped(paragraph.split(" "), TEXT_PT, PLAIN, grid.room)
    ]
    # A backslash ends each line but the last, so that the command can be copied as it stands.
    typed = wrapped(made_by, COMMAND_PT, MONO, grid.room - COMMAND_PT * 1.3)
    lines += [(f"{line} \\", COMMAND_PT, MONO) for line in typed[:-1]]
    lines += [(line, COMMAND_PT, MONO) for line in typed[-1:]]
    marks: list[Mark] = [
        Words(grid.margin, top + grid.px(number * _LEADING_MM), text, size, style)
        for number, (text, size, style) in enumerate(lines)
    ]
    return Part(marks, grid.px((len(lines) - 0.5) * _LEADING_MM))


def _check_size(pixels: int) -> None:
    if pixels > MAX_SHEET_PIXELS:
        raise SettingsError(
            f"A figure sheet of at most {MAX_SHEET_PIXELS // 10**6} megapixels was expected, but "
            "this one would have more, since no pixel is left out. Take fewer columns or rows, or "
            "smaller faces."
        )
