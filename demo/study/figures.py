"""Every rate and every test of a study, computed once; tables, plots and sentences show them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from demo.core.errors import SettingsError
from demo.study.measuring import CLEAN
from demo.study.rates import Change, Rates, change, holm, rates
from demo.study.results import Results

CONTROL: Final = "bicubic"
FNR, FPR = "FNR", "FPR"
PAPERS_K: Final = 2.0


@dataclass(frozen=True)
class Harm:
    """What one round trip does to one detector.

    Attributes:
        detector: one of ``Results.detectors``.
        forgery: of the fakes; None for all that the detector was asked about.
        method: who restored.
        k: scale factor.
        clean: rates before.
        attacked: rates after, pristine and fake pictures attacked (setup 1).
        fakes_attacked: rates after, only the fakes attacked (setup 2).
        fnr: attacked less clean.
        fpr: the same, in setup 1; in setup 2 it cannot change.
    """

    detector: str
    forgery: str | None
    method: str
    k: float
    clean: Rates
    attacked: Rates
    fakes_attacked: Rates
    fnr: Change
    fpr: Change


@dataclass(frozen=True)
class Comparison:
    """One of many tests on one error rate of one detector.

    Attributes:
        detector: its name.
        method: who restored.
        k: scale factor.
        rate: ``FNR`` or ``FPR``.
        change: of the rate.
        adjusted_p: its p-value adjusted for all tests of its kind, by ``rates.holm``.
    """

    detector: str
    method: str
    k: float
    rate: str
    change: Change
    adjusted_p: float = 1.0


@dataclass(frozen=True)
class Figures:
    """The figures of a study.

    Attributes:
        by_forgery: fakes of one forgery against all pristine pictures.
        overall: all fakes against all pristine pictures.
        attacks: attacked against clean, all pictures.
        controls: each method against bicubic at the same K, all pictures.
        impossible: why there are no rates, by detector and forgery (None for all).
    """

    by_forgery: tuple[Harm, ...]
    overall: tuple[Harm, ...]
    attacks: tuple[Comparison, ...]
    controls: tuple[Comparison, ...]
    impossible: Mapping[tuple[str, str | None], str]

    @property
    def detectors(self) -> tuple[str, ...]:
        """Those with rates over all pictures, in the order asked."""
        return tuple(dict.fromkeys(one.detector for one in self.overall))


def measure_figures(results: Results, seed: int) -> Figures:
    """Compute every rate with its interval, and every test; the seed draws sources and swaps."""
    by_forgery: list[Harm] = []
    overall: list[Harm] = []
    impossible: dict[tuple[str, str | None], str] = {}
    for detector in results.detectors:
        asked = results.forgeries_of(detector)
        for forgery in (None, *(asked if len(asked) > 1 else ())):
            try:
                made = _harms(results, detector, forgery, seed)
            except SettingsError as reason:
                impossible[detector, forgery] = str(reason)
                continue
            (overall if forgery is None else by_forgery).extend(made)
            if len(asked) == 1:  # all its fakes are that forgery's
                by_forgery += [replace(one, forgery=asked[0]) for one in made]
    attacks = [
        Comparison(one.detector, one.method, one.k, rate, found)
        for one in overall
        for rate, found in ((FNR, one.fnr), (FPR, one.fpr))
    ]
    possible = dict.fromkeys(one.detector for one in overall)
    controls = [one for detector in possible for one in _against_control(results, detector, seed)]
    return Figures(
        tuple(by_forgery), tuple(overall), _adjusted(attacks), _adjusted(controls), impossible
    )


def papers_k(factors: set[float]) -> float:
    """The K that is shown first: the paper's, or the one nearest to it that was asked."""
    return min(factors, key=lambda k: (abs(k - PAPERS_K), k))


def _harms(results: Results, detector: str, forgery: str | None, seed: int) -> list[Harm]:
    before = results.judged(detector, CLEAN, 1.0, forgery)
    clean = rates(before, seed)
    made: list[Harm] = []
    for method, k in results.round_trips:
        after = results.judged(detector, method, k, forgery)
        fakes_after = results.judged(detector, method, k, forgery, fakes_only=True)
        made.append(
            Harm(
                detector=detector,
                forgery=forgery,
                method=method,
                k=k,
                clean=clean,
                attacked=rates(after, seed),
                fakes_attacked=rates(fakes_after, seed),
                fnr=change(before, after, of_fakes=True, seed=seed),
                fpr=change(before, after, of_fakes=False, seed=seed),
            )
        )
    return made


def _against_control(results: Results, detector: str, seed: int) -> list[Comparison]:
    asked = results.round_trips
    made: list[Comparison] = []
    for method, k in asked:
        if method == CONTROL or (CONTROL, k) not in asked:
            continue
        control = results.judged(detector, CONTROL, k, None)
        own = results.judged(detector, method, k, None)
        for rate in (FNR, FPR):
            found = change(control, own, of_fakes=rate == FNR, seed=seed)
            made.append(Comparison(detector, method, k, rate, found))
    return made


def _adjusted(family: list[Comparison]) -> tuple[Comparison, ...]:
    adjusted = holm([one.change.p_value for one in family])
    return tuple(
        replace(one, adjusted_p=p_value) for one, p_value in zip(family, adjusted, strict=True)
    )
