"""White-box attacks: who knows a detector changes a crop along the gradient of its fake logit.

They are there for scale: how much worse than a round trip is an attack of the same visibility that
knows the network? The gradient goes through the whole scoring function, resize and normalisation
included (``models.differentiable``); what is scored afterwards is a picture of 8 bits.

Sources: FGSM, Goodfellow et al., ICLR 2015, arXiv 1412.6572; PGD, Madry et al., ICLR 2018, arXiv
1706.06083; L0, Fast Minimum Norm, Pintor et al., NeurIPS 2021, arXiv 2102.12827; all by the library
foolbox.
"""

from __future__ import annotations

import math
from typing import Final

import eagerpy as ep
import numpy as np
import numpy.typing as npt
import torch
from foolbox import PyTorchModel
from foolbox.attacks import (
    L0FMNAttack,
    L2ProjectedGradientDescentAttack,
    LinfFastGradientAttack,
    LinfProjectedGradientDescentAttack,
)
from torch import Tensor

from demo.core.errors import ImageError, SettingsError
from demo.core.images import Picture
from demo.core.own_gradient import STEPS
from demo.core.restoring import check_choice
from models.adversarial import STEP, TwoClasses
from models.differentiable import scoring_function
from models.loading import LoadedDetector

FGSM: Final = "fgsm"
PGD_LINF: Final = "pgd_linf"
PGD_L2: Final = "pgd_l2"
L0: Final = "l0"
ATTACKS: Final = (FGSM, PGD_LINF, PGD_L2, L0)
TOLERANCE_DB: Final = 0.1
# Fast Minimum Norm looks for the fewest values around the boundary, which takes more passes. It
# stops right behind the boundary, from where rounding to 8 bits could lead back.
L0_PASSES: Final = 4
L0_MARGIN: Final = 0.1
# Foolbox begins with one value and, as in the paper, lets their number grow by a twentieth a pass;
# so a face would take hundreds.
L0_GROWTH: Final = 0.7
L0_STEP: Final = 5.0

Levels = npt.NDArray[np.float64]


def white_box(
    loaded: LoadedDetector,
    crop: Picture,
    attack: str,
    strength: float,
    fake: bool | None = None,
    steps: int = STEPS,
) -> Picture:
    """Change a crop so that a detector judges it wrongly.

    Nothing is drawn: the same input gives the same bytes on the same machine. Of L∞ only
    whole levels count in a picture of 8 bits: below one, the crop comes back as it was.

    Args:
        loaded: the detector; its network is not touched, and may be in use elsewhere.
        crop: uint8 RGB, H×W×3, any size, cut as the card wants it.
        attack: one of ``ATTACKS``.
        strength: above 0. ``FGSM`` and ``PGD_LINF``: the most that a value changes, in 8-bit
            levels. ``PGD_L2``: root of the mean squared change, in 8-bit levels, which the
            attacked picture has within ``TOLERANCE_DB``. ``L0``: the most pixels that change; the
            attack looks for as few as it can, and the crop comes back as it was where those are
            more, or none turn the verdict.
        fake: the crop's true label, against which is pushed; None pushes against the verdict at
            the card's threshold.
        steps: of all but FGSM; each is a forward and a backward pass, in L0 four of them.

    Returns:
        uint8 RGB, H×W×3.

    Raises:
        SettingsError: the attack is unknown, or strength or steps are impossible.
        ImageError: no change of that size was found.
    """
    check_choice("white-box attack", attack, ATTACKS)
    _check_numbers(strength, steps)
    if attack in (FGSM, PGD_LINF) and strength < 1:
        return crop.copy()
    scoring = scoring_function(loaded.network, loaded.card)
    judge = TwoClasses(scoring, _log_odds(loaded.card.threshold)).eval()
    device = next(judge.parameters()).device
    with torch.inference_mode(False), torch.enable_grad():
        pixels = _to_pixels(crop).to(device)
        label = int(judge(pixels).argmax()) if fake is None else int(fake)
        if attack == L0:
            judge.threshold += -L0_MARGIN if label else L0_MARGIN
        model = PyTorchModel(judge, bounds=(0, 1), device=device)
        labels = torch.tensor([label], device=device)
        attacked = _attack(model, pixels, labels, attack, strength, steps)
    change = (attacked - pixels)[0].permute(1, 2, 0).double().cpu().numpy() * 255
    if attack == PGD_L2:
        return _with_rms(crop, change, strength)
    found = _to_bytes(crop + change)
    too_many = attack == L0 and pixels_changed(crop, found) > strength
    return crop.copy() if too_many else found


def attack_at_equal_psnr(
    loaded: LoadedDetector,
    crop: Picture,
    rmse: float,
    fake: bool | None = None,
    steps: int = STEPS,
) -> Picture:
    """Attack a crop with as large a squared error as another attack had: PGD in L2.

    Args:
        loaded: as for ``white_box``, and so are the next and the last two.
        crop: attacked.
        rmse: root of the mean squared error of the other attack over pixels and channels, in 8-bit
            levels; 0 gives the crop itself. See ``root_mean_square``.
        fake: the true label, or None for the verdict.
        steps: of the attack.

    Returns:
        uint8 RGB, H×W×3, whose PSNR is the other's within ``TOLERANCE_DB``.

    Raises:
        ImageError: no change of that size was found.
    """
    if rmse == 0:
        return crop.copy()
    return white_box(loaded, crop, PGD_L2, rmse, fake, steps)


def root_mean_square(clean: Picture, attacked: Picture) -> float:
    """The root of the mean squared error over pixels and channels, in 8-bit levels.

    Its PSNR is 20·log10(255 / that).
    """
    return float(np.sqrt(np.mean(np.square(attacked.astype(np.float64) - clean))))


def pixels_changed(clean: Picture, attacked: Picture) -> int:
    """How many pixels differ in one channel or more."""
    return int((clean != attacked).any(axis=2).sum())


def _attack(
    model: PyTorchModel, pixels: Tensor, labels: Tensor, attack: str, strength: float, steps: int
) -> Tensor:
    if attack == L0:
        fewest = _FewestValues(steps=L0_PASSES * steps, max_stepsize=L0_STEP, gamma=L0_GROWTH)
        attacked: Tensor = fewest.run(model, pixels, labels)
        return attacked
    # Rounding to 8 bits cannot leave a ball of whole levels.
    distance = math.floor(strength) / 255
    if attack == FGSM:
        attacked = LinfFastGradientAttack().run(model, pixels, labels, epsilon=distance)
        return attacked
    descent = LinfProjectedGradientDescentAttack
    if attack == PGD_L2:
        descent = L2ProjectedGradientDescentAttack
        distance = strength / 255 * math.sqrt(pixels.numel())
    chosen = descent(rel_stepsize=STEP / steps, steps=steps, random_start=False)
    attacked = chosen.run(model, pixels, labels, epsilon=distance)
    return attacked


class _FewestValues(L0FMNAttack):  # type: ignore[misc]
    """Foolbox's attack, which fails where it may change all values: here all but one."""

    def project(self, x: ep.Tensor, x0: ep.Tensor, epsilon: ep.Tensor) -> ep.Tensor:
        """Keep the largest changes, as many as ``epsilon`` says."""
        return super().project(x, x0, epsilon.minimum(math.prod(x0.shape[1:]) - 1))


def _with_rms(crop: Picture, change: Levels, rms: float) -> Picture:
    """Stretch a change until the rounded and clipped picture has the wanted error.

    Rounding takes away the smallest changes and clipping the largest, so that the attack's own
    length is not what is left of it.
    """
    low, high = 0.0, 1.0
    while root_mean_square(crop, _to_bytes(crop + high * change)) < rms and high < 2**20:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        short = root_mean_square(crop, _to_bytes(crop + middle * change)) < rms
        low, high = (middle, high) if short else (low, middle)
    attacked = _to_bytes(crop + high * change)
    found = root_mean_square(crop, attacked)
    if found == 0 or abs(20 * math.log10(found / rms)) > TOLERANCE_DB:
        raise ImageError(
            f"A change of {rms:.3g} levels was expected, but the attack on this picture gives "
            f"{found:.3g}. Choose another strength, or another picture."
        )
    return attacked


def _check_numbers(strength: float, steps: int) -> None:
    if steps < 1:
        raise SettingsError(
            f"A white-box attack takes 1 step or more, but {steps} came. Choose more."
        )
    if not (math.isfinite(strength) and strength > 0):
        raise SettingsError(
            f"The strength of an attack must be above 0, but {strength:g} came. Choose a larger "
            "one."
        )


def _to_pixels(crop: Picture) -> Tensor:
    return torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float() / 255


def _to_bytes(levels: Levels) -> Picture:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))
