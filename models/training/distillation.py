"""Distillation: a student learns to see in each cell what a trained detector sees there.

Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, section 2.2, at three stages
at once. What a fake changes in those features is asked for once more by itself, since most of what
a feature holds is the face, which the two crops of a pair share.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from models.cards import Architecture
from models.silent_blocks import leave_out_silent_blocks
from models.training.checkpoints import earlier_weights
from models.training.networks import (
    STAGES,
    begin,
    build_network,
    input_statistics,
    listen,
    normalise,
)


class Distillation(nn.Module):
    """Compares the stages of a student with those of its teacher, on the same crops.

    The layers that lead from one to the other learn with the student and do not ship.
    """

    def __init__(
        self,
        student: nn.Module,
        architecture: Architecture,
        teacher: nn.Module,
        teacher_architecture: Architecture,
    ) -> None:
        """Listen to this very student.

        Args:
            student: The network that learns.
            architecture: The student's timm name.
            teacher: A trained network; nothing in it changes but its batch statistics, which are
                each batch's own, as when it learnt: cut-outs differ from whole crops.
            teacher_architecture: Its timm name.
        """
        super().__init__()
        self._statistics = input_statistics(teacher_architecture)
        # In a list it is no part of the module: its weights are in no checkpoint of the student.
        self._teacher = [teacher.train().requires_grad_(False)]
        self._taught = listen(teacher, teacher_architecture)
        self._learnt = listen(student, architecture)
        widths = STAGES[architecture].values(), STAGES[teacher_architecture].values()
        self.bridges = nn.ModuleList(nn.Conv2d(*pair, 1) for pair in zip(*widths, strict=True))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """The mean squared error of the student's latest pass, about 2 before it has learnt.

        Args:
            crops: The crops of that pass, N×3×H×W, uint8 RGB: N / 2 real ones, then their fakes.

        Returns:
            A scalar, the mean over the stages.
        """
        with torch.no_grad():
            self._teacher[0].forward_features(normalise(crops, *self._statistics))  # type: ignore[operator]
        losses = []
        for bridge, learnt, taught in zip(
            self.bridges, self._learnt.values(), self._taught.values(), strict=True
        ):
            guess = bridge(learnt).float()
            wanted = _standardise(F.adaptive_avg_pool2d(taught.float(), guess.shape[-2:]))
            losses.append(F.mse_loss(guess, wanted))
            strength = _changes(wanted).square().mean().sqrt().clamp_min(1e-3)
            losses.append(F.mse_loss(_changes(guess) / strength, _changes(wanted) / strength))
        return 2 * torch.stack(losses).mean()


def read_teacher(file: Path, architecture: Architecture, side: int) -> nn.Module:
    """A trained network to learn from, without its silent blocks.

    Args:
        file: Its checkpoint, or shipped weights.
        architecture: Its timm name.
        side: Side of the crops, px.
    """
    teacher = build_network(architecture, False, side)
    begin(teacher, earlier_weights(file))
    leave_out_silent_blocks(teacher, architecture)
    return teacher


def _standardise(features: torch.Tensor) -> torch.Tensor:
    spread, mean = torch.std_mean(features, dim=(0, 2, 3), keepdim=True)
    return (features - mean) / spread.clamp_min(1e-3)


def _changes(features: torch.Tensor) -> torch.Tensor:
    real, fake = features.chunk(2)
    return fake - real
