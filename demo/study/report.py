"""A finished study as files: its tables in three forms, its curves, one page that holds all."""

import json
from pathlib import Path

from demo.core.errors import SettingsError
from demo.study.costs import read_costs
from demo.study.defence_figures import measure_defences
from demo.study.defence_tables import defence_tables
from demo.study.defence_words import defence_summary
from demo.study.figures import Figures, measure_figures, papers_k
from demo.study.gallery import read_gallery
from demo.study.page import Defended, Report, RoundTrip, page
from demo.study.paper_tables import rates_table, similarity_table
from demo.study.plots import Plot, change_plot, roc_plots
from demo.study.results import Results, asked_defences, read_all_results, read_results
from demo.study.strata import control_table, correlation_table, harm_table, size_table
from demo.study.summary import summary
from demo.study.table import Table, comma_separated, latex, markdown


def write_report(folder: Path) -> None:
    """Write the tables, the curves and ``report.html`` of a finished study into its folder.

    An impossible table, such as one without fakes, says why in its place.

    Raises:
        SettingsError: the study is not finished, or none of its pictures could be measured.
    """
    results = read_results(folder)
    if results.rows.empty:
        raise SettingsError(
            "A study with one or more measured pictures was expected, but all were refused. Its "
            "manifest says why."
        )
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    report = _report(results, manifest, folder)
    (folder / "tables").mkdir(exist_ok=True)
    write_tables(folder / "tables", _tables(report))
    for plot in _plots(report):
        (folder / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")
    (folder / "report.html").write_text(page(report), encoding="utf-8")


def write_tables(folder: Path, tables: tuple[Table, ...]) -> None:
    """Write tables into a folder: Markdown, CSV with every digit, LaTeX."""
    for table in tables:
        for ending, write in ((".md", markdown), (".csv", comma_separated), (".tex", latex)):
            (folder / f"{table.name}{ending}").write_text(write(table), encoding="utf-8")


def _report(results: Results, manifest: dict[str, object], folder: Path) -> Report:
    plan = manifest["plan"]
    assert isinstance(plan, dict)
    seed = int(plan["seed"])
    figures = measure_figures(results, seed)
    return Report(
        manifest=manifest,
        summary=summary(results, figures),
        harm=harm_table(results, figures, seed),
        control=control_table(results, figures),
        changes=tuple(change_plot(figures, one) for one in figures.detectors),
        round_trips=tuple(
            _round_trip(results, figures, method, k, seed) for method, k in results.round_trips
        ),
        gallery=read_gallery(folder),
        folder=folder,
        defended=_defended(folder, seed),
    )


def _defended(folder: Path, seed: int) -> Defended | None:
    defences = asked_defences(folder)
    if not defences:
        return None
    figures = measure_defences(read_all_results(folder), defences, seed)
    return Defended(defence_summary(figures), defence_tables(figures, read_costs(folder)))


def _round_trip(results: Results, figures: Figures, method: str, k: float, seed: int) -> RoundTrip:
    return RoundTrip(
        method=method,
        k=k,
        tables=(
            rates_table(results, figures, 1, method, k),
            rates_table(results, figures, 2, method, k),
            similarity_table(results, method, k, seed),
            correlation_table(results, method, k),
        ),
        roc=roc_plots(results, figures.detectors, method, k),
        size=size_table(results, method, k, seed),
        first=k == papers_k({k for _, k in results.round_trips}),
    )


def _tables(report: Report) -> tuple[Table, ...]:
    control = () if report.control is None else (report.control,)
    round_trips = (table for one in report.round_trips for table in (*one.tables, one.size))
    defended = () if report.defended is None else report.defended.tables
    return report.harm, *control, *round_trips, *defended


def _plots(report: Report) -> tuple[Plot, ...]:
    return *report.changes, *(plot for one in report.round_trips for plot in one.roc)
