"""The Q-networks of a policy: what each action on a crop is worth.

An episode has one step (`demo.defences.policy_training`), so a value is the expected reward: the
chance of a right verdict less that of a wrong one, from -1 to 1.
"""

from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import Tensor, nn

from models.policy_card import PolicyArchitecture, PolicyCard
from models.transfer import to_device

CHANNELS: Final = 3
WIDTHS: Final = (16, 32, 64, 64)


def build_policy(
    architecture: PolicyArchitecture, side: int, hidden: int, actions: int
) -> nn.Module:
    """A Q-network with random weights from torch's global generator, in evaluation mode.

    Maps N×3×S×S prepared crops to N×A values.

    Args:
        architecture: "two_layers" is the report's: one hidden layer over the flattened input.
            "convolutional" is ours: four convolutions, each of which halves the sides, the mean
            and the maximum of every feature map, and one hidden layer over these.
        side: S, px.
        hidden: Width of the hidden layer.
        actions: A, how many.
    """
    if architecture == "two_layers":
        first: list[nn.Module] = [nn.Flatten(), nn.Linear(CHANNELS * side**2, hidden)]
    else:
        entering = (CHANNELS, *WIDTHS[:-1])
        convolutions = [
            layer
            for old, new in zip(entering, WIDTHS, strict=True)
            for layer in (nn.Conv2d(old, new, 3, stride=2, padding=1), nn.ReLU())
        ]
        first = [*convolutions, _MeanAndMaximum(), nn.Linear(2 * WIDTHS[-1], hidden)]
    return nn.Sequential(*first, nn.ReLU(), nn.Linear(hidden, actions)).eval()


def build_policy_of(card: PolicyCard) -> nn.Module:
    """The Q-network of a card, see `build_policy`."""
    return build_policy(card.architecture, card.input_size, card.hidden, len(card.actions))


@torch.inference_mode()
def best_actions(network: nn.Module, inputs: Sequence[Tensor]) -> list[int]:
    """Which action is worth most for each crop; of equals the first.

    Crops are asked about one by one, so that a choice does not depend on its company.

    Args:
        network: From `build_policy`, on any device.
        inputs: float32 1×3×S×S each, from `detectors.prepare`.

    Returns:
        One index into the policy's actions a crop.
    """
    device = next(network.parameters()).device
    return [int(cast(Tensor, network(to_device(one, device))).argmax(1)) for one in inputs]


class _MeanAndMaximum(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return torch.cat((features.mean((2, 3)), features.amax((2, 3))), dim=1)
