"""What the paper leaves open: which K, which restorer and which faces are hurt, and by how much."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import spearmanr

from demo.core.errors import SettingsError
from demo.study.figures import CONTROL, Comparison, Figures
from demo.study.measuring import CLEAN
from demo.study.rates import Flags, Floats, Judged, change, mean
from demo.study.results import Results
from demo.study.samples import PRISTINE
from demo.study.table import Cell, Column, Table, reasons

SIZES: Final = ("smallest third", "middle third", "largest third")
ROUND_TRIP: Final = (Column("Detector"), Column("Method"), Column("K"))


def harm_table(results: Results, figures: Figures, seed: int) -> Table:
    """What every round trip does to every detector: methods and K side by side."""
    rows: list[tuple[Cell, ...]] = []
    for one in figures.overall:
        found = results.answers(one.detector, one.method, one.k, None)
        ssim = mean(found["ssim"].to_numpy(np.float64), found["source"].to_numpy(), seed)
        tests = _of(figures.attacks, one.detector, one.method, one.k)
        after = one.attacked
        rows.append(
            (one.detector, one.method, one.k, ssim, after.fnr, after.fpr, after.auc, *tests)
        )
    columns = (
        *ROUND_TRIP,
        Column("SSIM", digits=3),
        Column("FNR, attacked", "%"),
        Column("FPR, attacked", "%"),
        Column("AUC, attacked", "%"),
        *_tested("Change of FNR", "FNR"),
        *_tested("Change of FPR", "FPR"),
    )
    title = "Attacked less clean error rates, by method and K; 95 % intervals over sources."
    return Table("harm", title, columns, tuple(rows), _notes(figures, figures.attacks))


def control_table(results: Results, figures: Figures) -> Table | None:
    """What a method does beyond plain blur: its error rates less bicubic's at the same K.

    Returns:
        None where bicubic was not asked at the K of another method.
    """
    pairs = [
        (method, k)
        for method, k in results.round_trips
        if method != CONTROL and (CONTROL, k) in results.round_trips
    ]
    if not pairs:
        return None
    rows: list[tuple[Cell, ...]] = []
    for detector in dict.fromkeys(one.detector for one in figures.controls):
        for method, k in pairs:
            rows.append((detector, method, k, *_of(figures.controls, detector, method, k)))
    columns = (
        *ROUND_TRIP,
        *_tested("FNR less bicubic's", "FNR"),
        *_tested("FPR less bicubic's", "FPR"),
    )
    title = "What each method adds to plain blur: its error rates less those of bicubic at that K."
    return Table("control", title, columns, tuple(rows), _notes(figures, figures.controls))


def size_table(results: Results, method: str, k: float, seed: int) -> Table:
    """What one round trip does to small, middling and large faces, a third of them each."""
    rows: list[tuple[Cell, ...]] = []
    missing: dict[str, str] = {}
    for detector in results.detectors:
        side = results.answers(detector, CLEAN, 1.0, None)["face_side"].to_numpy(np.float64)
        third = np.searchsorted(np.quantile(side, [1 / 3, 2 / 3]), side, side="right")
        try:
            clean = results.judged(detector, CLEAN, 1.0, None)
            attacked = results.judged(detector, method, k, None)
        except SettingsError as reason:
            missing[detector] = str(reason)
            continue
        for place, size in enumerate(SIZES):
            chosen = third == place
            try:
                changes = _changes(_part(clean, chosen), _part(attacked, chosen), seed)
            except SettingsError as reason:
                missing[f"{detector}, {size}"] = str(reason)
                continue
            sides = f"{side[chosen].min():.0f} to {side[chosen].max():.0f}"
            rows.append((detector, size, sides, int(chosen.sum()), *changes))
    columns = (
        Column("Detector"),
        Column("Faces"),
        Column("Side", "px"),
        Column("Number"),
        Column("Change of FNR", "%"),
        Column("p, FNR", digits=4),
        Column("Change of FPR", "%"),
        Column("p, FPR", digits=4),
    )
    title = f"Attacked less clean error rates by the size of the face; {method}, K = {k:g}."
    return Table(f"size_{method}_k{k:g}", title, columns, tuple(rows), reasons(missing))


def correlation_table(results: Results, method: str, k: float) -> Table:
    """Whether faces that change more are judged worse: SSIM against the change of the error.

    The error of a face is how far its fake probability lies from the truth; the published code
    mixed both classes, with signed differences of scores. Where SSIM or error are the same for all
    there is no correlation.
    """
    rows: list[tuple[Cell, ...]] = []
    for detector in results.detectors:
        clean = results.answers(detector, CLEAN, 1.0, None)
        attacked = results.answers(detector, method, k, None)
        worse = _error(attacked) - _error(clean)
        for name, chosen in _classes(clean):
            ssim, changed = attacked["ssim"].to_numpy(np.float64)[chosen], worse[chosen]
            if not len(changed):
                continue
            figures: tuple[float | None, float | None] = None, None
            if min(np.ptp(ssim), np.ptp(changed)) > 0:
                found = spearmanr(ssim, changed)
                figures = float(found.statistic), float(found.pvalue)
            rows.append((detector, name, int(chosen.sum()), *figures))
    columns = (
        Column("Detector"),
        Column("Images"),
        Column("Number"),
        Column("Spearman's rho", digits=3),
        Column("p", digits=4),
    )
    title = f"SSIM against the change of the detector's error; {method}, K = {k:g}."
    return Table(f"correlation_{method}_k{k:g}", title, columns, tuple(rows))


def _tested(title: str, rate: str) -> tuple[Column, ...]:
    return Column(title, "%"), Column(f"p, {rate}", digits=4), Column(f"Holm's p, {rate}", digits=4)


def _of(tests: tuple[Comparison, ...], detector: str, method: str, k: float) -> list[Cell]:
    return [
        cell
        for one in tests
        if (one.detector, one.method, one.k) == (detector, method, k)
        for cell in (one.change.points, one.change.p_value, one.adjusted_p)
    ]


def _notes(figures: Figures, tests: tuple[Comparison, ...]) -> tuple[str, ...]:
    notes = [
        *reasons({one: why for (one, forgery), why in figures.impossible.items() if not forgery})
    ]
    if tests:
        notes.append(
            f"Holm's p is p adjusted for all {len(tests)} tests of this table; the intervals are "
            "for one figure each."
        )
    return tuple(notes)


def _changes(before: Judged, after: Judged, seed: int) -> list[Cell]:
    both = [change(before, after, of_fakes, seed) for of_fakes in (True, False)]
    return [cell for one in both for cell in (one.points, one.p_value)]


def _part(judged: Judged, chosen: Flags) -> Judged:
    if not chosen.any():
        raise SettingsError("No face is of this size, since many are of the same one.")
    source = pd.factorize(judged.source[chosen])[0]
    return Judged(judged.fake[chosen], judged.logit[chosen], judged.threshold, source)


def _error(found: pd.DataFrame) -> Floats:
    truth = (found["forgery"] != PRISTINE).to_numpy(np.float64)
    error: Floats = np.abs(expit(found["logit"].to_numpy(np.float64)) - truth)
    return error


def _classes(found: pd.DataFrame) -> list[tuple[str, Flags]]:
    pristine = (found["forgery"] == PRISTINE).to_numpy()
    return [("pristine", pristine), ("fake", ~pristine)]
