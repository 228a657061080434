from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.cards import Architecture
from models.silent_blocks import optional_blocks
from models.training.checkpoints import read_checkpoint
from models.training.detectors import Material, train
from models.training.distillation import Distillation, read_teacher
from models.training.networks import (
    build_network,
    cell_logits,
    input_statistics,
    normalise,
)
from tests.models.training.made_faces import made_faces
from tests.models.training.test_detectors import MACHINE, PLAN

SIDE = 112


def crops() -> torch.Tensor:
    faces = made_faces(2, seed=4).pictures[:, :SIDE, :SIDE]
    return torch.from_numpy(faces.copy()).permute(0, 3, 1, 2)


@pytest.mark.parametrize("architecture", ["resnet50", "swin_small_patch4_window7_224"])
def test_a_student_comes_to_see_what_its_teacher_sees(architecture: Architecture) -> None:
    torch.manual_seed(2)
    student = build_network(architecture, skeleton=True, side=SIDE)
    teacher = build_network("legacy_xception", skeleton=True, side=SIDE)
    distillation = Distillation(student, architecture, teacher, "legacy_xception")
    batch = normalise(crops(), *input_statistics(architecture))
    learnt = [*student.parameters(), *distillation.parameters()]
    optimiser = torch.optim.AdamW(learnt, 1e-3)
    losses = []
    for _ in range(12):
        cell_logits(student, batch)
        loss = distillation(crops())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 1.5
    assert losses[-1] < 0.6 * losses[0]


def test_a_teacher_learns_nothing_and_is_kept_in_no_checkpoint() -> None:
    student = build_network("resnet50", skeleton=True, side=SIDE)
    teacher = build_network("legacy_xception", skeleton=True, side=SIDE)
    distillation = Distillation(student, "resnet50", teacher, "legacy_xception")
    cell_logits(student, normalise(crops(), *input_statistics("resnet50")))
    distillation(crops()).backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert any(
        bool(parameter.grad.any())
        for parameter in student.parameters()
        if parameter.grad is not None
    )
    assert {key.split(".")[0] for key in distillation.state_dict()} == {"bridges"}


def test_a_run_with_a_teacher_resumes_with_what_leads_to_it(tmp_path: Path) -> None:
    material = Material(made_faces(4, seed=1), [], made_faces(2, seed=2))
    teacher = train(replace(PLAN, steps=2), material, tmp_path / "teacher", MACHINE, None)
    plan = replace(PLAN, steps=2, teacher="resnet50", seed=4)
    file = train(plan, material, tmp_path / "student", MACHINE, None, teacher)
    assert any("bridges" in key for key in read_checkpoint(file)["helpers"])
    again = train(plan, material, tmp_path / "student", MACHINE, None, teacher)
    assert read_checkpoint(again)["curve"] == read_checkpoint(file)["curve"]


@pytest.mark.parametrize("skeleton", [True, False])
def test_a_teacher_is_read_without_its_silent_blocks(tmp_path: Path, skeleton: bool) -> None:
    torch.manual_seed(5)
    whole = build_network("resnet50", skeleton=False, side=SIDE)
    if not skeleton:
        last = whole.get_submodule(optional_blocks("resnet50")[-1]).get_parameter("bn3.weight")
        torch.nn.init.ones_(last)
    file = tmp_path / "teacher.pt"
    torch.save({"averaged": whole.state_dict()}, file)
    teacher = read_teacher(file, "resnet50", SIDE).eval()
    assert ("layer4.2.conv1.weight" in teacher.state_dict()) is not skeleton
    assert "layer1.1.conv1.weight" not in teacher.state_dict()
    batch = normalise(crops(), *input_statistics("resnet50"))
    with torch.inference_mode():
        assert torch.allclose(teacher(batch), whole.eval()(batch), atol=1e-4)
