"""A finished study as files: its tables in three forms, its curves, one page that holds all."""

import json
from html import escape
from pathlib import Path
from typing import Final

from demo.study.paper_tables import rates_table, similarity_table
from demo.study.plots import roc_curves
from demo.study.results import Results, read_results
from demo.study.strata import control_table, correlation_table, harm_table, size_table
from demo.study.table import Table, comma_separated, latex, markdown, shown

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;"
    "color:#16212b;background:#fff}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "font-size:.85rem}th,td{padding:.25rem .6rem;border-bottom:1px solid #d3dbe1;text-align:right;"
    "white-space:nowrap}th:first-child,td:first-child{text-align:left}.wide{overflow-x:auto}"
    "svg{max-width:100%;height:auto}"
)


def write_report(folder: Path) -> None:
    """Write the tables, the curves and ``report.html`` of a finished study into its folder.

    Raises:
        SettingsError: the study is not finished, or a table is impossible.
    """
    results = read_results(folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    tables = make_tables(results, int(manifest["plan"]["seed"]))
    (folder / "tables").mkdir(exist_ok=True)
    for table in tables:
        for ending, write in ((".md", markdown), (".csv", comma_separated), (".tex", latex)):
            (folder / "tables" / f"{table.name}{ending}").write_text(write(table), encoding="utf-8")
    curves = {
        f"roc_{method}_k{k:g}": roc_curves(results, method, k) for method, k in results.round_trips
    }
    for name, curve in curves.items():
        (folder / f"{name}.svg").write_text(curve, encoding="utf-8")
    (folder / "report.html").write_text(_page(manifest, tables, curves), encoding="utf-8")


def make_tables(results: Results, seed: int) -> tuple[Table, ...]:
    """Every table of a study.

    Raises:
        SettingsError: a table is impossible, such as one without fakes.
    """
    control = control_table(results, seed)
    tables = [harm_table(results, seed), *(() if control is None else (control,))]
    for method, k in results.round_trips:
        tables += [
            rates_table(results, 1, method, k, seed),
            rates_table(results, 2, method, k, seed),
            similarity_table(results, method, k, seed),
            size_table(results, method, k, seed),
            correlation_table(results, method, k),
        ]
    return tuple(tables)


def _page(manifest: dict[str, object], tables: tuple[Table, ...], curves: dict[str, str]) -> str:
    refused = manifest["refused"]
    assert isinstance(refused, list)
    left_out = "".join(f"<li>{escape(one['sample'])}: {escape(one['why'])}</li>" for one in refused)
    svgs = "".join(f"<figure>{curve[curve.index('<svg') :]}</figure>" for curve in curves.values())
    said = escape(json.dumps(manifest, indent=2, ensure_ascii=False))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Study</title><style>{STYLE}</style><h1>{escape(str(manifest['data']))}</h1>"
        f"<p>{manifest['measured']} of {manifest['samples']} pictures measured, {len(refused)} "
        f"refused. Intervals are 95 %, over source videos.</p>"
        + "".join(_html(table) for table in tables)
        + f"<h2>ROC</h2>{svgs}<h2>Refused pictures</h2><ul>{left_out or '<li>none</li>'}</ul>"
        f"<h2>Manifest</h2><pre>{said}</pre></html>\n"
    )


def _html(table: Table) -> str:
    head = "".join(
        f"<th scope=col>{escape(one.title)}{f' ({one.unit})' if one.unit else ''}</th>"
        for one in table.columns
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(shown(cell, column))}</td>"
            for cell, column in zip(row, table.columns, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    return (
        f"<h2>{escape(table.title)}</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
