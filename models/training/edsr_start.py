"""Where EDSR's training starts: at plain bicubic enlargement, or at a trained network."""

import torch
from super_image import EdsrModel
from torch import Tensor, nn

_REACH = 2


@torch.no_grad()
def start_as_bicubic(network: EdsrModel, seed: int) -> None:
    """Set the weights so that a ×2 or ×3 network enlarges bicubically, borders excepted.

    The head's first 27 channels copy the 3×3 neighbourhood of each colour, the residual branches
    end in zeros, and the tail spreads the bicubic kernel (a = -0.5, 5×5 taps) over copies and
    taps. All other channels are random, drawn from ``seed``.
    """
    generator = torch.Generator().manual_seed(seed)
    head, last = network.head[0], network.tail[1]
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        if layer.kernel_size == (3, 3):
            deviation = (1 / layer.weight[0].numel()) ** 0.5
            layer.weight.normal_(0, deviation, generator=generator)
            if layer.bias is not None:
                layer.bias.zero_()
    for block in network.body[:-1]:
        block.body[0].weight.mul_(2**0.5)
        block.body[2].weight.zero_()
    network.body[-1].weight.zero_()
    for channel in range(27):
        colour, place = channel % 3, channel // 3
        head.weight[channel] = 0
        head.weight[channel, colour, place // 3, place % 3] = 1
    last.weight.zero_()
    for colour in range(3):
        last.weight[colour, colour, 1, 1] = 1
    _spread_bicubic(network.tail[0][0].weight, int(network.config.scale))


@torch.no_grad()
def start_from_trained(network: EdsrModel, trained: EdsrModel) -> None:
    """Copy a trained network of the same scale, or fit one of scale 2 to scale 3 or 4.

    ×3 takes for each of its nine phases the mean of the ×2 phases that lie under it. ×4 keeps the
    ×2 layer as its first stage, and its second stage starts as nearest-neighbour enlargement.
    """
    if network.config.scale == trained.config.scale:
        network.load_state_dict(trained.state_dict())
        return
    for part in ("head", "body"):
        getattr(network, part).load_state_dict(getattr(trained, part).state_dict())
    network.tail[1].load_state_dict(trained.tail[1].state_dict())
    first, old = network.tail[0][0], trained.tail[0][0]
    if network.config.scale == 3:
        first.weight.copy_(_three_phases(old.weight))
        first.bias.copy_(_three_phases(old.bias))
        return
    first.load_state_dict(old.state_dict())
    second = network.tail[0][2]
    second.weight.mul_(0.1)
    second.bias.zero_()
    outputs = torch.arange(second.weight.shape[0])
    second.weight[outputs, outputs // 4, 1, 1] += 1


def _three_phases(values: Tensor) -> Tensor:
    phases = values.reshape(-1, 2, 2, *values.shape[1:])
    for dim in (1, 2):
        one, two = phases.select(dim, 0), phases.select(dim, 1)
        phases = torch.stack((one, (one + two) / 2, two), dim)
    return phases.flatten(0, 2)


def _spread_bicubic(weight: Tensor, scale: int) -> None:
    """Give the first three enlarged channels the bicubic kernel over the head's copies."""
    reach = range(-_REACH, _REACH + 1)
    for phase in range(scale * scale):
        down, right = _taps(phase // scale, scale), _taps(phase % scale, scale)
        for colour in range(3):
            output = colour * scale * scale + phase
            weight[output] = 0
            for y in reach:
                for x in reach:
                    dy, dx = max(-1, min(1, y)), max(-1, min(1, x))
                    copy = ((y - dy + 1) * 3 + x - dx + 1) * 3 + colour
                    weight[output, copy, dy + 1, dx + 1] = down[y + _REACH] * right[x + _REACH]


def _taps(phase: int, scale: int) -> list[float]:
    centre = (phase + 0.5) / scale - 0.5
    return [_cubic(abs(centre - offset)) for offset in range(-_REACH, _REACH + 1)]


def _cubic(distance: float) -> float:
    if distance < 1:
        return float(1.5 * distance**3 - 2.5 * distance**2 + 1)
    if distance < 2:
        return float(-0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2)
    return 0.0
