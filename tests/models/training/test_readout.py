from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.training.checkpoints import read_checkpoint
from models.training.detectors import Material, normalise, train
from models.training.networks import begin, build_network
from models.training.readout import refit_checkpoint
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
    assert changed == {"fc.weight", "fc.bias"}
    network = build_network("resnet50", skeleton=True, side=224).eval()
    begin(network, after)
    with torch.inference_mode():
        pixels = torch.from_numpy(val.pictures).permute(0, 3, 1, 2)
        logits = network(normalise(pixels, PLAN))[:, 0].numpy()
    wins = np.mean(logits[val.fake][:, None] > logits[~val.fake][None])
    assert wins == auc
    assert auc > 0.9
