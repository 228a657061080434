"""Checkpoints as other people publish them, written here with random weights."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch
import torchvision
from torch import Tensor, nn

from models.errors import WeightsError
from models.foreign_detectors import read_foreign_detector, read_foreign_detectors
from models.loading import LoadedDetector
from models.zoo import Zoo

CPU = torch.device("cpu")
HALF = (0.5, 0.5, 0.5)


def timm_network(architecture: str, classes: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        network: nn.Module = timm.create_model(architecture, num_classes=classes).eval()
    return network


def saved(path: Path, state: Mapping[str, Tensor]) -> Path:
    torch.save(dict(state), path)
    return path


def logits_of(network: nn.Module, side: int) -> Tensor:
    batch = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        answers: Tensor = network(batch)
    return answers


def check_one_logit_for_two(loaded: LoadedDetector, reference: nn.Module, side: int) -> None:
    """The sigmoid of the one logit is the softmax's share of index 1."""
    two = logits_of(reference, side).double()
    one = logits_of(loaded.network, side).double()
    assert one.shape == (2, 1)
    torch.testing.assert_close(one[:, 0], two[:, 1] - two[:, 0], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(one[:, 0].sigmoid(), two.softmax(1)[:, 1], rtol=1e-3, atol=1e-6)


# The conventions


def test_faceforensics_xception(tmp_path: Path) -> None:
    reference = timm_network("legacy_xception", 2)
    state = {}
    for key, tensor in reference.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        bare = key.replace("fc.", "last_linear.1.")
        state[f"model.{bare}"] = tensor[..., 0, 0] if "pointwise" in key else tensor
    loaded = read_foreign_detector(saved(tmp_path / "full_c23.p", state), "ff", CPU, "FF++ c23")
    check_one_logit_for_two(loaded, reference, 96)
    card = loaded.card
    assert (card.name, card.title, card.architecture) == ("ff", "FF++ c23", "legacy_xception")
    assert (card.input_size, card.mean, card.std) == (299, HALF, HALF)
    assert "FaceForensics++ Xception" in card.origin.recipe
    assert not any(weight.requires_grad for weight in loaded.network.parameters())
    assert not loaded.network.training


def test_deepfakebench_xception(tmp_path: Path) -> None:
    reference = timm_network("legacy_xception", 2)
    state = {
        f"module.backbone.{key.replace('fc.', 'last_linear.')}": tensor
        for key, tensor in reference.state_dict().items()
    }
    state["module.backbone.adjust_channel.0.weight"] = torch.zeros(512, 2048, 1, 1)
    state["module.backbone.adjust_channel.1.num_batches_tracked"] = torch.tensor(0)
    loaded = read_foreign_detector(saved(tmp_path / "xception_best.pth", state), "dfb", CPU)
    check_one_logit_for_two(loaded, reference, 96)
    assert (loaded.card.input_size, loaded.card.mean, loaded.card.std) == (256, HALF, HALF)
    assert "DeepfakeBench Xception" in loaded.card.origin.recipe


def test_deepfakebench_resnet(tmp_path: Path) -> None:
    whole = torchvision.models.resnet34(num_classes=2).eval()
    body = nn.Sequential(*list(whole.children())[:-2])
    state = {f"backbone.resnet.{key}": tensor for key, tensor in body.state_dict().items()}
    state |= {f"backbone.fc.{key}": tensor for key, tensor in whole.fc.state_dict().items()}
    loaded = read_foreign_detector(saved(tmp_path / "resnet34_best.pth", state), "dfb", CPU)
    check_one_logit_for_two(loaded, whole, 96)
    assert loaded.card.architecture == "resnet34"
    assert (loaded.card.input_size, loaded.card.mean, loaded.card.std) == (256, HALF, HALF)


def test_a_timm_resnet_with_two_logits(tmp_path: Path) -> None:
    reference = timm_network("resnet50", 2)
    path = tmp_path / "resnet50.safetensors"
    path.write_bytes(safetensors.torch.save(reference.state_dict()))
    loaded = read_foreign_detector(path, "mine", CPU)
    check_one_logit_for_two(loaded, reference, 64)
    assert loaded.card.input_size == 224
    assert loaded.card.mean == (0.485, 0.456, 0.406)
    assert loaded.card.weights.bytes == path.stat().st_size


def test_a_timm_swin_with_one_logit(tmp_path: Path) -> None:
    reference = timm_network("swin_small_patch4_window7_224", 1)
    state = {f"model.{key}": tensor for key, tensor in reference.state_dict().items()}
    state["model.layers.0.blocks.1.attn_mask"] = torch.zeros(64, 49, 49)
    loaded = read_foreign_detector(saved(tmp_path / "swin.pth", state), "mine", CPU)
    torch.testing.assert_close(logits_of(loaded.network, 224), logits_of(reference, 224))
    assert loaded.card.input_size == 224


# Wrong files


@pytest.fixture(scope="module")
def resnet34() -> dict[str, Tensor]:
    return timm_network("resnet34", 2).state_dict()


def refused(path: Path) -> str:
    with pytest.raises(WeightsError) as refusal:
        read_foreign_detector(path, "custom", CPU)
    sentence = str(refusal.value)
    assert sentence.startswith("The checkpoint custom is refused: expected ")
    assert str(path.parent) not in sentence
    return sentence


def test_keys_of_no_known_detector_are_shown_beside_the_known_ones(tmp_path: Path) -> None:
    state = {f"encoder.{index}.weight": torch.zeros(1) for index in range(9)}
    sentence = refused(saved(tmp_path / "a.pth", state))
    assert "found encoder.0.weight, encoder.1.weight, encoder.2.weight and 6 more" in sentence
    for expected in (
        "backbone.block12.skip.weight with last_linear.weight (DeepfakeBench Xception)",
        "backbone.resnet.0.weight with fc.weight (DeepfakeBench ResNet)",
        "block12.skip.weight with last_linear.weight (FaceForensics++ Xception)",
        "patch_embed.proj.weight with head.fc.weight (timm Swin-Small)",
    ):
        assert expected in sentence


Change = Callable[[dict[str, Tensor]], object]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (
            lambda state: state.pop("layer2.0.conv1.weight"),
            "the 218 tensors of timm ResNet34, such as layer1.0.conv2.weight, found 217 without "
            "layer2.0.conv1.weight;",
        ),
        (lambda state: state.pop("fc.bias"), "217 without fc.bias"),
        (
            lambda state: state.update({"se.weight": torch.zeros(1)}),
            "found 219 and also se.weight",
        ),
        (
            lambda state: state.update({"conv1.weight": torch.zeros(64, 12, 7, 7)}),
            "shape 64×3×7×7 in conv1.weight, found 64×12×7×7",
        ),
        (
            lambda state: state.update({"fc.weight": torch.zeros(1000, 512)}),
            "one logit or two classes in fc.weight, 1×512 or 2×512, found 1000×512",
        ),
        (
            lambda state: state.update({"bn1.running_mean": torch.full((64,), math.inf)}),
            "finite numbers only, found NaN or infinity in bn1.running_mean",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_told_what_was_expected_and_found(
    tmp_path: Path, resnet34: dict[str, Tensor], change: Change, part: str
) -> None:
    state = dict(resnet34)
    change(state)
    assert part in refused(saved(tmp_path / "a.pth", state))


# In the zoo


def test_an_added_detector_is_asked_after_those_that_ship(
    tmp_path: Path, resnet34: dict[str, Tensor]
) -> None:
    path = saved(tmp_path / "My ResNet.pth", resnet34)
    added = read_foreign_detectors([str(path), f"again={path}"], CPU)
    zoo = Zoo("cpu", folder=tmp_path, cards=tmp_path, added=added)
    assert zoo.detector_names[-2:] == ("my_resnet", "again")
    assert zoo.detector("again") is added[1]
    assert zoo.detectors() == added
    with pytest.raises(WeightsError, match="The name again is taken"):
        Zoo("cpu", added=[added[1], added[1]])


def test_a_shipped_name_cannot_be_taken(tmp_path: Path, resnet34: dict[str, Tensor]) -> None:
    path = saved(tmp_path / "a.pth", resnet34)
    added = read_foreign_detectors([f"xception={path}"], CPU)
    with pytest.raises(WeightsError, match="The name xception is taken"):
        Zoo("cpu", added=added)
