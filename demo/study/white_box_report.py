"""A finished study of white-box attacks as files: tables in three forms, curves, one page."""

from html import escape
from pathlib import Path

from demo.study.page import (
    document,
    html_list,
    html_manifest,
    html_plot,
    html_table,
    refused_pictures,
)
from demo.study.plots import Plot
from demo.study.report import write_tables
from demo.study.table import Table
from demo.study.white_box_figures import WhiteBoxResults, read_white_box
from demo.study.white_box_plots import probability_plot, success_plot
from demo.study.white_box_tables import equal_psnr_table, findings, strength_table, transfer_table


def write_white_box_report(folder: Path) -> None:
    """Write the tables, the curves and ``report.html`` of a finished study into its folder.

    Raises:
        SettingsError: the study is not finished, or none of its crops could be attacked.
    """
    results = read_white_box(folder)
    tables = equal_psnr_table(results), transfer_table(results), strength_table(results)
    plots = success_plot(results), probability_plot(results)
    (folder / "tables").mkdir(exist_ok=True)
    write_tables(folder / "tables", tables)
    for plot in plots:
        (folder / f"{plot.name}.svg").write_text(plot.svg, encoding="utf-8")
    (folder / "report.html").write_text(_page(results, tables, plots), encoding="utf-8")


def _page(results: WhiteBoxResults, tables: tuple[Table, ...], plots: tuple[Plot, ...]) -> str:
    equal, transfer, strength = map(html_table, tables)
    manifest = results.manifest
    data, refused = str(manifest["data"]), refused_pictures(manifest)
    sections = (
        ("What was found", html_list(map(escape, findings(results)))),
        ("Beside the round trip", equal + transfer),
        (
            "Against strength",
            f'<div class="plots">{"".join(map(html_plot, plots))}</div>{strength}',
        ),
        ("Refused pictures", html_list(refused) if refused else "<p>None.</p>"),
        ("Manifest", html_manifest(manifest)),
    )
    body = "".join(f"<section><h2>{title}</h2>{content}</section>" for title, content in sections)
    return document(
        f"White-box attacks: {data}",
        '<header><p class="kind">White-box attacks beside the round trip, a study</p>'
        f"<h1>{escape(data)}</h1><p>{manifest['measured']} of {manifest['samples']} crops "
        f"attacked, {len(refused)} refused.</p></header>{body}",
    )
