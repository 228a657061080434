"""Networks in bfloat16: several times as fast where the hardware has instructions for it.

bfloat16 keeps float32's range and 8 of its 24 binary digits, so that answers move a little. CPUs
with AMX or AVX-512 BF16, and GPUs, gain; others are slower than in float32.
"""

from copy import deepcopy
from typing import Literal, get_args

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

Precision = Literal["float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def in_bfloat16(network: nn.Module) -> nn.Module:
    """A copy of a network that computes in bfloat16.

    Batch normalisation is folded into the convolution before it while both are float32, which is
    faster and nearer to the original than normalising in bfloat16. Windowed attention goes
    through torch's fused kernel.

    Args:
        network: In evaluation mode, float32.

    Returns:
        A network that takes and gives bfloat16; everything else is as it was.
    """
    # Only here: timm takes a second to import, and only the fast mode needs this.
    from timm.models.swin_transformer import WindowAttention

    convolutional = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    copied = fuse(network) if convolutional else deepcopy(network)
    for module in copied.modules():
        if isinstance(module, WindowAttention):
            module.fused_attn = True
    copied = copied.to(torch.bfloat16)
    return copied.to(memory_format=torch.channels_last) if convolutional else copied


def type_of(network: nn.Module) -> torch.dtype:
    """The type of number that a network computes with."""
    return next(network.parameters()).dtype
