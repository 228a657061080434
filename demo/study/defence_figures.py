"""Every figure of the table of defences, computed once: what each does, and against plain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from demo.core.defences import Defence
from demo.core.errors import SettingsError
from demo.study.figures import FNR, FPR
from demo.study.measuring import CLEAN, PGD
from demo.study.rates import (
    Change,
    Estimate,
    Floats,
    Judged,
    change,
    divide,
    drawn_auc,
    draws,
    holm,
    interval,
    paired_p,
    per_source,
    share,
    wrong,
)
from demo.study.results import Results, judged_rows

THIRD: Final = 1 / 3
PRICE: Final = 0.01
BEFORE: Final = (CLEAN, 1.0)

# Method and K of what was done to the pictures.
Asked = tuple[str, float]


@dataclass(frozen=True)
class Standing:
    """A plain detector or a defence, alone.

    Attributes:
        name: of the detector or the defence.
        defence: None for a plain detector.
        auc: clean.
        price: clean AUC less that of the plain detector; None where there is none.
        errors: FNR and FPR by what was done to the pictures, clean ones included.
    """

    name: str
    defence: Defence | None
    auc: Estimate
    price: Estimate | None
    errors: Mapping[Asked, tuple[Estimate, Estimate]]


@dataclass(frozen=True)
class Beside:
    """An error rate of a defence less its plain detector's, on the same pictures.

    Attributes:
        defence: who is compared.
        asked: what was done to the pictures.
        rate: ``FNR`` or ``FPR``.
        change: the difference with its test.
        adjusted_p: by ``rates.holm``, for all tests of this kind.
    """

    defence: Defence
    asked: Asked
    rate: str
    change: Change
    adjusted_p: float = 1.0


@dataclass(frozen=True)
class Shrinking:
    """What an attack does to a defence, beside what it does to the plain detector.

    Attributes:
        defence: who is compared.
        asked: the attack.
        plain: the attack's change of FNR + FPR of the plain detector.
        defended: that of the defence.
        less: ``defended`` less ``plain``.
        p_value: of ``less``, two-sided, by ``rates.paired_p``.
        ratio: ``defended`` over ``plain``; None where the plain detector hardly suffers: the
            interval of its change reaches 0.
        kept: whether the bar is kept: a ratio of a third or less, at a clean AUC that is lower by
            0.01 at most; None where there is no ratio.
        adjusted_p: by ``rates.holm``, for all tests of this kind.
    """

    defence: Defence
    asked: Asked
    plain: Estimate
    defended: Estimate
    less: Estimate
    p_value: float
    ratio: Estimate | None
    kept: bool | None
    adjusted_p: float = 1.0


@dataclass(frozen=True)
class DefenceFigures:
    """The figures of the table of defences.

    Attributes:
        standings: plain detectors, then defences, in the order asked.
        beside: every defence against its plain detector, under everything that was asked.
        shrinking: the same for every attack.
        attacks: all of them, in the order asked.
        measured: number of pictures by what was done to them.
        impossible: why there are no figures, by name.
        still: how many crops PGD left as they were, by name; only where there are any.
    """

    standings: tuple[Standing, ...]
    beside: tuple[Beside, ...]
    shrinking: tuple[Shrinking, ...]
    attacks: tuple[Asked, ...]
    measured: Mapping[Asked, int]
    impossible: Mapping[str, str]
    still: Mapping[str, int]


def measure_defences(results: Results, defences: Sequence[Defence], seed: int) -> DefenceFigures:
    """Compute every figure; the seed draws sources and swaps.

    Args:
        results: everything that the study asked.
        defences: those among its detectors.
        seed: of every draw.
    """
    attacks = tuple((str(method), float(k)) for method, k in results.round_trips)
    answers, impossible = _answers(results, attacks)
    known = {one.name: one for one in defences}
    aucs = {name: drawn_auc(of[BEFORE].after, seed) for name, of in answers.items()}
    standings: list[Standing] = []
    for name, of in answers.items():
        defence = known.get(name)
        value, drawn = aucs[name]
        price = None
        if defence is not None and defence.plain in aucs:
            plain, plain_drawn = aucs[defence.plain]
            price = interval(value - plain, drawn - plain_drawn)
        errors = {
            asked: (_rate(one.after, True, seed), _rate(one.after, False, seed))
            for asked, one in of.items()
        }
        standings.append(Standing(name, defence, interval(value, drawn), price, errors))
    prices = {one.name: one.price for one in standings}
    compared = [known[name] for name in answers if name in known and known[name].plain in answers]
    beside: list[Beside] = []
    shrinking: list[Shrinking] = []
    for defence in compared:
        for asked, own in answers[defence.name].items():
            plain_own = answers[defence.plain][asked]
            for rate in (FNR, FPR):
                found = change(plain_own.after, own.after, of_fakes=rate == FNR, seed=seed)
                beside.append(Beside(defence, asked, rate, found))
            if asked != BEFORE:
                price = prices[defence.name]
                assert price is not None
                shrinking.append(_shrinking(defence, asked, plain_own, own, price, seed))
    first = next(iter(answers.values()), {})
    return DefenceFigures(
        standings=tuple(standings),
        beside=_adjusted_beside(beside),
        shrinking=_adjusted_shrinking(shrinking),
        attacks=attacks,
        measured={asked: len(one.after.fake) for asked, one in first.items()},
        impossible=impossible,
        still=_still(results.rows),
    )


@dataclass(frozen=True)
class _Answers:
    """One detector's answers about the pictures of one attack: clean ones, and attacked ones."""

    before: Judged
    after: Judged


@dataclass(frozen=True)
class _Harm:
    """An attack's change of FNR + FPR: its value, that of every draw, what each source adds."""

    value: float
    drawn: Floats
    of_source: Floats


def _answers(
    results: Results, attacks: Sequence[Asked]
) -> tuple[dict[str, dict[Asked, _Answers]], dict[str, str]]:
    """By name and attack; and why there are none."""
    rows = {
        (str(name), str(method), float(k)): found
        for (name, method, k), found in results.rows.groupby(
            ["detector", "method", "k"], sort=False
        )
    }
    answers: dict[str, dict[Asked, _Answers]] = {}
    impossible: dict[str, str] = {}
    for name in results.rows["detector"].unique():
        own: dict[Asked, _Answers] = {}
        for asked in (BEFORE, *attacks):
            try:
                own[asked] = _answered(rows[name, *BEFORE], rows[name, *asked])
            except SettingsError as reason:
                impossible[name if asked[0] != PGD else f"{name}, {PGD}"] = str(reason)
        if BEFORE in own:
            answers[name] = own
    return answers, impossible


def _still(rows: pd.DataFrame) -> dict[str, int]:
    unchanged = rows[(rows["method"] == PGD) & np.isinf(rows["psnr_db"])]
    return {str(name): len(own) for name, own in unchanged.groupby("detector", sort=False)}


def _answered(clean: pd.DataFrame, attacked: pd.DataFrame) -> _Answers:
    same = clean[clean["sample"].isin(attacked["sample"])]
    return _Answers(judged_rows(same), judged_rows(attacked))


def _rate(judged: Judged, of_fakes: bool, seed: int) -> Estimate:
    counted = judged.fake if of_fakes else ~judged.fake
    return share(per_source(judged, wrong(judged) & counted), per_source(judged, counted), seed)


def _shrinking(
    defence: Defence, asked: Asked, plain: _Answers, own: _Answers, price: Estimate, seed: int
) -> Shrinking:
    without, with_it = _harm(plain, seed), _harm(own, seed)
    suffered = interval(without.value, without.drawn)
    ratio = None
    if suffered.low > 0:
        # A draw in which the plain detector does not suffer tells nothing in the defence's favour.
        hurt = without.drawn > 0
        drawn = np.where(hurt, with_it.drawn / np.where(hurt, without.drawn, 1.0), np.inf)
        with np.errstate(invalid="ignore"):
            ratio = interval(with_it.value / without.value, drawn)
    return Shrinking(
        defence=defence,
        asked=asked,
        plain=suffered,
        defended=interval(with_it.value, with_it.drawn),
        less=interval(with_it.value - without.value, with_it.drawn - without.drawn),
        p_value=paired_p(with_it.of_source - without.of_source, seed),
        ratio=ratio,
        kept=None if ratio is None else ratio.value <= THIRD and price.value >= -PRICE,
    )


def _harm(answers: _Answers, seed: int) -> _Harm:
    before, after = answers.before, answers.after
    parts: list[_Harm] = []
    for counted in (before.fake, ~before.fake):
        whole = per_source(before, counted)
        wrong_before, wrong_after = (
            per_source(one, wrong(one) & counted) for one in (before, after)
        )
        more = wrong_after - wrong_before
        times = draws(len(whole), seed)
        drawn = divide(times @ more, times @ whole)
        parts.append(_Harm(float(more.sum() / whole.sum()), drawn, more / whole.sum()))
    fnr, fpr = parts
    return _Harm(fnr.value + fpr.value, fnr.drawn + fpr.drawn, fnr.of_source + fpr.of_source)


def _adjusted_beside(family: Sequence[Beside]) -> tuple[Beside, ...]:
    adjusted = holm([one.change.p_value for one in family])
    return tuple(replace(one, adjusted_p=p) for one, p in zip(family, adjusted, strict=True))


def _adjusted_shrinking(family: Sequence[Shrinking]) -> tuple[Shrinking, ...]:
    adjusted = holm([one.p_value for one in family])
    return tuple(replace(one, adjusted_p=p) for one, p in zip(family, adjusted, strict=True))
