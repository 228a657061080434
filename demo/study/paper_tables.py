"""Tables 1, 2 and 3 of arXiv 2407.02670, measured, with the paper's own figures beside them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from demo.study.figures import Figures, Harm
from demo.study.rates import Estimate, Rates, mean
from demo.study.results import Results
from demo.study.samples import PRISTINE
from demo.study.table import Cell, Column, Table, reasons

PAPER: Final = Path(__file__).parent / "paper"
PAPER_NAMES: Final = {"resnet50": "Resnet50", "swin_small": "Swin", "xception": "XceptionNet"}
RATES: Final = {
    "fnr": "FNR",
    "fpr": "FPR",
    "recall": "recall",
    "precision": "precision",
    "auc": "AUC",
    "accuracy": "accuracy",
}
SETUPS: Final = {1: "pristine and fake pictures are attacked", 2: "only the fakes are attacked"}

# By detector, forgery and images ("clean", "attacked"), as the paper writes them: fractions.
PaperRates = Mapping[tuple[str, str, str], Mapping[str, float]]


def rates_table(results: Results, figures: Figures, setup: int, method: str, k: float) -> Table:
    """Table 1 or 2: rates with intervals, the changes with their tests, the paper's figures.

    The paper's columns are left out where it has no figures of these forgeries.
    """
    harms = [one for one in figures.by_forgery if (one.method, one.k) == (method, k)]
    paper = paper_rates(setup)
    papers = {one.detector: _papers_name(results, one.detector) for one in harms}
    known = any((papers[one.detector], one.forgery, "clean") in paper for one in harms)
    columns = [Column("Detector"), Column("Forgery"), Column("Images")]
    for title in RATES.values():
        columns.append(Column(title[0].upper() + title[1:], "%"))
        if known:
            columns += [Column(f"Paper's {title}", "%"), Column(f"{title} less paper's", "%")]
    for title in ("FNR", "FPR")[: _changing(setup)]:
        columns += [
            Column(f"Change of {title}", "%"),
            Column(f"p, {title}", digits=4),
            Column(f"Cohen's g, {title}", digits=2),
        ]
        if known:
            columns.append(Column(f"Paper's change of {title}", "%"))
    rows = [row for one in harms for row in _rows(one, papers[one.detector], setup, paper, known)]
    title = f"Table {setup}: {SETUPS[setup]}; {method}, K = {k:g}; 95 % intervals over sources."
    notes = [] if known or not harms else ["The paper has no figures of these forgeries."]
    notes += reasons(
        {
            f"{detector}, {forgery}" if forgery else detector: why
            for (detector, forgery), why in figures.impossible.items()
            if forgery or not harms
        }
    )
    return Table(f"table_{setup}_{method}_k{k:g}", title, tuple(columns), tuple(rows), tuple(notes))


def similarity_table(results: Results, method: str, k: float, seed: int) -> Table:
    """Table 3: likeness of clean and attacked faces, the right way and as published."""
    paper = _paper_similarity()
    known = any(forgery in paper for forgery in results.forgeries)
    found = results.faces(method, k)
    rows: list[tuple[Cell, ...]] = []
    for forgery in (PRISTINE, *results.forgeries):
        own = found[found["forgery"] == forgery]
        if not len(own):
            continue
        source = own["source"].to_numpy()
        row: list[Cell] = [forgery, len(own)]
        row += [mean(own[name].to_numpy(np.float64), source, seed) for name in ("ssim", "psnr_db")]
        for name, said in zip(
            ("published_ssim", "published_psnr_db"), paper.get(forgery, (None, None)), strict=True
        ):
            measured = mean(own[name].to_numpy(np.float64), source, seed)
            row.append(measured)
            if known:
                row += [said, None if said is None else measured.value - said]
        rows.append(tuple(row))
    columns = [Column("Images"), Column("Number"), Column("SSIM", digits=3)]
    columns += [Column("PSNR", "dB", 2), Column("SSIM, published protocol", digits=3)]
    if known:
        columns += [Column("Paper's SSIM", digits=3), Column("SSIM less paper's", digits=3)]
    columns.append(Column("PSNR, published protocol (wraps)", "dB", 2))
    if known:
        columns += [Column("Paper's PSNR", "dB", 1), Column("PSNR less paper's", "dB", 2)]
    title = f"Table 3: likeness of clean and attacked faces; {method}, K = {k:g}."
    return Table(f"table_3_{method}_k{k:g}", title, tuple(columns), tuple(rows))


def paper_rates(setup: int) -> PaperRates:
    """The paper's Table 1 (setup 1) or 2 (setup 2)."""
    with (PAPER / "tables_1_2.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["detector"], row["forgery"], row["images"]): {
                name: float(row[name]) / 100 for name in RATES
            }
            for row in csv.DictReader(file)
            if row["table"] == str(setup)
        }


def _rows(
    harm: Harm, name: str, setup: int, paper: PaperRates, known: bool
) -> list[tuple[Cell, ...]]:
    attacked = harm.attacked if setup == 1 else harm.fakes_attacked
    before, after = (
        paper.get((name, harm.forgery or "", images), {}) for images in ("clean", "attacked")
    )
    changes: list[Cell] = []
    for name, found in (("fnr", harm.fnr), ("fpr", harm.fpr))[: _changing(setup)]:
        changes += [found.points, found.p_value, found.cohens_g]
        if known:
            changes.append(after[name] - before[name] if before and after else None)
    return [
        (harm.detector, harm.forgery, "clean", *_rates(harm.clean, before, known))
        + (None,) * len(changes),
        (harm.detector, harm.forgery, "attacked", *_rates(attacked, after, known), *changes),
    ]


def _rates(rates: Rates, said: Mapping[str, float], known: bool) -> list[Cell]:
    cells: list[Cell] = []
    for name in RATES:
        measured: Estimate = getattr(rates, name)
        cells.append(measured)
        if known:
            cells += [said.get(name), measured.value - said[name] if name in said else None]
    return cells


def _changing(setup: int) -> int:
    """How many of FNR and FPR an attack can change: in setup 2 no pristine picture is touched."""
    return 2 if setup == 1 else 1


def _papers_name(results: Results, detector: str) -> str:
    name = results.name_of(detector)
    return PAPER_NAMES.get(name, name)


def _paper_similarity() -> dict[str, tuple[float | None, float | None]]:
    with (PAPER / "table_3.csv").open(newline="", encoding="utf-8") as file:
        return {
            PRISTINE if row["images"] == "Pristine" else row["images"]: (
                float(row["ssim"]),
                float(row["psnr_db"]),
            )
            for row in csv.DictReader(file)
        }
