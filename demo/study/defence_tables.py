"""The table of defences, and the two behind it: against plain, and the bar."""

from collections.abc import Mapping, Sequence
from typing import Final

from demo.core.own_gradient import MASKING
from demo.study.defence_figures import BEFORE, Asked, DefenceFigures, Shrinking, Standing
from demo.study.measuring import JPEG, JPEG_QUALITY, PGD
from demo.study.table import Cell, Column, Table, reasons

MAIN: Final = "edsr"
SHOWN_K: Final = (2.0, 4.0)
RESNET: Final = "resnet50"
VERDICTS: Final = {True: "kept", False: "missed", None: "plain hardly suffers"}


def defence_tables(figures: DefenceFigures, costs: Mapping[str, float]) -> tuple[Table, ...]:
    """The table of defences first.

    Args:
        figures: of the study.
        costs: milliseconds a face by name; empty where none were taken.
    """
    return defences_table(figures, costs), against_table(figures), bar_table(figures)


def shown_attacks(figures: DefenceFigures) -> tuple[Asked, ...]:
    """The round trips that the table of defences shows: EDSR at K = 2 and 4, where asked."""
    return tuple((MAIN, k) for k in SHOWN_K if (MAIN, k) in figures.attacks)


def condition(asked: Asked) -> str:
    """What was done to pictures, in words."""
    method, k = asked
    named = {BEFORE[0]: "clean", JPEG: f"JPEG {JPEG_QUALITY}", PGD: "PGD of equal PSNR"}
    return named.get(method, f"{method}, K = {k:g}")


def defences_table(figures: DefenceFigures, costs: Mapping[str, float]) -> Table:
    """Rows: plain detectors and defences. Columns: errors clean and attacked, price, cost."""
    extra = [asked for asked in figures.attacks if asked[0] in (JPEG, PGD)]
    shown = (BEFORE, *shown_attacks(figures), *extra)
    columns = [
        Column("Detector"),
        Column("Kind"),
        Column("Against"),
        Column("Clean AUC", "%"),
        Column("Clean AUC less plain's", "%"),
    ]
    for asked in shown:
        pictures = f", n = {figures.measured.get(asked, 0)}" if asked[0] == PGD else ""
        columns += [Column(f"{rate}, {condition(asked)}{pictures}", "%") for rate in ("FNR", "FPR")]
    columns += [
        Column("Cost per face", "ms"),
        Column("Cost over plain's", "×", 2),
        Column(f"Cost over {RESNET}'s", "×", 2),
    ]
    rows = tuple(
        (
            one.name,
            one.defence.kind if one.defence else "plain",
            (one.defence.plain if one.defence else "") or "–",
            one.auc,
            one.price,
            *(rate for asked in shown for rate in one.errors.get(asked, (None, None))),
            *_cost(one, costs),
        )
        for one in figures.standings
    )
    title = "Plain detectors and defences on the same pictures; 95 % intervals over sources."
    notes = [
        "The robust twins of the plain detectors are read at the plain ones' thresholds, all "
        "others at their own.",
        *reasons(figures.impossible),
    ]
    if any(asked[0] == PGD for asked in extra):
        notes.append(
            "PGD goes against the row's own network, of an input policy against the network behind "
            "it, with the PSNR that the round trip by EDSR at K = 2 gives the very same crop."
        )
    notes += [
        f"{name}: on {count} of the crops under PGD its own gradient is zero, or lost in rounding, "
        f"and they stay as they are. Rates that rest on them show no robustness ({MASKING})."
        for name, count in figures.still.items()
    ]
    if costs:
        notes.append("Cost: median time of one crop in one thread, all networks taking turns.")
    return Table("defences", title, tuple(columns), rows, tuple(notes))


def against_table(figures: DefenceFigures) -> Table:
    """Every defence's error rates less the plain detector's, clean and after every attack."""
    rows: list[tuple[Cell, ...]] = []
    pairs = zip(figures.beside[::2], figures.beside[1::2], strict=True)
    for fnr, fpr in pairs:
        tests = [
            cell
            for one in (fnr, fpr)
            for cell in (one.change.points, one.change.p_value, one.adjusted_p)
        ]
        rows.append((fnr.defence.name, fnr.defence.plain, condition(fnr.asked), *tests))
    columns = (
        Column("Defence"),
        Column("Against"),
        Column("Pictures"),
        *_tested("FNR"),
        *_tested("FPR"),
    )
    title = "Error rates of each defence less those of its plain detector on the same pictures."
    return Table(
        "defences_against_plain", title, columns, tuple(rows), _family(len(figures.beside))
    )


def bar_table(figures: DefenceFigures) -> Table:
    """By how much each defence shrinks what every attack does to FNR + FPR."""
    rows = tuple(_bar(one) for one in figures.shrinking)
    columns = (
        Column("Defence"),
        Column("Against"),
        Column("Attack"),
        Column("Change of FNR + FPR, plain", "%"),
        Column("Change of FNR + FPR, defended", "%"),
        Column("Defended less plain", "%"),
        Column("p", digits=4),
        Column("Holm's p", digits=4),
        Column("Defended over plain", digits=2),
        Column("Bar"),
    )
    title = "What each attack does to FNR + FPR of the plain detector and of the defence."
    notes = (
        "Bar: a third of the plain detector's change or less, with a clean AUC lower by at most "
        "1 point, both as measured; the intervals say how sure that is. Where the interval of the "
        "plain detector's change reaches 0 it hardly suffers, and there is no bar.",
        *_family(len(figures.shrinking)),
    )
    return Table("defences_bar", title, columns, rows, notes)


def _bar(one: Shrinking) -> tuple[Cell, ...]:
    return (
        one.defence.name,
        one.defence.plain,
        condition(one.asked),
        one.plain,
        one.defended,
        one.less,
        one.p_value,
        one.adjusted_p,
        one.ratio,
        VERDICTS[one.kept],
    )


def _tested(rate: str) -> Sequence[Column]:
    return (
        Column(f"{rate} less plain's", "%"),
        Column(f"p, {rate}", digits=4),
        Column(f"Holm's p, {rate}", digits=4),
    )


def _family(tests: int) -> tuple[str, ...]:
    if not tests:
        return ()
    return (
        f"Holm's p is p adjusted for all {tests} tests of this table; the intervals are for one "
        "figure each.",
    )


def _cost(one: Standing, costs: Mapping[str, float]) -> tuple[Cell, Cell, Cell]:
    own = costs.get(one.name)
    against = costs.get(one.defence.plain) if one.defence else None
    return own, _over(own, against), _over(own, costs.get(RESNET))


def _over(own: float | None, other: float | None) -> float | None:
    return own / other if own and other else None
