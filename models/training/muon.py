"""Muon: momentum whose direction is orthogonalised for each filter bank.

Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024), with its
quintic iteration. The iteration runs on the small Gram matrix, which gives the same result.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

_STEPS = 5
_MOST_ROWS = 256
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(gradient: Tensor) -> Tensor:
    """Push all singular values towards 1, keeping the singular vectors.

    Args:
        gradient: float32, two or more dimensions; seen as a matrix of the first against the rest.

    Returns:
        float32 of the same shape, singular values about 0.7 to 1.2. Zero stays zero.
    """
    matrix = gradient.flatten(1)
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        matrix = matrix.T
    matrix = matrix / matrix.norm().clamp_min(1e-12)
    gram = matrix @ matrix.T
    eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    total = eye
    for _ in range(_STEPS):
        factor = _A * eye + _B * gram + _C * gram @ gram
        total = factor @ total
        gram = factor @ gram @ factor
    matrix = total @ matrix
    result: Tensor = matrix.T if tall else matrix
    return result.reshape(gradient.shape)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, orthogonalised; for weights of two or more dimensions.

    A weight of more than 256 rows is taken in parts of 256, which costs far less.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        """Take the weights to be moved; lr is the spectral norm of a step."""
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; ``closure`` is not used."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                average = state["momentum"]
                average.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(average, group["momentum"])
                rows, columns = weight.shape[0], weight[0].numel()
                size = group["lr"] * max(1.0, rows / columns) ** 0.5
                parts = [orthogonalise(part) for part in ahead.split(_MOST_ROWS)]
                weight.add_(torch.cat(parts), alpha=-size)
