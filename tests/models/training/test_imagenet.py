import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch

from models.errors import WeightsError
from models.hub import Hub, HubError
from models.training import imagenet
from models.training.imagenet import begin_with_imagenet, fetch_imagenet


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights with 1000 classes, in the place of ImageNet's."""
    path = tmp_path_factory.mktemp("imagenet") / "model.safetensors"
    safetensors.torch.save_file(timm.create_model("resnet50").state_dict(), path)
    return path


@pytest.fixture
def silence() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def test_all_but_the_last_layer_begins_with_the_file(file: Path) -> None:
    given = safetensors.torch.load_file(file)
    state = begin_with_imagenet("resnet50", file).state_dict()
    assert state["fc.weight"].shape == (1, 2048)
    for key in given.keys() - {"fc.weight", "fc.bias"}:
        assert torch.equal(state[key], given[key]), key


def test_a_file_of_another_network_is_refused(file: Path) -> None:
    with pytest.raises(WeightsError, match="1000 classes, found other tensors"):
        begin_with_imagenet("legacy_xception", file)


def test_the_file_comes_from_the_hub(file_hub: Callable[..., Any], tmp_path: Path) -> None:
    server = file_hub({"/timm/resnet50.tv2_in1k/resolve/main/model.safetensors": b"weights"})
    hub = Hub(endpoint=server.address, cache=tmp_path)
    assert fetch_imagenet("resnet50", hub).read_bytes() == b"weights"


@pytest.mark.parametrize("architecture", ["resnet50", "swin_small_patch4_window7_224"])
def test_a_hub_that_cannot_be_reached_is_given_up(
    architecture: Any, silence: str, tmp_path: Path
) -> None:
    with pytest.raises(HubError, match="could not be reached"):
        fetch_imagenet(architecture, Hub(endpoint=silence, cache=tmp_path))


def test_an_address_that_cannot_be_reached_is_given_up(
    silence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(HubError, match="could not be reached"):
        imagenet._fetch_address(f"{silence}/xception-43020ad28.pth")
    assert not any(tmp_path.rglob("*.pth"))
