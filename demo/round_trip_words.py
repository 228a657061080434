"""What is seen of a round trip in a crop alone, in words that page and command line share."""

from __future__ import annotations

from demo.core.round_trip_detection import RoundTripVerdict


def seen(verdict: RoundTripVerdict | None) -> str:
    """Say whether a round trip is seen, with its probability; no sentence, it ends without a dot.

    Args:
        verdict: of one crop; None where nothing can be said.
    """
    if verdict is None:
        return "cannot be said, the crop is too small or the round-trip detector was refused"
    probability = _per_cent(verdict.probability)
    if verdict.fired:
        return f"seen ({probability}), K about {verdict.k:g}"
    return f"not seen ({probability})"


def advice(clean: RoundTripVerdict | None, attacked: RoundTripVerdict | None) -> str:
    """Say which scores deserve less trust; a sentence, empty where no round trip is seen."""
    named = (("clean", clean), ("attacked", attacked))
    fired = [name for name, verdict in named if verdict is not None and verdict.fired]
    if not fired:
        return ""
    crops = f"the {fired[0]} crop" if len(fired) == 1 else "both crops"
    return f"The scores of {crops} deserve less trust."


def _per_cent(probability: float) -> str:
    if probability > 0.99:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"
