"""Fits a detector to whole crops: its batch statistics, then its last layer.

Training sees cut-outs, a detector is asked about whole crops. And averaged weights have other
statistics than the average of the statistics. Both are mended without a gradient, on pairs of the
train split: the statistics are taken anew, as Izmailov et al. do for averaged weights ("Averaging
Weights Leads to Wider Optima and Better Generalization", UAI 2018, section 3.2), and the last layer
is a logistic regression on the features; how strongly it is held back is chosen on val.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler
from torch import nn
from tqdm import tqdm

from models.training.checkpoints import read_checkpoint, write_checkpoint
from models.training.detectors import Plan
from models.training.faces import Cutting, Faces
from models.training.networks import Statistics, begin, build_network, normalise

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
BATCH = 32
STATISTICS = 1000
LEAST_SPREAD = 1e-2
Numbers = npt.NDArray[np.float64]


def refit_checkpoint(
    checkpoint: Path, run: Path, faces: Faces, pairs: int, val: Faces, bf16: bool = False
) -> float:
    """Fit a checkpoint's averaged weights to whole crops; write them as a new checkpoint.

    Args:
        checkpoint: Of a finished stage.
        run: Folder of the new checkpoint.
        faces: The train split.
        pairs: How many pairs of it.
        val: Chooses how strongly the layer is held back.
        bf16: Compute the features in bfloat16, for CPUs that have instructions for it.

    Returns:
        The AUC on val.
    """
    state = read_checkpoint(checkpoint)
    fields = dict(state["plan"])
    plan = Plan(**(fields | {"cutting": Cutting(**fields["cutting"])}))
    network = build_network(plan.architecture, plan.skeleton, faces.pictures.shape[1])
    begin(network, state["averaged"])
    network = network.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        before, after = refit(network, plan, faces, pairs, val)
    curve = [*state["curve"], [state["done"], before], [state["done"], after]]
    write_checkpoint(
        run / "checkpoint.pt", state | {"averaged": network.state_dict(), "curve": curve}
    )
    return after


def refit(
    network: nn.Module, plan: Plan, faces: Faces, pairs: int, val: Faces
) -> tuple[float, float]:
    """Fit batch statistics and last layer on so many pairs of the train split, in place.

    Args:
        network: A detector with one linear last layer; its other weights are kept.
        plan: How its input is normalised; its seed draws the pairs.
        faces: The train split.
        pairs: How many fakes are drawn, each with the real crop that it was made from.
        val: Chooses among five strengths of the L2 penalty, by AUC.

    Returns:
        The AUC on val before and after.
    """
    drawn = np.random.default_rng(plan.seed).permutation(np.flatnonzero(faces.fake))[:pairs]
    chosen = np.concatenate([drawn, faces.original[drawn]])
    take_statistics(network, plan, faces.pictures, drawn[:STATISTICS], faces.original)
    scaler = StandardScaler()
    learnt = scaler.fit_transform(features(network, faces.pictures[chosen], plan.mean, plan.std))
    # A feature that hardly ever answers would need a weight that no small file can hold.
    alive = scaler.scale_ > LEAST_SPREAD * np.median(scaler.scale_)
    learnt *= alive
    looked_at = features(network, val.pictures, plan.mean, plan.std)
    looked = scaler.transform(looked_at) * alive
    best_auc, best = -1.0, None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=2000).fit(learnt, faces.fake[chosen])
        auc = float(roc_auc_score(val.fake, model.decision_function(looked)))
        if auc > best_auc:
            best_auc, best = auc, model
    assert best is not None
    weight = best.coef_[0] * alive / scaler.scale_
    last = network.get_classifier()  # type: ignore[operator]
    before = float(roc_auc_score(val.fake, looked_at @ last.weight[0].detach().double().numpy()))
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(weight[None]))
        last.bias.fill_(float(best.intercept_[0] - weight @ scaler.mean_))
    return before, best_auc


@torch.no_grad()
def take_statistics(
    network: nn.Module,
    plan: Plan,
    pictures: npt.NDArray[np.uint8],
    fakes: npt.NDArray[np.int64],
    original: npt.NDArray[np.int64],
) -> None:
    """Take mean and variance of every batch normalisation anew, in place; weights stay.

    Args:
        network: A detector; one without batch normalisation is left as it is.
        plan: How its input is normalised.
        pictures: N×224×224×3, uint8 RGB.
        fakes: Indices of fakes; batches hold as many fakes as real crops, as in training.
        original: For each picture, the index of the real crop behind it.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    network.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    for first in range(0, len(fakes), BATCH // 2):
        chosen = fakes[first : first + BATCH // 2]
        crops = pictures[np.concatenate([original[chosen], chosen])]
        pixels = torch.from_numpy(crops).permute(0, 3, 1, 2)
        network.forward_features(normalise(pixels, plan.mean, plan.std))  # type: ignore[operator]
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()


@torch.inference_mode()
def features(
    network: nn.Module, pictures: npt.NDArray[np.uint8], mean: Statistics, std: Statistics
) -> Numbers:
    """What the last layer is given for each crop.

    Args:
        network: A detector.
        pictures: N×H×W×3, uint8 RGB, of the size that it takes.
        mean: Of each channel, that its input is normalised with.
        std: The same.

    Returns:
        N×C, float64.
    """
    network.eval()
    found = [
        network.forward_head(  # type: ignore[operator]
            network.forward_features(normalise(batch, mean, std)),  # type: ignore[operator]
            pre_logits=True,
        )
        for batch in _batches(pictures)
    ]
    return torch.cat(found).double().cpu().numpy()


def _batches(pictures: npt.NDArray[np.uint8]) -> Iterator[torch.Tensor]:
    for first in tqdm(range(0, len(pictures), BATCH), unit="batch", mininterval=10):
        yield torch.from_numpy(pictures[first : first + BATCH]).permute(0, 3, 1, 2)
