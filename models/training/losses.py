"""What a detector is told about a batch of real crops and the fakes made of them."""

import torch
from torch.nn import functional as F

LEAST_SHOWN = 0.03


def pair_loss(cells: torch.Tensor, changed: torch.Tensor, cells_weight: float) -> torch.Tensor:
    """Binary cross-entropy of crops and cells, for a batch of real crops, then their fakes.

    Args:
        cells: 2N×h×w, the logits of N real crops, then of their N fakes.
        changed: N×H×W in [0, 1], where the fakes were manipulated.
        cells_weight: Weight of the cells' loss.

    Returns:
        The loss, a scalar. A fake whose window shows no manipulation counts as no crop.
    """
    wanted = F.adaptive_avg_pool2d(changed[:, None], (cells.shape[1], cells.shape[2]))[:, 0]
    wanted = torch.cat([torch.zeros_like(wanted), wanted])
    reals = changed.shape[0]
    label = torch.cat([torch.zeros(reals), torch.ones(reals)]).to(cells)
    counts = torch.cat([torch.ones(reals).to(cells), _shown(changed).to(cells)])
    crops = (
        F.binary_cross_entropy_with_logits(
            cells.mean(dim=(1, 2)), label, weight=counts, reduction="sum"
        )
        / counts.sum()
    )
    return crops + cells_weight * F.binary_cross_entropy_with_logits(cells, wanted)


def ranking_loss(cells: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """Logistic loss of each fake's logit against that of the real crop it was made of.

    Source: Burges et al., "Learning to Rank using Gradient Descent", ICML 2005, section 3.

    Args:
        cells: 2N×h×w, the logits of N real crops, then of their N fakes.
        changed: N×H×W in [0, 1], where the fakes were manipulated.

    Returns:
        The loss, a scalar; pairs whose window shows no manipulation are left out.
    """
    real, fake = cells.mean(dim=(1, 2)).chunk(2)
    shown = _shown(changed).to(cells)
    return (F.softplus(real - fake) * shown).sum() / shown.sum().clamp_min(1)


def _shown(changed: torch.Tensor) -> torch.Tensor:
    return changed.mean(dim=(1, 2)) > LEAST_SHOWN
