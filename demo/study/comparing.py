"""Several finished studies side by side: what was asked of each, and what each found.

Every study is compared with the first one: picture by picture where both hold the same ones, and
as independent studies where they have no picture in common.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import pandas as pd

from demo.core.errors import SettingsError
from demo.study.differences import CleanAttacked, independent_difference, paired_difference
from demo.study.figures import Figures, Harm, measure_figures
from demo.study.measuring import CLEAN
from demo.study.page import document, html_table
from demo.study.report import write_tables
from demo.study.results import Results, read_results
from demo.study.table import Cell, Column, Table

SAME: Final = ["sample", "picture_sha256", "forgery", "source"]
ALWAYS: Final = ("data", "measured")

Asked = tuple[str, str, float]


@dataclass(frozen=True)
class Run:
    """A finished study.

    Attributes:
        name: of its folder, numbered where two have the same.
        manifest: what was asked, flat: "plan.kernel" → "area".
        results: its rows.
        figures: its rates.
        seed: of its intervals.
    """

    name: str
    manifest: Mapping[str, str]
    results: Results
    figures: Figures
    seed: int

    @property
    def harms(self) -> dict[Asked, Harm]:
        """By detector, method and K."""
        return {(one.detector, one.method, one.k): one for one in self.figures.overall}


def write_comparison(folders: Sequence[Path], out: Path) -> None:
    """Compare finished studies and write ``comparison.html`` and its tables into a folder.

    Raises:
        SettingsError: one is not finished, they have no detector and round trip in common, or the
            folder cannot be made.
    """
    runs = _read(folders)
    tables = settings_table(runs), comparison_table(runs)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise SettingsError(
            "A folder for the comparison was expected, but it cannot be made. Choose another one."
        ) from None
    write_tables(out, tables)
    names = ", ".join(run.name for run in runs)
    body = f"<header><h1>Studies compared: {escape(names)}</h1></header>"
    body += "".join(map(html_table, tables))
    page = document(f"Studies compared: {names}", body)
    (out / "comparison.html").write_text(page, encoding="utf-8")


def settings_table(runs: Sequence[Run]) -> Table:
    """What was asked of each study, where they differ."""
    asked = dict.fromkeys(name for run in runs for name in run.manifest)
    rows = [
        (name, *said)
        for name in asked
        for said in [[run.manifest.get(name, "–") for run in runs]]
        if name in ALWAYS or len(set(said)) > 1
    ]
    columns = (Column("Asked"), *(Column(run.name) for run in runs))
    title = "Data, weights and settings that differ."
    return Table("settings", title, columns, tuple(rows))


def comparison_table(runs: Sequence[Run]) -> Table:
    """Rates of every study, and how its changes differ from those of the first.

    Raises:
        SettingsError: no detector and round trip is common to two of them.
    """
    held = [asked for run in runs for asked in run.harms]
    common = [asked for asked in dict.fromkeys(held) if held.count(asked) > 1]
    if not common:
        raise SettingsError(
            "Studies with a detector and a round trip in common were expected, but these share "
            "none. Compare others."
        )
    rows: list[tuple[Cell, ...]] = []
    for asked in common:
        for run in runs:
            if asked in run.harms:
                rows.append(
                    (*asked, run.name, *_rates(run.harms[asked]), *_less(runs[0], run, asked))
                )
    columns = [Column("Detector"), Column("Method"), Column("K"), Column("Study")]
    for rate in ("FNR", "FPR"):
        columns += [Column(f"{rate}, {one}", "%") for one in ("clean", "attacked")]
        columns.append(Column(f"Change of {rate}", "%"))
    columns += [Column(f"AUC, {one}", "%") for one in ("clean", "attacked")]
    columns.append(Column("Compared with the first"))
    for rate in ("FNR", "FPR"):
        columns += [
            Column(f"Change of {rate} less the first's", "%"),
            Column(f"p, {rate}", digits=4),
        ]
    title = "Error rates of each study, and how its changes differ from those of the first."
    notes = (
        "Paired: on the pictures that both hold, whatever else either holds. Independent: they "
        "have no picture in common. The p-values are not adjusted for their number.",
    )
    return Table("comparison", title, tuple(columns), tuple(rows), notes)


def _rates(harm: Harm) -> list[Cell]:
    clean, attacked = harm.clean, harm.attacked
    return [
        *(clean.fnr, attacked.fnr, harm.fnr.points),
        *(clean.fpr, attacked.fpr, harm.fpr.points),
        *(clean.auc, attacked.auc),
    ]


def _less(first: Run, run: Run, asked: Asked) -> list[Cell]:
    if run is first or asked not in first.harms:
        return [None] * 5
    shared = _keys(first).intersection(_keys(run))
    test = paired_difference if len(shared) else independent_difference
    try:
        before, after = (_judged(_on(one.results, shared), asked) for one in (first, run))
    except SettingsError:
        return ["shared pictures do not suffice", *[None] * 4]
    cells: list[Cell] = [f"paired, {len(shared)} pictures" if len(shared) else "independent"]
    for of_fakes in (True, False):
        cells += test(before, after, of_fakes, first.seed)
    return cells


def _judged(results: Results, asked: Asked) -> CleanAttacked:
    detector, method, k = asked
    clean = results.judged(detector, CLEAN, 1.0, None)
    return clean, results.judged(detector, method, k, None)


def _keys(run: Run) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(run.results.rows[SAME].drop_duplicates())


def _on(results: Results, shared: pd.MultiIndex) -> Results:
    """A study's rows of some samples, in the order of their names; all rows where none is meant."""
    if not len(shared):
        return results
    rows = results.rows
    chosen = rows[pd.MultiIndex.from_frame(rows[SAME]).isin(shared)]
    return Results(chosen.sort_values("sample", kind="stable", ignore_index=True))


def _read(folders: Sequence[Path]) -> list[Run]:
    runs: list[Run] = []
    for folder in folders:
        results = read_results(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        seed = int(manifest["plan"]["seed"])
        same = sum(run.name.split(" (")[0] == folder.name for run in runs)
        name = f"{folder.name} ({same + 1})" if same else folder.name
        figures = measure_figures(results, seed)
        runs.append(Run(name, dict(_flat(manifest)), results, figures, seed))
    return runs


def _flat(said: Mapping[str, object], above: str = "") -> list[tuple[str, str]]:
    flat: list[tuple[str, str]] = []
    for name, value in said.items():
        if isinstance(value, dict):
            flat += _flat(value, f"{above}{name}.")
        elif name == "refused":
            flat.append((name, str(len(value)) if isinstance(value, list) else "–"))
        elif isinstance(value, list):
            flat.append((f"{above}{name}", ", ".join(map(str, value))))
        else:
            # The beginning of a hash tells two files apart.
            text = str(value)
            flat.append((f"{above}{name}", text[:12] if len(text) == 64 else text))
    return flat
