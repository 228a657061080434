"""What a study found, in sentences made from its figures."""

from collections.abc import Sequence
from typing import Final

from demo.study.figures import CONTROL, FNR, FPR, Comparison, Figures
from demo.study.paper_tables import paper_rates
from demo.study.rates import Estimate
from demo.study.results import Results
from demo.study.samples import PRISTINE

LEVEL: Final = 0.05


def summary(results: Results, figures: Figures) -> tuple[str, ...]:
    """What was measured, the largest harm, and whether a method harms more than plain blur."""
    said = [_measured(results)]
    if figures.overall:
        said.append(_clean(figures))
        said += [_largest(figures.attacks, rate) for rate in (FNR, FPR)]
        said.append(_largest_fall(figures))
        said += _beyond_blur(results, figures)
        said.append(_papers_largest())
        said.append(
            "Every p-value here is adjusted for all tests of its table by Holm's method, which "
            "holds however tests depend on each other: these share their pictures. The 95 % "
            "intervals are for one figure each, drawn over sources and not over pictures."
        )
    return tuple(said)


def _measured(results: Results) -> str:
    samples = results.rows.drop_duplicates("sample")
    pristine = int((samples["forgery"] == PRISTINE).sum())
    methods = _listed(list(dict.fromkeys(method for method, _ in results.round_trips)))
    factors = _listed([f"{k:g}" for k in sorted({k for _, k in results.round_trips})])
    return (
        f"{len(samples)} pictures of {samples['source'].nunique()} sources: {pristine} pristine "
        f"and {len(samples) - pristine} fake. {_counted(len(results.detectors), 'detector')} "
        f"({_listed(results.detectors)}) judged {_what(results)} clean and after "
        f"{_counted(len(results.round_trips), 'round trip')}: {methods} at K = {factors}."
    )


def _what(results: Results) -> str:
    alone = any(
        results.forgeries_of(detector) != results.forgeries for detector in results.detectors
    )
    return "the pristine ones and the fakes each was trained on" if alone else "each one"


def _clean(figures: Figures) -> str:
    clean = {one.detector: one.clean for one in figures.overall}
    said = [
        f"{detector} misses {_rate(rates.fnr)} of the fakes and calls {_rate(rates.fpr)} of the "
        f"pristine pictures fake (AUC {100 * rates.auc.value:.1f} %)"
        for detector, rates in clean.items()
    ]
    return f"Before any attack {'; '.join(said)}."


def _largest(tests: Sequence[Comparison], rate: str) -> str:
    own = [one for one in tests if one.rate == rate]
    worst = max(own, key=lambda one: one.change.points.value)
    what = "fakes missed" if rate == FNR else "false alarms"
    if worst.change.points.value <= 0:
        return f"No {rate} rose ({what}): no round trip made any detector worse in this."
    chance = "" if worst.adjusted_p < LEVEL else " Chance alone could give as much."
    return (
        f"The largest rise of an {rate} ({what}) is {_told(worst)}, of {worst.detector} after "
        f"{worst.method} at K = {worst.k:g}, the largest of {len(own)} and so rather "
        f"on the high side.{chance}"
    )


def _largest_fall(figures: Figures) -> str:
    worst = min(figures.overall, key=lambda one: one.attacked.auc.value - one.clean.auc.value)
    if worst.attacked.auc.value >= worst.clean.auc.value:
        return "No AUC fell, which tells of harm at any threshold."
    return (
        f"The largest fall of an AUC, which tells of harm at any threshold, is from "
        f"{_rate(worst.clean.auc)} to {_rate(worst.attacked.auc)}, of {worst.detector} after "
        f"{worst.method} at K = {worst.k:g}."
    )


def _beyond_blur(results: Results, figures: Figures) -> list[str]:
    methods = [one for one in dict.fromkeys(m for m, _ in results.round_trips) if one != CONTROL]
    if not methods:
        return []
    if not figures.controls:
        return [
            f"What {_listed(methods)} does beyond plain blur is not known here: {CONTROL} was not "
            "asked at the same K."
        ]
    tested = {
        method: [one for one in figures.controls if one.method == method] for method in methods
    }
    return [_against_blur(method, tests) for method, tests in tested.items() if tests]


def _against_blur(method: str, tests: Sequence[Comparison]) -> str:
    changes = [one.change.points.value for one in tests if one.adjusted_p < LEVEL]
    more, less = (any(sign * value > 0 for value in changes) for sign in (1, -1))
    compared = f"than {CONTROL} in {_counted(len(tests), 'comparison')} at the same K (p < {LEVEL})"
    if more and less:
        said = f"{method} did more harm in some and less in others {compared}."
    else:
        said = f"{'More' if more else 'No more'} harm by {method} {compared} was found."
    for rate in (FNR, FPR):
        own = [one for one in tests if one.rate == rate]
        found = [one.change.points.value for one in own if one.adjusted_p < LEVEL]
        higher, lower = sum(value > 0 for value in found), sum(value < 0 for value in found)
        largest = max(own, key=lambda one: one.change.points.value)
        said += f" Its {rate} was higher in {higher} and lower in {lower} of {len(own)}"
        if largest.change.points.value > 0:
            said += (
                f"; the largest difference in its disfavour is {_told(largest)}, of "
                f"{largest.detector} at K = {largest.k:g}"
            )
        said += "."
    return said


def _papers_largest() -> str:
    paper = paper_rates(1)
    said = []
    for name, rate in (("fnr", FNR), ("fpr", FPR)):
        rise, detector, forgery = max(
            (paper[detector, forgery, "attacked"][name] - clean[name], detector, forgery)
            for (detector, forgery, images), clean in paper.items()
            if images == "clean"
        )
        said.append(f"{rate} +{100 * rise:.1f} points ({detector}, {forgery})")
    return (
        f"The largest rises that arXiv 2407.02670 reports, on FaceForensics++ with its own "
        f"detectors: {_listed(said)}."
    )


def _told(one: Comparison) -> str:
    points = one.change.points
    value, low, high = (f"{100 * x:+.1f}" for x in (points.value, points.low, points.high))
    p_value = "p < 0.001" if one.adjusted_p < 0.001 else f"p = {one.adjusted_p:.3f}"
    return f"{value} points ({low} to {high}; {p_value})".replace("-", "\u2212")


def _rate(estimate: Estimate) -> str:
    value, low, high = (f"{100 * x:.1f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} % ({low} to {high})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _listed(words: Sequence[str]) -> str:
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)
