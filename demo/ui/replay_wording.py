"""What the page says about a repeated analysis, as HTML. What is not written here is escaped."""

from collections.abc import Sequence
from dataclasses import astuple
from html import escape

from demo.core.replay import Replay
from demo.replay_words import Row, explanation, headline, reason, row

ROWS = 100
_BOTH = ("Recorded", "Now")


def told(replay: Replay) -> str:
    """Whether every number is the same, else each that differs, and what may be the reason."""
    tone = "same" if replay.same else "flipped"
    parts = [f"<h2>{escape(headline(replay))}</h2>"]
    if replay.differences:
        rows = [row(one) for one in replay.differences]
        parts.append(_table("Differences from the record", ("Number", *_BOTH, "Change"), rows))
    if explanation(replay):
        parts.append(f"<p>{escape(explanation(replay))}</p>")
    if replay.reasons:
        rows = [reason(one) for one in replay.reasons]
        parts.append(_table("Possible reasons", ("Of what", *_BOTH), rows))
    return f'<div class="verdict {tone}">{"".join(parts)}</div>'


def _table(name: str, columns: Sequence[str], rows: Sequence[Row]) -> str:
    head = "".join(f"<th scope=col>{column}</th>" for column in columns)
    body = "".join(_line(one, len(columns)) for one in rows[:ROWS])
    more = f'<p class="under">And {len(rows) - ROWS} more.</p>' if len(rows) > ROWS else ""
    # Nobody wants a table read out at once; its sentence is.
    return (
        f'<div class="table" aria-live="off" tabindex="0" role="region" aria-label="{name}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}"
    )


def _line(one: Row, columns: int) -> str:
    what, *cells = (escape(cell) for cell in astuple(one)[:columns])
    return f"<tr><th scope=row>{what}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
