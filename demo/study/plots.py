"""A study's curves as SVG with real text: ROC, solid where clean and dashed where attacked."""

import io

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from demo.study.measuring import CLEAN
from demo.study.results import Results

COLOURS = ("#0b6e6e", "#c8501e", "#64748b", "#7c3aed")
REPEATABLE = {"svg.fonttype": "none", "svg.hashsalt": "study", "font.family": "DejaVu Sans"}


def roc_curves(results: Results, method: str, k: float) -> str:
    """ROC of every detector, clean and attacked, as in Figure 2 of the paper.

    Returns:
        SVG text; the same results give the same bytes.
    """
    figure = Figure(figsize=(5.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for place, detector in enumerate(results.detectors):
        for condition, style in (((CLEAN, 1.0), "-"), ((method, k), "--")):
            judged = results.judged(detector, *condition, None)
            false_alarms, caught, _ = roc_curve(judged.fake, judged.logit)
            label = f"{detector}, {'clean' if condition[0] == CLEAN else f'{method}, K = {k:g}'}"
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(false_alarms, caught, style, color=colour, label=label, linewidth=1.3)
    axes.plot([0, 1], [0, 1], ":", color="#94a3b8", linewidth=1)
    axes.set(xlabel="FPR", ylabel="1 − FNR (share of fakes caught)", xlim=(0, 1), ylim=(0, 1))
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    text = io.StringIO()
    with rc_context(REPEATABLE):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
