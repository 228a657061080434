"""Tables of finished studies as they were written, for showing without computing them again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUNDLED_DEFENCES: Final = Path(__file__).parents[2] / "assets" / "defences"
DEFENCES_FIRST: Final = "defences.md"


@dataclass(frozen=True)
class ShownTable:
    """A table in the words in which it was written.

    Attributes:
        title: what it shows.
        head: of its columns.
        rows: cells.
        notes: sentences below it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def read_defence_tables(shelf: Path) -> tuple[ShownTable, ...]:
    """The tables of defences of the studies in the folders of a folder; the main one first.

    A file that is no table is left out.
    """
    files = sorted(
        shelf.glob("**/tables/defences*.md"),
        key=lambda one: (one.parent, one.name != DEFENCES_FIRST),
    )
    read = (read_table(file.read_text(encoding="utf-8")) for file in files)
    return tuple(table for table in read if table is not None)


def read_table(text: str) -> ShownTable | None:
    """Read what ``table.markdown`` writes; None where there are no rows in it."""
    lines = text.splitlines()
    marked = [_cells(line) for line in lines if line.startswith("| ")]
    said = [line for line in lines if line and not line.startswith("| ")]
    if len(marked) < 3 or not said:
        return None
    head, _, *rows = marked
    return ShownTable(said[0], tuple(head), tuple(map(tuple, rows)), tuple(said[1:]))


def _cells(line: str) -> Sequence[str]:
    inside = line.strip().removeprefix("| ").removesuffix(" |").replace("\\|", "\0")
    return [cell.replace("\0", "|") for cell in inside.split(" | ")]
