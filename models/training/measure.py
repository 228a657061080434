"""Figures of a detector with their 95 % intervals."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from torch import nn

from models.cards import DetectorCard, Figure
from models.detectors import fake_logits, prepare

Pictures = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]
RESAMPLES = 1000
BATCH = 32


@torch.inference_mode()
def ask(
    network: nn.Module,
    card: DetectorCard,
    crops: Sequence[Pictures] | Pictures,
    change: Callable[[Pictures], Pictures] = lambda crop: crop,
) -> Numbers:
    """Fake logits of many crops.

    Args:
        network: The detector, in evaluation mode.
        card: How its input is prepared.
        crops: Face crops, uint8 RGB.
        change: What is done to each crop first, such as a JPEG encoding.

    Returns:
        One logit a crop, float64.
    """
    logits: list[Numbers] = []
    for batch in _batches(crops):
        prepared = prepare([change(crop) for crop in batch], card)
        prepared = prepared.contiguous(memory_format=torch.channels_last)
        logits.append(fake_logits(network, prepared).double().numpy())
    return np.concatenate(logits)


def auc_figure(
    fake: npt.NDArray[np.bool_],
    logits: Numbers,
    source: npt.NDArray[np.str_],
    of: str,
    condition: str,
) -> Figure:
    """Area under the ROC curve; the interval is a percentile bootstrap over source videos.

    Args:
        fake: N labels.
        logits: N fake logits.
        source: N names of the real video behind each crop.
        of: On what it was measured.
        condition: Under which condition.

    Returns:
        The figure; 1000 resamples, seed 0.
    """
    resampled = [
        roc_auc_score(fake[weight > 0], logits[weight > 0], sample_weight=weight[weight > 0])
        for weight in _resampled_weights(source)
    ]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(
        "AUC", _round(roc_auc_score(fake, logits)), _round(low), _round(high), "", of, condition
    )


def mean_figure(
    name: str,
    values: Numbers,
    source: npt.NDArray[np.str_],
    unit: str,
    of: str,
    condition: str,
) -> Figure:
    """A mean over crops; its interval is drawn over source videos, as `auc_figure`'s.

    Args:
        name: What was measured.
        values: One a crop, in `unit`.
        source: N names of the real video behind each crop.
        unit: Of the figure.
        of: On what it was measured.
        condition: Under which condition.

    Returns:
        The figure; 1000 resamples, seed 0.
    """
    resampled = [np.average(values, weights=weight) for weight in _resampled_weights(source)]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(name, _round(values.mean()), _round(low), _round(high), unit, of, condition)


def balanced_threshold(fake: npt.NDArray[np.bool_], logits: Numbers) -> float:
    """The logit at which the mean of FNR and FPR is least, for a split that may be chosen on.

    Args:
        fake: N labels of both classes.
        logits: N fake logits.

    Returns:
        Half-way between two neighbouring logits; of equally good places the one closest to 0.
    """
    values = np.unique(logits)
    places = np.concatenate([[values[0] - 1], (values[1:] + values[:-1]) / 2, [values[-1] + 1]])
    missed = np.searchsorted(np.sort(logits[fake]), places) / fake.sum()
    spared = np.searchsorted(np.sort(logits[~fake]), places) / (~fake).sum()
    error = missed + 1 - spared
    best = places[error <= error.min() + 1e-12]
    return float(best[np.abs(best).argmin()])


def share_figure(name: str, hits: npt.NDArray[np.bool_], of: str, condition: str) -> Figure:
    """A share in per cent with Wilson's interval."""
    interval = binomtest(int(hits.sum()), hits.size).proportion_ci(method="wilson")
    low, high = 100 * interval.low, 100 * interval.high
    return Figure(name, _round(100 * hits.mean()), _round(low), _round(high), "%", of, condition)


def _resampled_weights(source: npt.NDArray[np.str_]) -> Iterator[npt.NDArray[np.int64]]:
    """How often each crop counts in each draw of as many videos as there are, with repetition."""
    rng = np.random.default_rng(0)
    names, group = np.unique(source, return_inverse=True)
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(names), size=len(names))
        yield np.bincount(drawn, minlength=len(names))[group]


def _round(number: float) -> float:
    return round(float(number), 4)


def _batches(crops: Sequence[Pictures] | Pictures) -> Iterator[Sequence[Pictures] | Pictures]:
    for first in range(0, len(crops), BATCH):
        yield crops[first : first + BATCH]
