"""Tables 1, 2 and 3 of arXiv 2407.02670, measured, with the paper's own figures beside them."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from demo.study.measuring import CLEAN
from demo.study.rates import Change, Estimate, Rates, change, mean, rates
from demo.study.results import Results
from demo.study.samples import PRISTINE
from demo.study.table import Cell, Column, Table

PAPER: Final = Path(__file__).parent / "paper"
PAPER_NAMES: Final = {"resnet50": "Resnet50", "swin_small": "Swin", "xception": "XceptionNet"}
RATES: Final = ("fnr", "fpr", "recall", "precision", "auc", "accuracy")
SETUPS: Final = {1: "pristine and fake pictures are attacked", 2: "only the fakes are attacked"}


@dataclass(frozen=True)
class Line:
    """One row of Table 1 or 2: a detector, a forgery, clean or attacked.

    Attributes:
        detector: its name.
        forgery: of the fakes.
        attacked: whether the pictures went through the round trip.
        rates: measured.
        paper: the paper's figures for this row as fractions, None where it has no such row.
        fnr_change: attacked less clean; None in a clean row.
        fpr_change: the same of the FPR.
    """

    detector: str
    forgery: str
    attacked: bool
    rates: Rates
    paper: dict[str, float] | None
    fnr_change: Change | None
    fpr_change: Change | None


def lines(results: Results, setup: int, method: str, k: float, seed: int) -> tuple[Line, ...]:
    """The rows of Table 1 (setup 1) or 2 (setup 2) for one round trip.

    Raises:
        SettingsError: there are no fakes, no pristine pictures, or one source alone.
    """
    paper = _paper_rates(setup)
    made: list[Line] = []
    for detector in results.detectors:
        for forgery in results.forgeries_of(detector):
            clean = results.judged(detector, CLEAN, 1.0, forgery)
            attacked = results.judged(detector, method, k, forgery, fakes_only=setup == 2)
            name = results.name_of(detector)
            row = PAPER_NAMES.get(name, name), forgery
            made += [
                Line(
                    detector,
                    forgery,
                    False,
                    rates(clean, seed),
                    paper.get((*row, "clean")),
                    None,
                    None,
                ),
                Line(
                    detector,
                    forgery,
                    True,
                    rates(attacked, seed),
                    paper.get((*row, "attacked")),
                    change(clean, attacked, of_fakes=True, seed=seed),
                    change(clean, attacked, of_fakes=False, seed=seed),
                ),
            ]
    return tuple(made)


def rates_table(results: Results, setup: int, method: str, k: float, seed: int) -> Table:
    """Table 1 or 2, with intervals, the changes with their p-values, and the paper's figures."""
    titles = ("FNR", "FPR", "Recall", "Precision", "AUC", "Accuracy")
    columns = (
        Column("Detector"),
        Column("Forgery"),
        Column("Images"),
        *(Column(title, "%") for title in titles),
        Column("Change of FNR", "%"),
        Column("p", digits=4),
        Column("Cohen's g", digits=2),
        Column("Change of FPR", "%"),
        Column("p", digits=4),
        Column("Cohen's g", digits=2),
        Column("Paper's FNR", "%"),
        Column("Paper's FPR", "%"),
        Column("FNR less paper's", "%"),
        Column("FPR less paper's", "%"),
    )
    rows = tuple(_cells(line) for line in lines(results, setup, method, k, seed))
    title = f"Table {setup}: {SETUPS[setup]}; {method}, K = {k:g}; 95 % intervals over sources."
    return Table(f"table_{setup}_{method}_k{k:g}", title, columns, rows)


def similarity_table(results: Results, method: str, k: float, seed: int) -> Table:
    """Table 3: likeness of clean and attacked faces, the right way and as published."""
    paper = _paper_similarity()
    faces = results.faces(method, k)
    rows: list[tuple[Cell, ...]] = []
    for forgery in (PRISTINE, *results.forgeries):
        found = faces[faces["forgery"] == forgery]
        source = found["source"].to_numpy()
        named = ("ssim", "psnr_db", "published_ssim", "published_psnr_db")
        measured = [mean(found[name].to_numpy(np.float64), source, seed) for name in named]
        said = paper.get(forgery)
        rows.append((forgery, len(found), *measured, *(said or (None, None))))
    columns = (
        Column("Images"),
        Column("Number"),
        Column("SSIM", digits=3),
        Column("PSNR", "dB", 2),
        Column("SSIM, published protocol", digits=3),
        Column("PSNR, published protocol (wraps)", "dB", 2),
        Column("Paper's SSIM", digits=3),
        Column("Paper's PSNR", "dB", 1),
    )
    title = f"Table 3: likeness of clean and attacked faces; {method}, K = {k:g}."
    return Table(f"table_3_{method}_k{k:g}", title, columns, tuple(rows))


def _cells(line: Line) -> tuple[Cell, ...]:
    changes: list[Cell] = []
    for one in (line.fnr_change, line.fpr_change):
        changes += [None] * 3 if one is None else [one.points, one.p_value, one.cohens_g]
    said = line.paper or {}
    paper: list[Cell] = [said.get("fnr"), said.get("fpr")]
    for name in ("fnr", "fpr"):
        estimate: Estimate = getattr(line.rates, name)
        paper.append(estimate.value - said[name] if name in said else None)
    measured = tuple(getattr(line.rates, name) for name in RATES)
    images = "attacked" if line.attacked else "clean"
    return (line.detector, line.forgery, images, *measured, *changes, *paper)


def _paper_rates(setup: int) -> dict[tuple[str, str, str], dict[str, float]]:
    with (PAPER / "tables_1_2.csv").open(newline="", encoding="utf-8") as file:
        return {
            (row["detector"], row["forgery"], row["images"]): {
                name: float(row[name]) / 100 for name in RATES
            }
            for row in csv.DictReader(file)
            if row["table"] == str(setup)
        }


def _paper_similarity() -> dict[str, tuple[float, float]]:
    with (PAPER / "table_3.csv").open(newline="", encoding="utf-8") as file:
        found = {
            row["images"]: (float(row["ssim"]), float(row["psnr_db"]))
            for row in csv.DictReader(file)
        }
    return {PRISTINE if name == "Pristine" else name: said for name, said in found.items()}
