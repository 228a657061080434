"""What the paper leaves open: which K, which restorer and which faces are hurt, and by how much."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import spearmanr

from demo.study.measuring import CLEAN
from demo.study.rates import Change, Flags, Floats, Judged, change, mean
from demo.study.results import Results
from demo.study.samples import PRISTINE
from demo.study.table import Cell, Column, Table

CONTROL: Final = "bicubic"
SIZES: Final = ("smallest third", "middle third", "largest third")
CHANGES: Final = (
    Column("Change of FNR", "%"),
    Column("p", digits=4),
    Column("Change of FPR", "%"),
    Column("p", digits=4),
)


def harm_table(results: Results, seed: int) -> Table:
    """What every round trip does to every detector: methods and K side by side."""
    rows: list[tuple[Cell, ...]] = []
    for detector in results.detectors:
        clean = results.judged(detector, CLEAN, 1.0, None)
        for method, k in results.round_trips:
            found = results.answers(detector, method, k, None)
            ssim = mean(found["ssim"].to_numpy(np.float64), found["source"].to_numpy(), seed)
            attacked = results.judged(detector, method, k, None)
            rows.append((detector, method, k, ssim, *_changes(clean, attacked, seed)))
    columns = (Column("Detector"), Column("Method"), Column("K"), Column("SSIM", digits=3))
    title = "Attacked less clean error rates, by method and K; 95 % intervals over sources."
    return Table("harm", title, (*columns, *CHANGES), tuple(rows))


def control_table(results: Results, seed: int) -> Table | None:
    """What a method does beyond plain blur: its error rates less bicubic's at the same K.

    Returns:
        None where bicubic was not asked, or nothing else.
    """
    rows: list[tuple[Cell, ...]] = []
    asked = results.round_trips
    for detector in results.detectors:
        for method, k in asked:
            if method == CONTROL or (CONTROL, k) not in asked:
                continue
            control = results.judged(detector, CONTROL, k, None)
            own = results.judged(detector, method, k, None)
            rows.append((detector, method, k, *_changes(control, own, seed)))
    if not rows:
        return None
    columns = (
        Column("Detector"),
        Column("Method"),
        Column("K"),
        Column("FNR less bicubic's", "%"),
        Column("p", digits=4),
        Column("FPR less bicubic's", "%"),
        Column("p", digits=4),
    )
    title = "What each method adds to plain blur: its error rates less those of bicubic at that K."
    return Table("control", title, columns, tuple(rows))


def size_table(results: Results, method: str, k: float, seed: int) -> Table:
    """What one round trip does to small, middling and large faces, a third of them each."""
    rows: list[tuple[Cell, ...]] = []
    for detector in results.detectors:
        side = results.answers(detector, CLEAN, 1.0, None)["face_side"].to_numpy(np.float64)
        bounds = np.quantile(side, [0, 1 / 3, 2 / 3, 1])
        third = np.searchsorted(bounds[1:3], side, side="right")
        clean = results.judged(detector, CLEAN, 1.0, None)
        attacked = results.judged(detector, method, k, None)
        for place, size in enumerate(SIZES):
            chosen = third == place
            if not _both(clean.fake[chosen]):
                continue
            parts = _part(clean, chosen), _part(attacked, chosen)
            sides = f"{side[chosen].min():.0f} to {side[chosen].max():.0f}"
            rows.append((detector, size, sides, int(chosen.sum()), *_changes(*parts, seed)))
    columns = (Column("Detector"), Column("Faces"), Column("Side", "px"), Column("Number"))
    title = f"Attacked less clean error rates by the size of the face; {method}, K = {k:g}."
    return Table(f"size_{method}_k{k:g}", title, (*columns, *CHANGES), tuple(rows))


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


def _changes(before: Judged, after: Judged, seed: int) -> list[Cell]:
    both: Iterable[Change] = (change(before, after, of, seed) for of in (True, False))
    return [cell for one in both for cell in (one.points, one.p_value)]


def _part(judged: Judged, chosen: Flags) -> Judged:
    source = pd.factorize(judged.source[chosen])[0]
    return Judged(judged.fake[chosen], judged.logit[chosen], judged.threshold, source)


def _error(found: pd.DataFrame) -> Floats:
    truth = (found["forgery"] != PRISTINE).to_numpy(np.float64)
    error: Floats = np.abs(expit(found["logit"].to_numpy(np.float64)) - truth)
    return error


def _classes(found: pd.DataFrame) -> list[tuple[str, Flags]]:
    pristine = (found["forgery"] == PRISTINE).to_numpy()
    return [("pristine", pristine), ("fake", ~pristine)]


def _both(fake: Flags) -> bool:
    return bool(fake.any() and not fake.all())
