"""The conventions in which detectors are passed around.

Each says by which keys it is known, how its keys become timm's, and how a crop is prepared for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.cards import KnownArchitecture
from models.foreign_files import refusal, some_keys

Statistics = tuple[float, float, float]

HALF: Statistics = (0.5, 0.5, 0.5)
IMAGENET_MEAN: Statistics = (0.485, 0.456, 0.406)
IMAGENET_STD: Statistics = (0.229, 0.224, 0.225)
# Left in a file though the network never uses them, or computed when the network is built.
IDLE = ("adjust_channel.", "attn_mask", "relative_position_index")
XCEPTION_HEAD = (("last_linear.1.", "fc."), ("last_linear.", "fc."))
# torchvision's ResNet as a plain sequence: convolution, norm, ReLU, pooling, four layers.
RESNET_SEQUENCE = (
    ("resnet.0.", "conv1."),
    ("resnet.1.", "bn1."),
    *((f"resnet.{layer + 3}.", f"layer{layer}.") for layer in (1, 2, 3, 4)),
)


@dataclass(frozen=True)
class Convention:
    """One way in which detectors are passed around.

    Attributes:
        title: Its name for people.
        architecture: The timm name of the network.
        prefix: What may stand before every key.
        marks: Keys, without the prefix, of which each must be there for the convention to apply.
        marked: Whether the marks count only with the prefix before them.
        renames: (beginning of a key, what it becomes), the first that fits; without the prefix.
        head: The last layer's keys in timm begin like this.
        input_size: Side of the input in px.
        mean: Per channel RGB, of pixels in [0, 1].
        std: Per channel RGB, of pixels in [0, 1].
    """

    title: str
    architecture: KnownArchitecture
    prefix: str
    marks: tuple[str, ...]
    marked: bool
    renames: tuple[tuple[str, str], ...]
    head: str
    input_size: int
    mean: Statistics
    std: Statistics


# Sources: ondyari/FaceForensics, classification/network; SCLBD/DeepfakeBench, training/networks
# and training/config/detector; timm's own configurations. The first that fits is taken.
CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        title="DeepfakeBench Xception",
        architecture="legacy_xception",
        prefix="backbone.",
        marks=("block12.skip.weight", "last_linear"),
        marked=True,
        renames=XCEPTION_HEAD,
        head="fc",
        input_size=256,
        mean=HALF,
        std=HALF,
    ),
    Convention(
        title="DeepfakeBench ResNet",
        architecture="resnet34",
        prefix="backbone.",
        marks=("resnet.0.weight", "fc"),
        marked=True,
        renames=RESNET_SEQUENCE,
        head="fc",
        input_size=256,
        mean=HALF,
        std=HALF,
    ),
    Convention(
        title="FaceForensics++ Xception",
        architecture="legacy_xception",
        prefix="model.",
        marks=("block12.skip.weight", "last_linear"),
        marked=False,
        renames=XCEPTION_HEAD,
        head="fc",
        input_size=299,
        mean=HALF,
        std=HALF,
    ),
    Convention(
        title="timm Xception",
        architecture="legacy_xception",
        prefix="model.",
        marks=("block12.skip.weight", "fc"),
        marked=False,
        renames=(),
        head="fc",
        input_size=299,
        mean=HALF,
        std=HALF,
    ),
    Convention(
        title="timm ResNet50",
        architecture="resnet50",
        prefix="model.",
        marks=("layer1.0.conv3.weight", "fc"),
        marked=False,
        renames=(),
        head="fc",
        input_size=224,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    ),
    Convention(
        title="timm ResNet34",
        architecture="resnet34",
        prefix="model.",
        marks=("layer1.0.conv2.weight", "fc"),
        marked=False,
        renames=(),
        head="fc",
        input_size=224,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    ),
    Convention(
        title="timm Swin-Small",
        architecture="swin_small_patch4_window7_224",
        prefix="model.",
        marks=("patch_embed.proj.weight", "head.fc"),
        marked=False,
        renames=(),
        head="head.fc",
        input_size=224,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
    ),
)


def recognise(tensors: Mapping[str, Tensor], name: str) -> Convention:
    """The first convention whose marks are all among the keys.

    Raises:
        WeightsError: There is none; the message says which keys were expected and which came.
    """
    for convention in CONVENTIONS:
        if convention.marked:
            keys = {key for key in tensors if key.startswith(convention.prefix)}
        else:
            keys = set(tensors)
        bare = {key.removeprefix(convention.prefix) for key in keys}
        if all(any(_begins(key, mark) for key in bare) for mark in convention.marks):
            return convention
    known = "; ".join(
        f"{one.prefix if one.marked else ''}{one.marks[0]} with {one.marks[1]}.weight ({one.title})"
        for one in CONVENTIONS
    )
    raise refusal(name, f"the keys of a known detector: {known}", some_keys(tensors))


def _begins(key: str, mark: str) -> bool:
    return key == mark or key.startswith(mark + ".")


def renamed(tensors: Mapping[str, Tensor], convention: Convention) -> dict[str, Tensor]:
    """The tensors under timm's keys, without those that no network uses."""
    result: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        bare = key.removeprefix(convention.prefix)
        for old, new in convention.renames:
            if bare.startswith(old):
                bare = new + bare.removeprefix(old)
                break
        if not bare.startswith(IDLE) and not bare.endswith(IDLE):
            result[bare] = tensor
    return result
