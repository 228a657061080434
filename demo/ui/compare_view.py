"""A comparison as HTML: the crops side by side, and a table that sorts. Text is escaped.

Both are written from the same rows. Sorting happens in the browser, so that the focus stays where
it is; the crops follow the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from demo.core.compare import Reading, Row, asked_detectors
from demo.core.scoring import DetectorScore, called
from demo.core.settings import Settings
from demo.ui.pictures_input import Upload
from demo.ui.wording import SCOPE_NAMES, decibels, drawn, method_name
from demo.views import whole_factor

SIDE = 160
SORTING = """
const order = (one, other, numeric) =>
  numeric ? Number(one) - Number(other) : one.localeCompare(other);
const sort = (button) => {
  const head = button.closest('th'), table = button.closest('table');
  const falling = head.getAttribute('aria-sort') === 'ascending';
  table.querySelectorAll('[aria-sort]').forEach((other) => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
  const key = (row) => row.cells[button.dataset.column]?.dataset.key;
  const numeric = 'numeric' in button.dataset;
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return falling ? order(b, a, numeric) : order(a, b, numeric);
  });
  table.tBodies[0].append(...rows);
  const pair = (row) => element.querySelector(`.pairs [data-row="${row.dataset.row}"]`);
  element.querySelector('.pairs').append(...rows.map(pair).filter(Boolean));
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.dataset.column) sort(button);
  if (button?.dataset.open) trigger('select', {row: Number(button.dataset.open)});
});
"""


@dataclass(frozen=True)
class Entry:
    """A picture of a comparison, as one visitor keeps it.

    Attributes:
        upload: what was sent.
        row: what was found.
        crops: PNG files of the crop before and after; None where the picture was refused.
        readable: whether it is a picture, so that it can be opened even without a reading.
    """

    upload: Upload
    row: Row
    crops: tuple[str, str] | None
    readable: bool


def outcome(rows: Sequence[Row], left: int, settings: Settings) -> str:
    """How many pictures are compared, how many verdicts flipped, and under which settings."""
    readings = [row.reading for row in rows if row.reading is not None]
    done, total = len(readings), len(rows) + left
    pictures = "picture" if total == 1 else "pictures"
    flipped = sum(map(_flips, readings))
    asked = sum(len(reading.scores) for reading in readings)
    verdicts = f" {flipped} of {asked} verdicts flipped." if asked else ""
    scopes = SCOPE_NAMES | {"face": "the largest face only"}
    return (
        f"<p><strong>{total if done == total else f'{done} of {total}'} {pictures} compared."
        f"{verdicts}</strong> K = {settings.k:g}, restored by {method_name(settings.method)}, "
        f"shrunk by {settings.kernel} kernel, attacked: {scopes[settings.scope]}.</p>"
    )


def comparison(entries: Sequence[Entry], left: Sequence[Upload], said: str) -> str:
    """Crops and table of the pictures that are done, and a row that says ``said`` for the rest."""
    pairs = "".join(_pair(number, entry) for number, entry in enumerate(entries))
    table = _table(entries, left, said)
    return f'<div class="comparison"><ul class="pairs">{pairs}</ul>{table}</div>'


def _pair(number: int, entry: Entry) -> str:
    reading = entry.row.reading
    if reading is None or entry.crops is None:
        return ""
    name, flips = escape(entry.row.name), _flips(reading)
    said = f"{flips} of {len(reading.scores)} verdicts flipped"
    x0, y0, x1, y1 = reading.box
    width, height = x1 - x0, y1 - y0
    scale = min(whole_factor((width, height), SIDE), SIDE / max(width, height))
    enlarged = " pixels" if scale >= 1 else ""
    pictures = "".join(
        f'<figure><img class="crop{enlarged}" src="{_address(path)}" '
        f'width="{width * scale:.0f}" height="{height * scale:.0f}" alt="{name}: face {word}">'
        f"<figcaption>{word.capitalize()}</figcaption></figure>"
        for word, path in zip(("before", "after"), entry.crops, strict=True)
    )
    return (
        f'<li data-row="{number}"><h3 title="{name}">{name}</h3><div class="pair">{pictures}</div>'
        f"<p>{f'<strong>{said}</strong>' if flips else said}</p>"
        f'<p class="under">{drawn(width, height, SIDE)}</p></li>'
    )


def _address(path: str) -> str:
    # Relative, so that it also holds where the page is served below another address.
    return f"gradio_api/file={quote(path)}"


def _table(entries: Sequence[Entry], left: Sequence[Upload], said: str) -> str:
    detectors = asked_detectors([entry.row for entry in entries])
    width = 4 + 3 * len(detectors)
    body = "".join(_line(number, entry, detectors, width) for number, entry in enumerate(entries))
    body += "".join(
        f"<tr><th scope=row>{escape(upload.name)}</th>{_said(said, width + 1)}</tr>"
        for upload in left
    )
    return (
        '<p class="under">Each row tells of the picture\'s largest face. Press a heading to sort, '
        "once more to turn the order round. <em>Open</em> shows the picture in the Analyse tab, "
        "under these settings, with its studio.</p>"
        '<div class="table" tabindex="0" role="region" aria-label="Every picture and its numbers">'
        f"<table><thead>{_head(detectors)}</thead><tbody>{body}</tbody></table></div>"
    )


def _head(detectors: dict[str, str]) -> str:
    alone = [("Face", "Face: how many were found"), ("SSIM", "SSIM"), ("PSNR (dB)", "PSNR (dB)")]
    first = _heading("Picture", "Picture", 0, numeric=False, tall=True) + "".join(
        _heading(word, said, column, tall=True) for column, (word, said) in enumerate(alone, 1)
    )
    second = ""
    for place, title in enumerate(map(escape, detectors.values())):
        column = 4 + 3 * place
        first += f'<th scope=colgroup colspan="3">{title}: fake probability</th>'
        second += _heading("before", f"{title} before", column)
        second += _heading("after", f"{title} after", column + 1)
        second += _heading("verdict", f"{title} verdict", column + 2, numeric=False)
    first += _heading("Flipped", "Flipped verdicts", 4 + 3 * len(detectors), tall=True)
    return f'<tr>{first}<th scope=col rowspan="2">Studio</th></tr><tr>{second}</tr>'


def _heading(word: str, said: str, column: int, numeric: bool = True, tall: bool = False) -> str:
    return (
        f'<th scope=col{" rowspan=2" if tall else ""}><button type="button" '
        f'data-column="{column}"{" data-numeric" if numeric else ""} '
        f'aria-label="{said}">{word}</button></th>'
    )


def _line(number: int, entry: Entry, detectors: dict[str, str], width: int) -> str:
    name, reading = escape(entry.row.name), entry.row.reading
    opening = f'<tr data-row="{number}"><th scope=row data-key="{name}">{name}</th>'
    button = (
        f'<button type="button" data-open="{number}" '
        f'aria-label="Open {name} in the studio">Open</button>'
        if entry.readable
        else ""
    )
    end = f"<td>{button}</td></tr>"
    if reading is None:
        return f"{opening}{_said(entry.row.refusal, width)}{end}"
    scores = {score.detector: score for score in reading.scores}
    cells = (
        _cell(reading.faces, f"1 of {reading.faces}")
        + _cell(reading.quality.ssim, f"{reading.quality.ssim:.4f}")
        + _cell(_sortable(reading.quality.psnr_db), decibels(reading.quality.psnr_db))
        + "".join(_score(scores.get(detector)) for detector in detectors)
        + _cell(_flips(reading), f"{_flips(reading)} of {len(reading.scores)}")
    )
    return opening + cells + end


def _said(sentence: str, width: int) -> str:
    return f'<td class="said" colspan="{width}"><span>{escape(sentence)}</span></td>'


def _score(score: DetectorScore | None) -> str:
    if score is None:
        return "<td>–</td>" * 3
    before, after = called(score.clean_fake), called(score.attacked_fake)
    words = f"Flipped: {before} → {after}" if score.flipped else f"Unchanged: {after}"
    shown = f"<strong>{words}</strong>" if score.flipped else words
    return (
        _cell(score.clean, f"{score.clean:.3f}")
        + _cell(score.attacked, f"{score.attacked:.3f}")
        + _cell(words, shown)
    )


def _flips(reading: Reading) -> int:
    return sum(score.flipped for score in reading.scores)


def _cell(key: str | float, shown: str) -> str:
    return f'<td data-key="{key}">{shown}</td>'


def _sortable(level: float) -> str:
    # As JavaScript's Number reads it.
    return "Infinity" if level == float("inf") else f"{level}"
