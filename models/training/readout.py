"""Fits a detector's last layer anew, on whole crops: logistic regression on its features.

Training sees cut-outs, a detector is asked about whole crops. The last layer is convex to fit and
costs one forward pass a crop, so it is fitted where it will be used, on pairs of the train split;
how strongly it is held back is chosen on val.
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
from models.training.detectors import Plan, normalise
from models.training.faces import Cutting, Faces
from models.training.networks import begin, build_network

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
BATCH = 32
Numbers = npt.NDArray[np.float64]


def refit_checkpoint(checkpoint: Path, run: Path, faces: Faces, pairs: int, val: Faces) -> float:
    """Fit the last layer of a checkpoint's averaged weights; write them as a new checkpoint.

    Args:
        checkpoint: Of a finished stage.
        run: Folder of the new checkpoint.
        faces: The train split.
        pairs: How many pairs of it.
        val: Chooses how strongly the layer is held back.

    Returns:
        The AUC on val.
    """
    state = read_checkpoint(checkpoint)
    fields = dict(state["plan"])
    plan = Plan(**(fields | {"cutting": Cutting(**fields["cutting"])}))
    network = build_network(plan.architecture, plan.skeleton, faces.pictures.shape[1])
    begin(network, state["averaged"])
    network = network.to(memory_format=torch.channels_last)
    before, after = refit(network, plan, faces, pairs, val)
    curve = [*state["curve"], [state["done"], before], [state["done"], after]]
    write_checkpoint(
        run / "checkpoint.pt", state | {"averaged": network.state_dict(), "curve": curve}
    )
    return after


def refit(
    network: nn.Module, plan: Plan, faces: Faces, pairs: int, val: Faces
) -> tuple[float, float]:
    """Fit the last layer on so many pairs of the train split, in place.

    Args:
        network: A detector with one linear last layer, its other weights kept.
        plan: How its input is normalised; its seed draws the pairs.
        faces: The train split.
        pairs: How many fakes are drawn, each with the real crop that it was made from.
        val: Chooses among five strengths of the L2 penalty, by AUC.

    Returns:
        The AUC on val before and after.
    """
    drawn = np.random.default_rng(plan.seed).permutation(np.flatnonzero(faces.fake))[:pairs]
    chosen = np.concatenate([drawn, faces.original[drawn]])
    scaler = StandardScaler()
    learnt = scaler.fit_transform(_features(network, plan, faces.pictures[chosen]))
    looked_at = _features(network, plan, val.pictures)
    looked = scaler.transform(looked_at)
    best_auc, best = -1.0, None
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=2000).fit(learnt, faces.fake[chosen])
        auc = float(roc_auc_score(val.fake, model.decision_function(looked)))
        if auc > best_auc:
            best_auc, best = auc, model
    assert best is not None
    weight = best.coef_[0] / scaler.scale_
    last = network.get_classifier()  # type: ignore[operator]
    before = float(roc_auc_score(val.fake, looked_at @ last.weight[0].detach().double().numpy()))
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy(weight[None]))
        last.bias.fill_(float(best.intercept_[0] - weight @ scaler.mean_))
    return before, best_auc


@torch.inference_mode()
def _features(network: nn.Module, plan: Plan, pictures: npt.NDArray[np.uint8]) -> Numbers:
    network.eval()
    features = [
        network.forward_head(  # type: ignore[operator]
            network.forward_features(normalise(batch, plan)),  # type: ignore[operator]
            pre_logits=True,
        )
        for batch in _batches(pictures)
    ]
    return torch.cat(features).double().cpu().numpy()


def _batches(pictures: npt.NDArray[np.uint8]) -> Iterator[torch.Tensor]:
    for first in tqdm(range(0, len(pictures), BATCH), unit="batch", mininterval=10):
        yield torch.from_numpy(pictures[first : first + BATCH]).permute(0, 3, 1, 2)
