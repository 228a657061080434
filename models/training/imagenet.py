"""The ImageNet start: which weights of timm's an architecture begins with, fetched with a bound."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import urlopen

import timm
import torch
from torch import nn

from models.cards import Architecture
from models.errors import WeightsError
from models.foreign_files import read_foreign_file
from models.hub import Hub, HubError, within

# ImageNet-1k alone, as the paper says; torchvision's second ResNet50 is the one in its code.
TAGS: Final[Mapping[Architecture, str]] = {
    "resnet50": "tv2_in1k",
    "swin_small_patch4_window7_224": "ms_in1k",
    "legacy_xception": "tf_in1k",
}
HUB_FILE: Final = "model.safetensors"
ANSWER_SECONDS: Final = 8.0
TOTAL_SECONDS: Final = 900.0


def fetch_imagenet(architecture: Architecture, hub: Hub) -> Path:
    """The local copy of an architecture's ImageNet weights, downloaded if need be.

    Those that timm keeps on no hub come from the address in timm's own configuration.

    Raises:
        HubError: they cannot be had; the message is a clause that says why.
    """
    config = timm.get_pretrained_cfg(f"{architecture}.{TAGS[architecture]}")
    if config.hf_hub_id:
        return hub.fetch(config.hf_hub_id, HUB_FILE)
    return _fetch_address(config.url)


def begin_with_imagenet(architecture: Architecture, file: Path) -> nn.Module:
    """A detector with the ImageNet weights of a file and a last layer of random numbers.

    Args:
        architecture: timm name.
        file: Weights with 1000 classes, in timm's keys, safetensors or a pickle of tensors.

    Returns:
        The network with one logit, on the CPU.

    Raises:
        WeightsError: The file is not such weights.
    """
    tensors = read_foreign_file(file, architecture).tensors
    try:
        # With all classes first: only then does timm refuse keys and shapes that do not fit.
        network: nn.Module = timm.create_model(
            f"{architecture}.{TAGS[architecture]}",
            pretrained=True,
            pretrained_cfg_overlay={"state_dict": tensors},
        )
    except (RuntimeError, KeyError):
        raise WeightsError(
            f"The ImageNet start of {architecture} is refused: expected timm's weights with 1000 "
            "classes, found other tensors; give the file that timm publishes."
        ) from None
    network.reset_classifier(1)  # type: ignore[operator]
    return network


def _fetch_address(url: str) -> Path:
    name = Path(urlsplit(url).path).name
    file = Path(torch.hub.get_dir()) / "checkpoints" / name
    if file.is_file():
        return file
    # torchvision's habit: the name ends in the first digits of the file's sha256.
    digits = file.stem.rpartition("-")[2]

    def download() -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digits, progress=False)

    try:
        within(ANSWER_SECONDS, lambda: urlopen(url, timeout=ANSWER_SECONDS).close())
        within(TOTAL_SECONDS, download)
    except Exception:  # sockets, HTTP, TLS and a wrong hash raise unrelated types
        raise HubError("the address that timm names could not be reached") from None
    return file
