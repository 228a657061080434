"""Batches and networks on another device are the same batches and networks."""

import pytest
import torch
from torch import nn

from models.precision import type_of
from models.transfer import copy_to, to_device
from models.zoo import Zoo
from tests.made_models import ModelFolders, tiny_network

CPU = torch.device("cpu")


def test_a_batch_that_is_there_already_is_not_copied() -> None:
    batch = torch.rand(2, 3)
    assert to_device(batch, CPU) is batch


@pytest.mark.gpu
def test_batches_sent_one_after_another_keep_their_own_numbers(gpu: torch.device) -> None:
    batches = [torch.full((16, 3, 224, 224), float(number)) for number in range(20)]
    there = [to_device(batch, gpu) for batch in batches]
    assert all(one.device.type == "cuda" for one in there)
    for batch, one in zip(batches, there, strict=True):
        torch.testing.assert_close(one.cpu(), batch, rtol=0, atol=0)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16])
def test_the_type_stays(dtype: torch.dtype, gpu: torch.device) -> None:
    assert to_device(torch.ones(3, dtype=dtype), gpu).dtype == dtype


def test_a_copied_network_answers_alike_and_shares_no_module() -> None:
    network = tiny_network().eval()
    copied = copy_to(network, CPU)
    batch = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(copied(batch), network(batch), rtol=0, atol=0)
    assert not set(map(id, copied.modules())) & set(map(id, network.modules()))
    assert not copied.training


def test_what_only_holds_a_network_is_copied_with_it() -> None:
    class Holder:
        def __init__(self, model: nn.Module) -> None:
            self.model = model

        def __call__(self, batch: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(self.model(batch))

        def to(self, device: torch.device) -> "Holder":
            self.model.to(device)
            return self

    holder = Holder(nn.Conv2d(3, 3, 1))
    copied = copy_to(holder, CPU)
    assert copied.model is not holder.model
    batch = torch.rand(1, 3, 2, 2)
    torch.testing.assert_close(copied(batch), holder(batch))


def test_a_plain_function_is_its_own_copy() -> None:
    assert copy_to(torch.relu, CPU) is torch.relu


@pytest.mark.gpu
def test_a_network_comes_from_the_gpu_without_touching_it(gpu: torch.device) -> None:
    network = tiny_network().eval().to(gpu)
    held = torch.cuda.memory_allocated()
    copied = copy_to(network, CPU)
    assert torch.cuda.memory_allocated() == held
    assert next(copied.parameters()).device == CPU
    assert next(network.parameters()).is_cuda


@pytest.mark.gpu
def test_the_twin_on_the_cpu_leaves_the_gpus_zoo_alone(
    gpu: torch.device, random_models: ModelFolders
) -> None:
    zoo = Zoo(gpu.type, folder=random_models.weights, cards=random_models.cards).in_bfloat16()
    twin = zoo.on_cpu()
    assert (twin.device, twin.precision) == (CPU, "bfloat16")
    assert type_of(twin.detector("resnet50").network) == torch.bfloat16
    assert next(twin.detector("resnet50").network.parameters()).device == CPU
    assert next(zoo.detector("resnet50").network.parameters()).is_cuda
