"""Curves of a study of white-box attacks: against strength, one panel a kind of distance."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from demo.core.white_box import ATTACKS, FGSM, L0, PGD_L2, PGD_LINF
from demo.sheet.drawing import DRAWING
from demo.study.measuring import CLEAN
from demo.study.plots import COLOURS, FAINT, MARKERS, REPEATABLE, Plot, svg_text
from demo.study.rates import Estimate
from demo.study.white_box_figures import Point, WhiteBoxResults
from demo.study.white_box_measuring import EQUAL_PSNR, ROUND_TRIP

Value = Callable[[Point], Estimate]

PANELS: Final = (
    ((PGD_LINF, "-"), (FGSM, "--"), "L∞ (8-bit levels): PGD"),
    ((PGD_L2, "-"), None, "L2 (root mean square, 8-bit levels): PGD"),
    ((L0, "-"), None, "L0 (pixels changed at most): Fast Minimum Norm"),
)


def success_plot(results: WhiteBoxResults) -> Plot:
    """Share of right verdicts that turn, against strength; the round trip beside them."""
    return Plot(
        name="white_box_success",
        title=(
            "Share of right verdicts that white-box attacks turn, by strength, with 95 % "
            f"intervals, on {_crops(results)} crops. In the middle, hollow: the round trip of all "
            "crops, at its mean error."
        ),
        words=_words(results, "success", lambda one: one.success),
        svg=_draw(results, "Success (%)", (lambda one: one.success,), 100, from_clean=False),
    )


def probability_plot(results: WhiteBoxResults) -> Plot:
    """Mean fake probability of fakes and of pristine crops, against strength, by PGD and L0."""
    return Plot(
        name="white_box_probability",
        title=(
            "Mean fake probability against strength, by PGD and in L0, with 95 % intervals, on "
            f"{_crops(results)} crops: fakes fall and pristine crops rise. At strength 0 the same "
            "crops as they were."
        ),
        words=_words(results, "fake probability of fakes", lambda one: one.fakes),
        svg=_draw(
            results,
            "Mean fake probability",
            (lambda one: one.fakes, lambda one: one.pristine),
            1,
            from_clean=True,
        ),
    )


def _draw(
    results: WhiteBoxResults, label: str, values: Sequence[Value], scale: float, from_clean: bool
) -> str:
    with DRAWING, rc_context(REPEATABLE):
        figure = Figure(figsize=(4.8, 8.0), layout="constrained")
        panels = figure.subplots(3, 1, sharey=True)
        for axes, (solid, dashed, name) in zip(panels, PANELS, strict=True):
            for place, detector in enumerate(results.detectors):
                shown = (solid,) if from_clean or dashed is None else (solid, dashed)
                for attack, style in shown:
                    own = [
                        p for p in results.points if (p.detector, p.attack) == (detector, attack)
                    ]
                    if own and from_clean:
                        own.insert(0, results.clean_of_curves(detector))
                    for value in values:
                        said = detector if style == "-" and value is values[0] else None
                        _curve(axes, own, value, place, style, scale, said)
            if solid[0] == PGD_L2 and not from_clean:
                _round_trips(axes, results, scale)
            _scale(axes, results, solid[0], from_clean)
            told = name if from_clean or dashed is None else f"{name}, and FGSM dashed"
            axes.set(xlabel=told, ylabel=label, ylim=(-0.04 * scale, 1.04 * scale))
        if panels[0].get_legend_handles_labels()[0]:
            panels[0].legend(fontsize=9, frameon=False, loc="center right")
        return svg_text(figure)


def _curve(
    axes: Axes,
    shown: Sequence[Point],
    value: Value,
    place: int,
    style: str,
    scale: float,
    label: str | None,
) -> None:
    if not shown:
        return
    middle = np.array([scale * value(one).value for one in shown])
    ends = np.array([(scale * value(one).low, scale * value(one).high) for one in shown]).T
    axes.errorbar(
        [one.strength for one in shown],
        middle,
        yerr=np.nan_to_num(np.abs(ends - middle)),
        color=COLOURS[place % len(COLOURS)],
        marker=MARKERS[place % len(MARKERS)],
        linestyle=style,
        markersize=4,
        linewidth=1.2,
        elinewidth=1,
        capsize=2,
        label=label,
    )


def _round_trips(axes: Axes, results: WhiteBoxResults, scale: float) -> None:
    for place, detector in enumerate(results.detectors):
        (one,) = (p for p in results.points if (p.detector, p.attack) == (detector, ROUND_TRIP))
        axes.plot(
            [one.strength],
            [scale * one.success.value],
            color=COLOURS[place % len(COLOURS)],
            marker=MARKERS[place % len(MARKERS)],
            markerfacecolor="none",
            markersize=9,
            linestyle="none",
        )


def _scale(axes: Axes, results: WhiteBoxResults, attack: str, from_zero: bool) -> None:
    """Strengths double or grow tenfold: logarithmic, with a place for 0 where it is shown."""
    asked = sorted({one.strength for one in results.points if one.attack == attack})
    if not asked:
        return
    axes.set_xscale("symlog", linthresh=asked[0], linscale=0.5, base=2)
    ticks = [*((0.0,) if from_zero else ()), *asked]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    if not from_zero:
        axes.set_xlim(left=0.7 * asked[0])
    axes.grid(axis="y", color=FAINT, linewidth=0.4, alpha=0.5)


def _crops(results: WhiteBoxResults) -> int:
    """How many crops were attacked at every strength."""
    return int(results.rows.loc[results.rows["attack"].isin(ATTACKS), "sample"].nunique())


def _words(results: WhiteBoxResults, what: str, value: Value) -> str:
    said = []
    for detector in results.detectors:
        parts = [
            f"{one.attack} {one.strength:g}: {value(one).value:.2f}"
            for one in results.points
            if one.detector == detector and one.attack not in (CLEAN, EQUAL_PSNR)
        ]
        said.append(f"{detector}, {what}: {'; '.join(parts)}.")
    return " ".join(said)
