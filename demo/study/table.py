"""A table of a study, and how it is written: Markdown, CSV with every digit, LaTeX."""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from demo.study.rates import Estimate

Cell = str | int | float | Estimate | None


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: for people.
        unit: of its numbers, such as "%" for fractions shown times 100; "" for none.
        digits: after the point.
    """

    title: str
    unit: str = ""
    digits: int = 1


@dataclass(frozen=True)
class Table:
    """Rows under columns.

    Attributes:
        name: of its files.
        title: what it shows, in a sentence.
        columns: as many as a row has cells.
        rows: cells; a fraction stays a fraction here, whatever its column's unit.
        notes: sentences below it, such as why a row is missing.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def markdown(table: Table) -> str:
    """The table in Markdown, its title above it and its notes below."""
    notes = "".join(f"\n{note}\n" for note in table.notes)
    if not table.rows:
        return f"{table.title}\n{notes}"
    numeric = [any(not isinstance(row[i], str) for row in table.rows) for i in _places(table)]
    rule = ["---:" if number else "---" for number in numeric]
    lines = [[head(column) for column in table.columns], rule, *_shown(table)]
    body = "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
    return f"{table.title}\n\n{body}\n{notes}"


def comma_separated(table: Table) -> str:
    """The table as CSV with every digit; an estimate takes three columns."""
    spread = [any(isinstance(row[i], Estimate) for row in table.rows) for i in _places(table)]
    head: list[str] = []
    for column, wide in zip(table.columns, spread, strict=True):
        head += [column.title, *((f"{column.title} low", f"{column.title} high") if wide else ())]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for row in table.rows:
        line: list[object] = []
        for cell, wide in zip(row, spread, strict=True):
            if isinstance(cell, Estimate):
                line += [cell.value, cell.low, cell.high]
            else:
                line += [cell, None, None] if wide else [cell]
        writer.writerow(line)
    return text.getvalue()


def latex(table: Table) -> str:
    """The table as a LaTeX ``tabular`` with booktabs rules; title and notes are comments."""
    lines = [_tex_row(head(column) for column in table.columns), r"\midrule"]
    lines += [_tex_row(row) for row in _shown(table)]
    form = "l" * len(table.columns)
    body = "\n".join((rf"\begin{{tabular}}{{{form}}}", r"\toprule", *lines, r"\bottomrule"))
    said = "\n".join(f"% {line}" for line in (table.title, *table.notes))
    return f"{said}\n{body}\n\\end{{tabular}}\n"


def shown(cell: Cell, column: Column) -> str:
    """A cell for people."""
    if isinstance(cell, Estimate) and math.isfinite(cell.low):
        return f"{figure(cell, column)} ({interval(cell, column)})"
    return figure(cell, column)


def file_name(text: str) -> str:
    """Words as a part of a file's name: "resnet50 (FaceSwap)" → "resnet50-FaceSwap"."""
    return re.sub(r"[^\w.]+", "-", text).strip("-")


def reasons(why: Mapping[str, str]) -> tuple[str, ...]:
    """Sentences for what is missing, each said once: "resnet50, xception: A table needs …"."""
    same: dict[str, list[str]] = {}
    for missing, sentence in why.items():
        same.setdefault(sentence, []).append(missing)
    return tuple(f"{', '.join(missing)}: {sentence}" for sentence, missing in same.items())


def figure(cell: Cell, column: Column) -> str:
    """A cell for people, without its interval."""
    if cell is None:
        return "–"
    if isinstance(cell, str | int):
        return str(cell)
    return _number(cell.value if isinstance(cell, Estimate) else cell, column)


def interval(estimate: Estimate, column: Column) -> str:
    """The two ends of an interval for people."""
    return f"{_number(estimate.low, column)} to {_number(estimate.high, column)}"


def _number(value: float, column: Column) -> str:
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞"
    scaled = 100 * value if column.unit == "%" else value
    return f"{scaled:.{column.digits}f}".replace("-", "\u2212")


def _places(table: Table) -> range:
    return range(len(table.columns))


def head(column: Column) -> str:
    """A column's title with its unit."""
    return f"{column.title} ({column.unit})" if column.unit else column.title


def _shown(table: Table) -> list[list[str]]:
    return [
        [shown(cell, column) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]


def _tex_row(cells: Iterable[str]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"


def _tex(text: str) -> str:
    for plain, escaped in (("\\", r"\textbackslash{}"), *((c, "\\" + c) for c in "&%$#_{}")):
        text = text.replace(plain, escaped)
    return text.replace("\u2212", "$-$").replace("×", r"$\times$").replace("∞", r"$\infty$")
