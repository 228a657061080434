"""Was a crop restored from a smaller one, and at which K: a linear model, and a small network.

Restoring leaves little above 1/(2K) cycles/px, which a linear model sees in the radial spectrum,
and traces of the restorer's own, for which the network has filters to learn. Both are asked about
the crop's own pixels: a resize would erase what they look for. That upsampling shows in the
spectrum is from Durall et al. 2020 (arXiv 2003.01826); learning filters behind a fixed high-pass,
and pooling their energies, is usual in steganalysis (Fridrich and Kodovský 2012, doi
10.1109/TIFS.2012.2190402; Boroumand et al. 2019, doi 10.1109/TIFS.2018.2871749).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.errors import WeightsError
from models.round_trip_card import RoundTripCard
from models.transfer import to_device

WIDTHS = (16, 24, 32, 48)
HIDDEN = 64
LEAST_SIDE = 32
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)
_UNIT = 8.0
_LEAST_ENERGY = 1e-4

Array = npt.NDArray[np.float64]


class RoundTripNetwork(nn.Module):
    """N×1×H×W luma in [0, 255], sides of 32 px or more, to N×(1 + factors) logits.

    The first logit says whether there was a round trip, the others which K it had. Energies of
    every layer's features are averaged over the crop, so that its size does not matter.

    Attributes:
        layers: four convolutions without padding, for a border is no trace of anything.
        classifier: from the logarithms of the energies to the logits.
    """

    def __init__(self, factors: int) -> None:
        """Build it with random weights for so many K."""
        super().__init__()
        row = torch.tensor(_BINOMIAL) / sum(_BINOMIAL)
        high_pass = -torch.outer(row, row)
        high_pass[2, 2] += 1
        self.register_buffer("_high_pass", high_pass[None, None] / _UNIT, persistent=False)
        self.layers = nn.ModuleList(
            (
                _layer(1, WIDTHS[0], 5, 1),
                _layer(WIDTHS[0], WIDTHS[1], 3, 2),
                _layer(WIDTHS[1], WIDTHS[2], 3, 2),
                _layer(WIDTHS[2], WIDTHS[3], 3, 1),
            )
        )
        self.classifier = nn.Sequential(
            nn.Linear(sum(WIDTHS), HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1 + factors)
        )

    def forward(self, luma: Tensor) -> Tensor:
        """The logits."""
        return self.judge(self.residual(luma))

    def residual(self, luma: Tensor) -> Tensor:
        """What the high-pass leaves of the luma; not to be computed in half precision."""
        return nn.functional.conv2d(luma, self._high_pass)  # type: ignore[arg-type]

    def judge(self, features: Tensor) -> Tensor:
        """The logits of a residual."""
        energies = []
        for layer in self.layers:
            features = layer(features)
            energies.append(features.float().square().mean(dim=(2, 3)))
        logits: Tensor = self.classifier(torch.log(torch.cat(energies, dim=1) + _LEAST_ENERGY))
        return logits


class RoundTripModels(nn.Module):
    """Both models in one, as their file of weights holds them.

    Attributes:
        linear: from the levels of the spectrum's rings in dB to 1 + factors logits.
        network: see `RoundTripNetwork`.
    """

    def __init__(self, rings: int, factors: int) -> None:
        """Build them with random weights for so many rings and K."""
        super().__init__()
        self.linear = nn.Linear(rings, 1 + factors)
        self.network = RoundTripNetwork(factors)


@dataclass(frozen=True)
class LoadedRoundTripDetector:
    """The round-trip detector ready to be asked; safe to share between threads.

    Attributes:
        card: What is known about it.
        weight: (1 + factors)×rings, the linear model's.
        bias: 1 + factors.
        network: On the zoo's device, in evaluation mode.
    """

    card: RoundTripCard
    weight: Array
    bias: Array
    network: RoundTripNetwork


def linear_logits(loaded: LoadedRoundTripDetector, levels: Array) -> Array:
    """Ask the linear model.

    Args:
        loaded: The detector.
        levels: One level in dB for each of the card's rings.

    Returns:
        1 + factors logits: of a round trip, then of each K.
    """
    logits: Array = loaded.weight @ levels + loaded.bias
    return logits


@torch.inference_mode()
def network_logits(loaded: LoadedRoundTripDetector, luma: Array) -> Array:
    """Ask the network.

    Args:
        loaded: The detector.
        luma: H×W in [0, 255], sides of 32 px or more.

    Returns:
        1 + factors logits: of a round trip, then of each K.

    Raises:
        WeightsError: The network answered with something that is not a finite number.
    """
    device = next(loaded.network.parameters()).device
    batch = to_device(torch.from_numpy(luma.astype(np.float32))[None, None], device)
    logits: Array = loaded.network(batch)[0].double().cpu().numpy()
    if not np.isfinite(logits).all():
        raise WeightsError(
            f"{loaded.card.title} answered with a number that is not finite: expected finite "
            "ones; fetch the project's weights again or give a good copy of the file."
        )
    return logits


def _layer(entering: int, leaving: int, side: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(entering, leaving, side, stride, bias=False), nn.BatchNorm2d(leaving), nn.ReLU()
    )
