"""What the table of defences says, in sentences made from its figures."""

from collections.abc import Sequence

from demo.study.defence_figures import BEFORE, DefenceFigures, Shrinking, Standing
from demo.study.defence_tables import condition, shown_attacks
from demo.study.measuring import JPEG, PGD
from demo.study.rates import Estimate


def defence_summary(figures: DefenceFigures) -> tuple[str, ...]:
    """Which defences keep the bar and at which price, and where the plain ones suffer at all."""
    if not figures.standings:
        return ()
    defended = [one for one in figures.standings if one.defence is not None]
    said = [_asked(figures, len(defended))]
    said += [sentence for one in defended for sentence in _of_defence(one, figures)]
    said += _suffering(figures)
    return tuple(said)


def _asked(figures: DefenceFigures, defences: int) -> str:
    count = f"{defences} defence was" if defences == 1 else f"{defences} defences were"
    pgd = [figures.measured.get(one, 0) for one in figures.attacks if one[0] == PGD]
    white_box = f", {pgd[0]} of them under PGD too" if pgd else ""
    return (
        f"{count} asked about the same {figures.measured[BEFORE]} pictures as the plain "
        f"detectors{white_box}."
    )


def _of_defence(one: Standing, figures: DefenceFigures) -> list[str]:
    assert one.defence is not None
    if one.price is None:
        return []
    shown = shown_attacks(figures)
    own = [
        found
        for found in figures.shrinking
        if found.defence.name == one.name and found.asked in shown
    ]
    price = f"its price is {_points(one.price)} points of clean AUC"
    parts = [_bar(found) for found in own]
    if not parts:
        return [f"{one.name}: {price}."]
    return [f"{one.name}: {'; '.join(parts)}; {price}."]


def _bar(one: Shrinking) -> str:
    where = condition(one.asked)
    if one.ratio is None:
        return (
            f"after {where} {one.defence.plain} hardly suffers (change of FNR + FPR "
            f"{_points(one.plain)} points), so that there is no bar to keep, and its own change is "
            f"{_points(one.defended)}"
        )
    kept = "keeps" if one.kept else "misses"
    return (
        f"{kept} the bar after {where}, where the change of FNR + FPR is {_points(one.defended)} "
        f"points against {_points(one.plain)} of {one.defence.plain} (ratio {_plain(one.ratio)})"
    )


def _suffering(figures: DefenceFigures) -> list[str]:
    said: list[str] = []
    tested: dict[str, dict[tuple[str, float], Estimate]] = {}
    for one in figures.shrinking:
        if one.asked[0] not in (JPEG, PGD):
            tested.setdefault(one.defence.plain, {})[one.asked] = one.plain
    for plain, changes in tested.items():
        hurt = [
            f"{condition(asked)} ({_points(change)})"
            for asked, change in changes.items()
            if change.low > 0
        ]
        of = f"{len(hurt)} of {len(changes)} round trips"
        where = f": {_listed(hurt)} points" if hurt else ""
        said.append(f"FNR + FPR of {plain} surely rises after {of}{where}.")
    return said


def _points(estimate: Estimate) -> str:
    value, low, high = (f"{100 * x:+.1f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} ({low} to {high})".replace("-", "\u2212")


def _plain(estimate: Estimate) -> str:
    value, low, high = (f"{x:.2f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value}, {low} to {high}".replace("-", "\u2212")


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
