"""A finished study as one HTML page that needs nothing else: no script, no network, no file."""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from demo.study.gallery import Missed, files
from demo.study.plots import COLOURS, FAINT, INK, Plot
from demo.study.rates import Estimate
from demo.study.table import Column, Table, figure, head, interval

STYLE: Final = Path(__file__).parent / "report.css"


@dataclass(frozen=True)
class RoundTrip:
    """What a page shows of one method and K.

    Attributes:
        method: who restored.
        k: scale factor.
        tables: Tables 1, 2 and 3, and the correlation.
        roc: curves; none where they are impossible.
        size: by the size of the face.
        first: whether it is shown at once, and not folded.
    """

    method: str
    k: float
    tables: tuple[Table, ...]
    roc: tuple[Plot, ...]
    size: Table
    first: bool


@dataclass(frozen=True)
class Defended:
    """What a page shows of the defences.

    Attributes:
        summary: sentences.
        tables: the table of defences, and those behind it.
    """

    summary: tuple[str, ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Report:
    """What a page shows.

    Attributes:
        manifest: of the study.
        summary: sentences.
        harm: attacked against clean, every method and K.
        control: against bicubic; None where it was not asked.
        changes: a plot a detector.
        round_trips: in the order asked.
        gallery: fakes that were missed.
        folder: where the gallery's pictures are.
        defended: None where no defence was asked.
    """

    manifest: Mapping[str, object]
    summary: tuple[str, ...]
    harm: Table
    control: Table | None
    changes: tuple[Plot, ...]
    round_trips: tuple[RoundTrip, ...]
    gallery: tuple[Missed, ...]
    folder: Path
    defended: Defended | None = None


def page(report: Report) -> str:
    """The page's text."""
    manifest = report.manifest
    data, refused = str(manifest["data"]), refused_pictures(manifest)
    sections = {
        "harm": ("By method and K", _harm(report)),
        "tables": ("The paper's tables", "".join(map(_round_trip, report.round_trips))),
        "size": ("By the size of the face", "".join(map(_size, report.round_trips))),
        **({} if report.defended is None else {"defences": _defended(report.defended)}),
        "gallery": ("Caught before, missed after", _gallery(report.gallery, report.folder)),
        "refused": ("Refused pictures", html_list(refused) if refused else "<p>None.</p>"),
        "manifest": ("Manifest", html_manifest(manifest)),
    }
    contents = "".join(
        f'<li><a href="#{name}">{title}</a></li>' for name, (title, _) in sections.items()
    )
    body = "".join(
        f'<section id="{name}"><h2>{title}</h2>{content}</section>'
        for name, (title, content) in sections.items()
    )
    return document(
        f"Study: {data}",
        f'<header><p class="kind">Super-resolution round trip, a study</p><h1>{escape(data)}</h1>'
        f"<p>{manifest['measured']} of {manifest['samples']} pictures measured, "
        f"{len(refused)} refused.{_precision(manifest)}</p></header>"
        '<section id="found"><h2>What was found</h2>'
        f"{html_list(map(escape, report.summary))}</section>"
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>{body}',
    )


def document(title: str, body: str) -> str:
    """A page that stands alone.

    Args:
        title: plain text.
        body: HTML of its main part.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def html_table(table: Table) -> str:
    """A table with its caption, in a box of its own that scrolls, and its notes below."""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    title = escape(table.title)
    if not table.rows:
        return f'<p class="missing">{title}</p>{notes}'
    columns = "".join(f'<th scope="col">{escape(head(one))}</th>' for one in table.columns)
    rows = "".join(
        f"<tr>{''.join(map(_cell, row, table.columns, range(len(row))))}</tr>" for row in table.rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{title}" tabindex="0"><table>'
        f"<caption>{title}</caption><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table>"
        f"</div>{notes}"
    )


def _cell(cell: str | int | float | Estimate | None, column: Column, place: int) -> str:
    said = escape(figure(cell, column))
    if isinstance(cell, Estimate) and cell.low == cell.low:
        said += f"<small>{interval(cell, column)}</small>"
    if place == 0:
        return f'<th scope="row">{said}</th>'
    return f'<td class="word">{said}</td>' if isinstance(cell, str) else f"<td>{said}</td>"


def _harm(report: Report) -> str:
    plots = "".join(map(html_plot, report.changes))
    control = "" if report.control is None else html_table(report.control)
    return f'<div class="plots">{plots}</div>{html_table(report.harm)}{control}'


def _round_trip(one: RoundTrip) -> str:
    curves = f'<div class="plots">{"".join(map(html_plot, one.roc))}</div>'
    return _folded(one, "".join(map(html_table, one.tables)) + curves)


def _size(one: RoundTrip) -> str:
    return _folded(one, html_table(one.size))


def _defended(defended: Defended) -> tuple[str, str]:
    tables = "".join(map(html_table, defended.tables))
    return "Defences", html_list(map(escape, defended.summary)) + tables


def _folded(one: RoundTrip, content: str) -> str:
    shown = " open" if one.first else ""
    title = f"<h3>{escape(one.method)}, K = {one.k:g}</h3>"
    return f"<details{shown}><summary>{title}</summary>{content}</details>"


def html_plot(plot: Plot) -> str:
    """The drawing in the colours of the page, which change with the reader's choice."""
    svg = plot.svg[plot.svg.index("<svg") :].replace(INK, "currentColor").replace(FAINT, "#8a98a5")
    for number, colour in enumerate(COLOURS, 1):
        svg = svg.replace(colour, f"var(--series-{number})")
    # Two drawings of a page may not use the same name inside; those of groups are used nowhere.
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{plot.name}-", svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    title, words = escape(plot.title), escape(plot.words)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{title} {words}" ', 1)
    return f"<figure>{svg}<figcaption>{title}</figcaption></figure>"


def _gallery(missed: Sequence[Missed], folder: Path) -> str:
    if not missed:
        return "<p>No pictures are kept with this study.</p>"
    figures = []
    for one in missed:
        clean, attacked = (b64encode(path.read_bytes()).decode() for path in files(folder, one))
        said = f"{one.detector}, {one.method}, K = {one.k:g}: {one.sample}, {one.forgery}"
        figures.append(
            f'<figure class="pair"><img alt="Clean face" src="data:image/png;base64,{clean}">'
            f'<img alt="Attacked face" src="data:image/png;base64,{attacked}"><figcaption>'
            f"{escape(said)}. Fake probability <b>{one.clean:.3f}</b> clean, "
            f"<b>{one.attacked:.3f}</b> attacked; fake from {one.threshold:.3f}.</figcaption>"
            "</figure>"
        )
    return (
        "<p>Fakes that a detector caught clean and missed attacked, those whose fake probability "
        "fell furthest. Left clean, right attacked.</p>"
        f'<div class="pairs">{"".join(figures)}</div>'
    )


def _precision(manifest: Mapping[str, object]) -> str:
    """What is to be known about the numbers of the fast mode; the exact one needs no word."""
    if manifest.get("precision", "float32") == "float32":
        return ""
    return (
        " The networks computed in bfloat16, the fast mode: logits differ from those of float32 by "
        "a few hundredths, so that a verdict close to the threshold may differ too."
    )


def refused_pictures(manifest: Mapping[str, object]) -> list[str]:
    """The refused pictures of a manifest as HTML: each with the sentence that says why."""
    refused = manifest["refused"]
    assert isinstance(refused, list)
    return [f"{escape(one['sample'])}: {escape(one['why'])}" for one in refused]


def html_manifest(manifest: Mapping[str, object]) -> str:
    """A manifest, folded."""
    said = escape(json.dumps(manifest, indent=2, ensure_ascii=False))
    return (
        "<details><summary>What was asked, of which data, with which weights and versions"
        f'</summary><pre tabindex="0">{said}</pre></details>'
    )


def html_list(sentences: Iterable[str]) -> str:
    """Sentences, HTML already, one below the other."""
    return f"<ul>{''.join(f'<li>{one}</li>' for one in sentences)}</ul>"


def _style() -> str:
    return re.sub(r"\s+", " ", STYLE.read_text(encoding="utf-8"))
