"""Model cards: everything known about a set of weights, as data beside them.

A card says how a picture has to be prepared for the network, which file holds the weights (with
its sha256), what was measured on them and where they come from. `models.card_files` reads and
writes them.
"""

import dataclasses
import re
import typing
from typing import Literal

DetectorName = Literal["resnet50", "swin_small", "xception"]
SuperResolutionName = Literal["edsr_x2", "edsr_x3", "edsr_x4"]
Encoding = Literal["float32", "float16", "int8"]
DefenceName = Literal[
    "resnet50_robust",
    "swin_small_robust",
    "xception_robust",
    "small",
    "small_residual",
    "small_attention",
    "small_synthetic",
    "small_adversarial",
    "small_patterns",
    "small_mixed",
    "small_self_blended",
]
Architecture = Literal["resnet50", "swin_small_patch4_window7_224", "legacy_xception"]
SmallArchitecture = Literal["small", "small_residual", "small_attention"]
KnownArchitecture = Literal[Architecture, SmallArchitecture, "resnet34"]

DETECTOR_NAMES: tuple[DetectorName, ...] = typing.get_args(DetectorName)
SUPER_RESOLUTION_NAMES: tuple[SuperResolutionName, ...] = typing.get_args(SuperResolutionName)
DEFENCE_NAMES: tuple[DefenceName, ...] = typing.get_args(DefenceName)


@dataclasses.dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        name: What was measured, such as "AUC" or "PSNR".
        value: The number, in `unit`.
        low: Lower end of the 95 % interval in `unit`, None where none was computed.
        high: Upper end of the 95 % interval in `unit`, None where none was computed.
        unit: Such as "dB" or "%"; empty for a plain ratio.
        of: On what it was measured, with the number of samples.
        condition: Under which condition, such as "clean" or "JPEG quality 60".
    """

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str
    of: str
    condition: str

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("a figure's interval needs both of its ends, or none")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError("a figure's interval needs its lower end first")


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a set of weights comes from.

    Attributes:
        data: What it was trained on.
        terms: The terms of that data.
        recipe: How it was trained, in a few sentences.
        hours: Training time in hours of wall clock.
        hardware: On what machine.
        seed: The random seed.
        curve: Points (progress, figure on held-out data) of the training, in order.
        curve_label: What the two axes of `curve` are.
    """

    data: str
    terms: str
    recipe: str
    hours: float
    hardware: str
    seed: int
    curve: tuple[tuple[float, float], ...]
    curve_label: str


@dataclasses.dataclass(frozen=True)
class CropPolicy:
    """How a detector wants a face cut out of a picture.

    Attributes:
        scale: Side of the square crop over the geometric mean of the face box's sides.
        shift: How far the crop's centre lies below the box's, in sides of the crop.
    """

    scale: float
    shift: float

    def __post_init__(self) -> None:
        if self.scale <= 0:
            raise ValueError(f"the crop's scale must be above 0, found {self.scale}")


@dataclasses.dataclass(frozen=True)
class WeightsFile:
    """One file of weights, and how to know it.

    Attributes:
        file: Its name inside `models/weights`, ending in .safetensors.
        sha256: Of the file's bytes, 64 lower-case hexadecimal digits.
        bytes: The file's size.
        encoding: How the numbers are stored, see `models.weights`.
        hub: Repository on the Hugging Face hub that has the same file, None where none has.
    """

    file: str
    sha256: str
    bytes: int
    encoding: Encoding
    hub: str | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors", self.file):
            raise ValueError("the weights' file must be a plain name ending in .safetensors")
        if not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise ValueError("the weights' sha256 must be 64 lower-case hexadecimal digits")
        if self.bytes <= 0:
            raise ValueError(f"the weights' size must be above 0 bytes, found {self.bytes}")


@dataclasses.dataclass(frozen=True)
class DetectorCard:
    """A deepfake detector: face crop in, probability of being fake out.

    Attributes:
        name: The name used in code, files and commands: one of `DETECTOR_NAMES` or `DEFENCE_NAMES`
            for what ships, another one for a detector that the operator gave.
        title: The name shown to people.
        architecture: The timm name of the network, or one of `models.small_network`.
        input_size: Side of the network's square input in px.
        mean: Per channel RGB, of pixels in [0, 1].
        std: Per channel RGB, of pixels in [0, 1].
        crop: How the face is cut out.
        threshold: Fake probability in (0, 1) from which on a crop is called fake.
        weights: The file of weights.
        figures: What was measured on exactly that file.
        origin: Where the weights come from.
        note: What a reader has to know before trusting the figures.
    """

    name: str
    title: str
    architecture: KnownArchitecture
    input_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop: CropPolicy
    threshold: float
    weights: WeightsFile
    figures: tuple[Figure, ...]
    origin: Origin
    note: str

    def __post_init__(self) -> None:
        if self.input_size <= 0:
            raise ValueError(f"input_size must be above 0 px, found {self.input_size}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be above 0 in every channel, found {self.std}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must lie between 0 and 1, found {self.threshold}")


@dataclasses.dataclass(frozen=True)
class SuperResolutionCard:
    """An EDSR network: picture in [0, 1] in, picture `scale` times as large out.

    Attributes:
        name: The name used in code, files and commands.
        title: The name shown to people.
        scale: The factor of enlargement.
        blocks: Number of residual blocks.
        channels: Number of feature channels.
        weights: The file of weights.
        figures: What was measured on exactly that file.
        origin: Where the weights come from.
        note: What a reader has to know before trusting the figures.
    """

    name: SuperResolutionName
    title: str
    scale: Literal[2, 3, 4]
    blocks: Literal[16]
    channels: Literal[64]
    weights: WeightsFile
    figures: tuple[Figure, ...]
    origin: Origin
    note: str

    def __post_init__(self) -> None:
        if self.name != f"edsr_x{self.scale}":
            raise ValueError(f"scale must be the one in the name {self.name}, found {self.scale}")
