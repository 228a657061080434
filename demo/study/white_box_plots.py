"""Curves of a study of white-box attacks: against strength, one panel a kind of distance."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from demo.core.white_box import FGSM, L0, PGD_L2, PGD_LINF
from demo.sheet.drawing import DRAWING
from demo.study.measuring import CLEAN
from demo.study.plots import COLOURS, FAINT, MARKERS, REPEATABLE, Plot, svg_text
from demo.study.rates import Estimate
from demo.study.white_box import EQUAL_PSNR, ROUND_TRIP
from demo.study.white_box_figures import Point, WhiteBoxResults

Value = Callable[[Point], Estimate]

PANELS: Final = (
    ((PGD_LINF, "-"), (FGSM, "--"), "L∞ (8-bit levels): PGD solid, FGSM dashed"),
    ((PGD_L2, "-"), None, "L2 (root mean square, 8-bit levels): PGD"),
    ((L0, "-"), None, "L0 (pixels changed at most): Fast Minimum Norm"),
)


def success_plot(results: WhiteBoxResults) -> Plot:
    """Share of right verdicts that turn, against strength; the round trip beside them."""
    return Plot(
        name="white_box_success",
        title=(
            "Share of right verdicts that white-box attacks turn, by strength, with 95 % "
            "intervals. In the middle, hollow: the round trip at its mean error."
        ),
        words=_words(results, "success", lambda one: one.success),
        svg=_draw(results, "Success (%)", (("", lambda one: one.success),), 100),
    )


def probability_plot(results: WhiteBoxResults) -> Plot:
    """Mean fake probability of fakes and of pristine crops, against strength, by PGD and L0."""
    return Plot(
        name="white_box_probability",
        title=(
            "Mean fake probability against strength: fakes fall and pristine crops rise. At "
            "strength 0 the clean crops."
        ),
        words=_words(results, "fake probability of fakes", lambda one: one.fakes),
        svg=_draw(
            results,
            "Mean fake probability",
            (("fakes", lambda one: one.fakes), ("pristine", lambda one: one.pristine)),
            1,
        ),
    )


def _draw(
    results: WhiteBoxResults, label: str, values: Sequence[tuple[str, Value]], scale: float
) -> str:
    with DRAWING, rc_context(REPEATABLE):
        figure = Figure(figsize=(4.8, 8.0), layout="constrained")
        panels = figure.subplots(3, 1, sharey=True)
        for axes, (solid, dashed, name) in zip(panels, PANELS, strict=True):
            for place, detector in enumerate(results.detectors):
                for attack, style in (solid, *(() if dashed is None else (dashed,))):
                    own = [
                        p for p in results.points if (p.detector, p.attack) == (detector, attack)
                    ]
                    for _, value in values:
                        said = detector if style == "-" and value is values[0][1] else None
                        clean = results.clean(detector) if len(values) > 1 else None
                        _curve(axes, own, clean, value, place, style, scale, said)
            if solid[0] == PGD_L2 and len(values) == 1:
                _round_trips(axes, results, scale)
            _scale(axes, results, solid[0], len(values) > 1)
            axes.set(xlabel=name, ylabel=label, ylim=(-0.04 * scale, 1.04 * scale))
        panels[0].legend(fontsize=9, frameon=False, loc="center right")
        return svg_text(figure)


def _curve(
    axes: Axes,
    points: Sequence[Point],
    clean: Point | None,
    value: Value,
    place: int,
    style: str,
    scale: float,
    label: str | None,
) -> None:
    if not points:
        return
    shown = [*(() if clean is None else (clean,)), *points]
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
