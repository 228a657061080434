"""A study's curves as SVG with real text; the same figures give the same bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from demo.sheet.drawing import DRAWING
from demo.study.figures import FNR, FPR, Figures, Harm
from demo.study.measuring import CLEAN
from demo.study.results import Results
from demo.study.table import file_name

# Told apart without colour too: by order, marker or dashes. At least 3:1 on white.
COLOURS: Final = ("#0b6e6e", "#c8501e", "#64748b", "#7c3aed", "#1d4ed8", "#a21caf")
MARKERS: Final = ("o", "s", "^", "D", "v", "P")
INK: Final = "#16212b"
FAINT: Final = "#8a98a5"
REPEATABLE: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "study",
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.transparent": True,
}


@dataclass(frozen=True)
class Plot:
    """A drawing and what it says.

    Attributes:
        name: of its file.
        title: what it shows, in a sentence.
        words: what it says to those who cannot see it.
        svg: the drawing, text of an SVG file.
    """

    name: str
    title: str
    words: str
    svg: str


def roc_plots(
    results: Results, detectors: Sequence[str], method: str, k: float
) -> tuple[Plot, ...]:
    """ROC of detectors, solid clean and dashed attacked, as in Figure 2 of the paper.

    Returns:
        One plot for detectors that were asked about the same forgeries.

    Raises:
        SettingsError: there are no fakes, no pristine pictures, or one source alone.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for detector in detectors:
        groups.setdefault(results.forgeries_of(detector), []).append(detector)
    return tuple(
        _roc_plot(results, own, method, k, ", ".join(forgeries) if len(groups) > 1 else "")
        for forgeries, own in groups.items()
    )


def change_plot(figures: Figures, detector: str) -> Plot:
    """What every method does to one detector's FNR and FPR, against K, with 95 % intervals."""
    own = [one for one in figures.overall if one.detector == detector]
    methods = list(dict.fromkeys(one.method for one in own))
    with DRAWING, rc_context(REPEATABLE):
        figure = Figure(figsize=(4.6, 5.6), layout="constrained")
        both = figure.subplots(2, 1, sharex=True)
        for rate, axes in zip((FNR, FPR), both, strict=True):
            axes.axhline(0, color=FAINT, linewidth=1)
            for place, method in enumerate(methods):
                points = [
                    (one.k, (one.fnr if rate == FNR else one.fpr).points)
                    for one in sorted(own, key=lambda one: one.k)
                    if one.method == method
                ]
                beside = 0.06 * (place - (len(methods) - 1) / 2)
                value = np.array([100 * point.value for _, point in points])
                ends = np.array([(100 * point.low, 100 * point.high) for _, point in points]).T
                axes.errorbar(
                    [k + beside for k, _ in points],
                    value,
                    yerr=np.abs(ends - value),
                    color=COLOURS[place % len(COLOURS)],
                    marker=MARKERS[place % len(MARKERS)],
                    markersize=4,
                    linewidth=1.2,
                    elinewidth=1,
                    capsize=2,
                    label=method,
                )
            axes.set_ylabel(f"Change of {rate} (points)")
        both[1].set_xlabel("K")
        both[1].set_xticks(sorted({one.k for one in own}))
        both[0].legend(fontsize=9, frameon=False, title=detector)
        svg = svg_text(figure)
    return Plot(
        name=f"change_{file_name(detector)}",
        title=f"Change of FNR and FPR of {detector} by method and K, with 95 % intervals.",
        words=" ".join(_words(own, method) for method in methods),
        svg=svg,
    )


def _roc_plot(
    results: Results, detectors: Sequence[str], method: str, k: float, forgeries: str
) -> Plot:
    with DRAWING, rc_context(REPEATABLE):
        figure = Figure(figsize=(4.8, 4.2), layout="constrained")
        axes = figure.add_subplot()
        for place, detector in enumerate(detectors):
            for condition, style in (((CLEAN, 1.0), "-"), ((method, k), "--")):
                judged = results.judged(detector, *condition, None)
                false_alarms, caught, _ = roc_curve(judged.fake, judged.logit)
                label = f"{detector}, {'clean' if condition[0] == CLEAN else 'attacked'}"
                colour = COLOURS[place % len(COLOURS)]
                axes.plot(false_alarms, caught, style, color=colour, label=label, linewidth=1.4)
        axes.plot([0, 1], [0, 1], ":", color=FAINT, linewidth=1)
        axes.set(xlabel="FPR", ylabel="1 − FNR (share of fakes caught)", xlim=(0, 1), ylim=(0, 1))
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.legend(loc="lower right", fontsize=9, frameon=False)
        svg = svg_text(figure)
    return Plot(
        name=f"roc_{method}_k{k:g}{f'_{file_name(forgeries)}' if forgeries else ''}",
        title=(
            f"ROC{f' on {forgeries}' if forgeries else ''}, solid clean and dashed attacked; "
            f"{method}, K = {k:g}."
        ),
        words="Curves of every detector before and after; their areas are the AUC of Table 1.",
        svg=svg,
    )


def _words(own: Sequence[Harm], method: str) -> str:
    said = [
        f"K {one.k:g}: FNR {100 * one.fnr.points.value:+.1f}, FPR {100 * one.fpr.points.value:+.1f}"
        for one in own
        if one.method == method
    ]
    return f"{method}, in points: {'; '.join(said)}.".replace("-", "\u2212")


def svg_text(figure: Figure) -> str:
    """A drawing as the text of an SVG file that says no date."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
