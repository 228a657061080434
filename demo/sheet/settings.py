"""What a figure sheet shows and how, checked once when it is made."""

import math
from dataclasses import dataclass
from typing import Final

from demo.core.analysis import Analysis
from demo.core.errors import SettingsError
from demo.core.restoring import check_choice
from demo.views import DIFFERENCE_GAIN, check_gain

ROWS: Final = ("before", "after", "difference", "zoom", "scores")
WIDTHS_MM: Final = (85, 175)
FORMATS: Final = ("png", "pdf", "svg")


@dataclass(frozen=True)
class SheetSettings:
    """What every column shows. Making one that cannot be drawn raises ``SettingsError``.

    Attributes:
        rows: of ``ROWS``, each at most once, from top to bottom.
        width_mm: printed width, one of ``WIDTHS_MM``: one or two columns of a page.
        gain: factor on the difference, from 1 to 64.
        window: side of the zoomed window in px of the crop; None takes a quarter of the smallest
            crop's shorter side.
        at: (x, y) of the window's centre in px of the crop; None takes the middle of each crop.
    """

    rows: tuple[str, ...] = ROWS
    width_mm: int = 175
    gain: float = DIFFERENCE_GAIN
    window: int | None = None
    at: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for row in self.rows:
            check_choice("row", row, ROWS)
        if not self.rows or len(set(self.rows)) < len(self.rows):
            raise SettingsError(
                f"One row or more was expected, each named once. Choose from {', '.join(ROWS)}."
            )
        check_choice("width in mm", str(self.width_mm), tuple(map(str, WIDTHS_MM)))
        check_gain(self.gain)
        if self.window is not None and (not isinstance(self.window, int) or self.window < 1):
            raise SettingsError(
                f"The side of the zoomed window is a whole number of pixels, but {self.window!r} "
                "came. Choose 1 or more."
            )
        if self.at is not None and not all(math.isfinite(part) for part in self.at):
            raise SettingsError("The centre of the zoomed window is two numbers x y in pixels.")


@dataclass(frozen=True)
class PictureShown:
    """One picture of a sheet.

    Attributes:
        name: what it is called: a file's name, never its folder.
        analyses: a column each; the sheet shows the face that their settings choose.
    """

    name: str
    analyses: tuple[Analysis, ...]


def check_format(name: str) -> str:
    """Return the format that a file's name asks for, one of ``FORMATS``.

    Raises:
        SettingsError: it ends otherwise.
    """
    kind = name.rpartition(".")[2].lower()
    if "." not in name or kind not in FORMATS:
        raise SettingsError(
            f"The name of a figure sheet must end in .png, .pdf or .svg, but {name!r} came. "
            "Choose such a name."
        )
    return kind
