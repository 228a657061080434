import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import safetensors.torch
import torch

from models.card_files import read_detector_card, write_card
from models.cards import DETECTOR_NAMES
from models.errors import WeightsError
from models.hub import Hub
from models.silent_blocks import is_silent, optional_blocks
from models.weights import unpack
from models.zoo import Zoo, resolve_device
from tests.made_models import ModelFolders

ROOT = Path(__file__).resolve().parents[2]


def zoo_over(folders: ModelFolders, **options: Any) -> Zoo:
    return Zoo("cpu", folder=folders.weights, cards=folders.cards, **options)


def name_hub_on_cards(folders: ModelFolders, repository: str) -> None:
    for name in DETECTOR_NAMES:
        path = folders.cards / f"{name}.json"
        card = read_detector_card(path)
        weights = dataclasses.replace(card.weights, hub=repository)
        write_card(dataclasses.replace(card, weights=weights), path)


# Loading


@pytest.mark.parametrize("name", DETECTOR_NAMES)
def test_a_detector_comes_with_its_card_and_exactly_the_stored_weights(
    random_zoo: Zoo, random_models: ModelFolders, name: str
) -> None:
    loaded = random_zoo.detector(name)
    assert loaded.card == read_detector_card(random_models.cards / f"{name}.json")
    stored = unpack(safetensors.torch.load_file(random_models.weights / loaded.card.weights.file))
    state = loaded.network.state_dict()
    assert all(torch.equal(stored[key], tensor) for key, tensor in state.items())
    left_out = {key.rpartition(".")[0] for key in stored.keys() - state.keys()}
    architecture = loaded.card.architecture
    blocks = [b for b in optional_blocks(architecture) if is_silent(stored, architecture, b)]
    assert all(layer.startswith(tuple(f"{block}." for block in blocks)) for layer in left_out)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_super_resolution_network_enlarges_by_its_scale(random_zoo: Zoo, scale: int) -> None:
    card, network = random_zoo.super_resolution(scale)
    assert card.scale == scale
    with torch.inference_mode():
        out = network(torch.full((1, 3, 6, 9), 0.5))
    assert out.shape == (1, 3, 6 * scale, 9 * scale)
    assert (out - 0.5).abs().max() < 0.1


def test_networks_come_ready_for_use(random_zoo: Zoo) -> None:
    networks = [random_zoo.detector(name).network for name in DETECTOR_NAMES]
    networks.append(random_zoo.super_resolution(2).network)
    for network in networks:
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert {parameter.device for parameter in network.parameters()} == {random_zoo.device}


def test_the_detectors_come_in_the_order_of_their_names(random_zoo: Zoo) -> None:
    assert random_zoo.detector_names == DETECTOR_NAMES
    assert tuple(loaded.card.name for loaded in random_zoo.detectors()) == DETECTOR_NAMES


def test_threads_that_ask_together_share_one_network(random_models: ModelFolders) -> None:
    zoo = zoo_over(random_models)
    together = Barrier(6)

    def ask(_: int) -> tuple[object, object]:
        together.wait()
        return zoo.super_resolution(2).network, zoo.detector("resnet50").network

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(ask, range(6)))
    assert len({id(network) for network, _ in answers}) == 1
    assert len({id(network) for _, network in answers}) == 1


def test_importing_every_module_opens_no_card_and_no_weights() -> None:
    program = (
        "import sys\n"
        "opened = []\n"
        "def watch(event, arguments):\n"
        "    if event == 'open' and isinstance(arguments[0], str):\n"
        "        opened.append(arguments[0])\n"
        "sys.addaudithook(watch)\n"
        "import models.zoo, models.__main__\n"
        "ends = ('.safetensors', '.json', '.pt', '.pth')\n"
        "print([path for path in opened if 'models' in path and path.endswith(ends)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# Refusals


def test_a_refused_detector_is_named_and_the_others_go_on_working(own: ModelFolders) -> None:
    (own.weights / "swin_small.safetensors").unlink()
    (own.weights / "swin_small.safetensors").write_bytes(b"damaged")
    zoo = zoo_over(own)
    with pytest.raises(WeightsError, match="The weights of Swin-Small are refused") as refusal:
        zoo.detector("swin_small")
    assert zoo.problems() == {"swin_small": str(refusal.value)}
    assert [loaded.card.name for loaded in zoo.detectors()] == ["resnet50", "xception"]
    assert zoo.super_resolution(2).card.name == "edsr_x2"
    assert list(zoo.problems()) == ["swin_small"]


def test_a_refused_network_stays_refused_with_the_same_sentence(own: ModelFolders) -> None:
    path = own.cards / "edsr_x2.json"
    content = path.read_bytes()
    path.unlink()
    zoo = zoo_over(own)
    with pytest.raises(WeightsError) as first:
        zoo.super_resolution(2)
    path.write_bytes(content)
    with pytest.raises(WeightsError) as second:
        zoo.super_resolution(2)
    assert str(first.value) == str(second.value)
    assert "edsr_x2 is missing" in str(first.value)


def test_the_weights_of_another_scale_are_refused(own: ModelFolders) -> None:
    zoo = zoo_over(own, given={"edsr_x2": own.weights / "edsr_x4.safetensors"})
    with pytest.raises(WeightsError, match="The weights of EDSR ×2 are refused"):
        zoo.super_resolution(2)


def test_weights_of_another_network_are_refused_even_where_the_card_vouches_for_them(
    own: ModelFolders,
) -> None:
    path = own.cards / "resnet50.json"
    swapped = read_detector_card(own.cards / "xception.json").weights
    write_card(dataclasses.replace(read_detector_card(path), weights=swapped), path)
    with pytest.raises(WeightsError, match=r"The weights of ResNet50 .* missing, such as "):
        zoo_over(own).detector("resnet50")


def test_nothing_refused_before_anything_was_asked_for(tmp_path: Path) -> None:
    assert Zoo("cpu", folder=tmp_path, cards=tmp_path).problems() == {}


@pytest.mark.parametrize(
    ("name", "hint"), [("resnet", "did you mean resnet50?"), ("", "choose one of these.")]
)
def test_an_unknown_detector_is_refused_with_the_right_spelling(
    random_zoo: Zoo, name: str, hint: str
) -> None:
    with pytest.raises(WeightsError) as refusal:
        random_zoo.detector(name)
    assert "expected resnet50, swin_small, xception" in str(refusal.value)
    assert str(refusal.value).endswith(hint)


@pytest.mark.parametrize("scale", [0, 1, 5, 8])
def test_an_unknown_scale_is_refused(random_zoo: Zoo, scale: int) -> None:
    with pytest.raises(WeightsError, match=f"enlarges {scale} times: expected a scale of 2, 3, 4"):
        random_zoo.super_resolution(scale)


# Files given by whoever runs the program


def test_a_given_file_serves_where_the_folder_has_none(own: ModelFolders, tmp_path: Path) -> None:
    (own.weights / "edsr_x3.safetensors").rename(tmp_path / "copy")
    zoo = zoo_over(own, given={"edsr_x3": tmp_path / "copy"})
    assert zoo.super_resolution(3).card.scale == 3


def test_a_file_given_for_an_unknown_network_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"'resnet5' is unknown: .* did you mean resnet50"):
        Zoo("cpu", given={"resnet5": tmp_path})


# The hub


def test_a_missing_file_is_fetched_from_the_repository_on_its_card(
    own: ModelFolders, tmp_path: Path, file_hub: Callable[..., Any]
) -> None:
    name_hub_on_cards(own, "someone/weights")
    local = own.weights / "resnet50.safetensors"
    content = local.read_bytes()
    local.unlink()
    server = file_hub({"/someone/weights/resolve/main/resnet50.safetensors": content})
    hub = Hub(endpoint=server.address, cache=tmp_path / "cache")
    assert zoo_over(own, hub=hub).detector("resnet50").card.name == "resnet50"


def test_a_wrong_file_from_the_hub_is_refused(
    own: ModelFolders, tmp_path: Path, file_hub: Callable[..., Any]
) -> None:
    name_hub_on_cards(own, "someone/weights")
    (own.weights / "resnet50.safetensors").unlink()
    server = file_hub({"/someone/weights/resolve/main/resnet50.safetensors": b"something else"})
    hub = Hub(endpoint=server.address, cache=tmp_path / "cache")
    with pytest.raises(WeightsError, match=r"ResNet50 are refused: expected .* bytes, found 14"):
        zoo_over(own, hub=hub).detector("resnet50")


def test_local_files_are_used_without_asking_the_hub(
    own: ModelFolders, tmp_path: Path, silent_hub: Any
) -> None:
    name_hub_on_cards(own, "someone/weights")
    hub = Hub(endpoint=silent_hub.address, cache=tmp_path / "cache")
    assert len(zoo_over(own, hub=hub).detectors()) == 3
    assert silent_hub.connections == 0


def test_three_missing_files_wait_for_a_silent_hub_only_once(
    own: ModelFolders, tmp_path: Path, silent_hub: Any
) -> None:
    name_hub_on_cards(own, "someone/weights")
    for name in DETECTOR_NAMES:
        (own.weights / f"{name}.safetensors").unlink()
    zoo = zoo_over(
        own, hub=Hub(answer_seconds=1.0, endpoint=silent_hub.address, cache=tmp_path / "cache")
    )
    started = time.monotonic()
    assert zoo.detectors() == ()
    building = 10.0
    assert time.monotonic() - started < 1.0 + building
    assert silent_hub.connections == 1
    for name, title in zip(DETECTOR_NAMES, ("ResNet50", "Swin-Small", "XceptionNet"), strict=True):
        assert f"The weights of {title} are refused" in zoo.problems()[name]
        assert "someone/weights" in zoo.problems()[name]


# The device


def test_the_cpu_can_always_be_had() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_the_gpu_exactly_where_there_is_one() -> None:
    assert (resolve_device("auto").type == "cuda") == torch.cuda.is_available()


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(WeightsError, match="'tpu' is unknown: expected auto, cpu or cuda"):
        resolve_device("tpu")


def test_a_gpu_that_is_not_there_is_refused_rather_than_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(WeightsError, match="no usable NVIDIA GPU was found: choose auto or cpu"):
        resolve_device("cuda")


def test_the_twin_on_the_cpu_has_the_same_networks_in_the_same_precision(
    random_models: ModelFolders, random_zoo: Zoo
) -> None:
    mine = random_zoo.detector("resnet50")
    mine = dataclasses.replace(mine, card=dataclasses.replace(mine.card, name="mine"))
    zoo = Zoo("cpu", folder=random_models.weights, cards=random_models.cards, added=[mine])
    twin = zoo.in_bfloat16().on_cpu()
    assert twin.detector_names == (*DETECTOR_NAMES, "mine")
    assert twin.precision == "bfloat16"
    exact = zoo.on_cpu().detector("mine").network
    assert exact is not mine.network
    for one, other in zip(exact.parameters(), mine.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_loading_all_names_whoever_is_refused(own: ModelFolders) -> None:
    (own.weights / "edsr_x4.safetensors").unlink()
    zoo = zoo_over(own)
    zoo.load()
    assert list(zoo.problems()) == ["edsr_x4"]
