"""Adversarial examples for training: projected gradient descent on a batch, through foolbox.

Source: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
arXiv 1706.06083, section 2.1. Foolbox: Rauber et al., "Foolbox Native", JOSS 2020,
doi 10.21105/joss.02607. On a batch it costs what its forward and backward passes cost.
"""

from typing import Final

import torch
from foolbox import PyTorchModel
from foolbox.attacks import LinfPGD
from torch import Tensor, nn

from models.differentiable import Preparation, ScoringFunction

STEP: Final = 2.5
SOFTENING: Final = 50.0


class TwoClasses(nn.Module):
    """A scoring function as a classifier of two classes, 0 real and 1 fake: what foolbox attacks.

    The two scores are ±(logit - threshold) / 100, so that the larger one is the verdict. Between
    two classes the gradient of the cross-entropy always points along the logit's; dividing keeps
    it from vanishing in float32 where the network is very sure, and changes no step of attacks
    that use a gradient's signs or its direction.
    """

    def __init__(self, scoring: ScoringFunction, threshold: float) -> None:
        """Judge at a threshold in log-odds."""
        super().__init__()
        self.scoring = scoring
        self.threshold = threshold

    def forward(self, pixels: Tensor) -> Tensor:
        """N×3×H×W pixels in [0, 1] to N×2 scores."""
        margin = (self.scoring(pixels) - self.threshold) / (2 * SOFTENING)
        return torch.stack((-margin, margin), dim=1)


def pgd_batch(
    network: nn.Module,
    preparation: Preparation,
    pixels: Tensor,
    fake: Tensor,
    eps_linf: float,
    steps: int,
) -> Tensor:
    """Push each picture of a batch against its label, within a distance in every channel.

    The attacked network is in evaluation mode whatever mode the given one is in, so that batch
    statistics neither help nor learn from the attack; the given network, its gradients included, is
    left as it was. Each example begins at random within the distance, by torch's global generator;
    a step is 2.5·eps / steps. Nothing is rounded to 8 bits.

    Args:
        network: One logit a picture; may be in training.
        preparation: How it wants its input; pictures that have the input's size are not resized.
        pixels: float32 N×3×H×W, RGB in [0, 1], on the network's device; not yet normalised.
        fake: N labels, bool or 0 and 1.
        eps_linf: The distance, of pixels in [0, 1]: 1 / 255 is one 8-bit level.
        steps: How many; each costs a forward and a backward pass of the batch.

    Returns:
        The attacked batch: float32 N×3×H×W in [0, 1], without a gradient.
    """
    judge = TwoClasses(ScoringFunction(network, preparation), threshold=0.0).eval()
    model = PyTorchModel(judge, bounds=(0, 1), device=pixels.device)
    attack = LinfPGD(rel_stepsize=STEP / steps, steps=steps, random_start=True)
    labels = fake.to(pixels.device, torch.long)
    with torch.enable_grad():
        attacked: Tensor = attack.run(model, pixels.detach(), labels, epsilon=eps_linf)
    return attacked.detach()
