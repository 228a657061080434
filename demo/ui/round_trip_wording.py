"""What the page says beside the verdicts about a round trip seen in either crop, as HTML."""

from demo.core.analysis import FaceResult
from demo.core.round_trip_detection import RoundTripVerdict
from demo.round_trip_words import advice, seen


def round_trips(result: FaceResult) -> str:
    """One line a crop, and what follows from it; empty where nothing can be said of either."""
    clean, attacked = result.clean_round_trip, result.attacked_round_trip
    if clean is None and attacked is None:
        return ""
    follows = advice(clean, attacked)
    return (
        '<div class="round-trip"><h3>Round trip, looking at each crop alone</h3><dl>'
        f"{_line('Clean crop', clean)}{_line('Attacked crop', attacked)}</dl>"
        + (f"<p>{follows}</p>" if follows else "")
        + "</div>"
    )


def _line(name: str, verdict: RoundTripVerdict | None) -> str:
    tone = "seen" if verdict is not None and verdict.fired else "unseen"
    return f'<div class="{tone}"><dt>{name}</dt><dd>{seen(verdict)}</dd></div>'
