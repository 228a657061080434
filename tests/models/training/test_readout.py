from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.training.checkpoints import read_checkpoint
from models.training.detectors import Material, train
from models.training.networks import begin, build_network, normalise
from models.training.readout import refit, refit_checkpoint, take_statistics
from tests.models.training.made_faces import made_faces
from tests.models.training.test_detectors import MACHINE, PLAN


def test_the_last_layer_alone_learns_what_the_features_already_show(tmp_path: Path) -> None:
    faces, val = made_faces(12, seed=1), made_faces(6, seed=2)
    for split in (faces, val):
        split.pictures[split.fake, 60:160, 60:160] = 200
    first = train(replace(PLAN, steps=2), Material(faces, [], val), tmp_path / "one", MACHINE, None)
    auc = refit_checkpoint(first, tmp_path / "two", faces, pairs=10, val=val)
    before, after = (
        read_checkpoint(tmp_path / run / "checkpoint.pt")["averaged"] for run in ("one", "two")
    )
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    learnt = {key for key in changed if "running" not in key and "num_batches" not in key}
    assert learnt == {"fc.weight", "fc.bias"}
    network = build_network("resnet50", skeleton=True, side=224).eval()
    begin(network, after)
    with torch.inference_mode():
        pixels = torch.from_numpy(val.pictures).permute(0, 3, 1, 2)
        logits = network(normalise(pixels, PLAN.mean, PLAN.std))[:, 0].numpy()
    wins = np.mean(logits[val.fake][:, None] > logits[~val.fake][None])
    assert wins == auc
    assert auc > 0.9


def test_a_feature_that_hardly_ever_answers_gets_no_weight() -> None:
    faces, val = made_faces(12, seed=1), made_faces(6, seed=2)
    network = build_network("resnet50", skeleton=True, side=224)
    with torch.no_grad():
        network.get_submodule("layer4.0.downsample.1").get_parameter("weight")[7] = 1e-9
    refit(network, PLAN, faces, 10, val)
    weight = network.get_submodule("fc").get_parameter("weight")[0]
    assert float(weight[7]) == 0
    assert float(weight.abs().max()) < 1e4


def test_statistics_are_those_of_the_crops_that_are_asked_about() -> None:
    faces = made_faces(8, seed=3)
    network = build_network("resnet50", skeleton=True, side=224)
    seen: list[torch.Tensor] = []
    network.get_submodule("conv1").register_forward_hook(
        lambda _module, _inputs, output: seen.append(output)
    )
    fakes = np.flatnonzero(faces.fake)
    take_statistics(network, PLAN, faces.pictures, fakes, faces.original)
    (activations,) = seen
    layer = network.get_submodule("bn1")
    assert isinstance(layer, torch.nn.BatchNorm2d)
    assert layer.running_mean is not None and layer.running_var is not None
    assert torch.allclose(layer.running_mean, activations.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.allclose(layer.running_var, activations.var(dim=(0, 2, 3)), rtol=1e-3)
    assert layer.momentum == 0.1
    assert not network.training and not layer.training
