"""Detectors learn a planted artefact from videos, and their cards say how and how well."""

import hashlib
import json
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from demo.cli import main
from demo.core.errors import SettingsError, WeightsError
from demo.core.faces import FaceDetector, crop_box, cut
from demo.core.scoring import score_crops
from demo.study.ffpp import open_ffpp
from demo.study.paper_training import SPLITS, Machine, TrainingPlan, train_detectors
from demo.study.rates import Flags, Floats
from demo.study.samples import DataSet
from models.foreign_detectors import read_foreign_detectors
from models.hub import Hub
from models.training.measure import balanced_threshold
from tests.study.made_ffpp import place
from tests.study.made_videos import FORGERY, make_tree

CPU = torch.device("cpu")
PLAN = TrainingPlan(
    detectors=("resnet50",),
    forgeries=(FORGERY,),
    together=False,
    side=32,
    epochs=1,
    batch=4,
    rate=0.01,
    seed=0,
    from_scratch=True,
    starts={},
)


def words(data: Path, splits: Path, out: Path) -> list[str]:
    return [
        *("train", "detectors", "--data", "ffpp", "--root", str(data), "--splits", str(splits)),
        *("--forgeries", FORGERY, "--architectures", "resnet50", "--frames", "2"),
        *("--input-size", "32", "--batch", "8", "--device", "cpu", "--out", str(out)),
    ]


@pytest.mark.slow
def test_a_planted_artefact_is_learnt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, splits = make_tree(tmp_path)
    place(data, f"{FORGERY}/000_001.mp4").write_bytes(b"no video")
    asked = words(data, splits, tmp_path / "out")
    # Random numbers learn slowly: a higher rate makes up for the start that the paper has.
    asked += ["--from-scratch", "--rate", "0.2", "--epochs", "10"]
    assert main(asked) == 0
    assert "threshold" in capsys.readouterr().out

    card_file = tmp_path / "out" / FORGERY / "resnet50.json"
    (detector,) = read_foreign_detectors([f"mine={card_file}"], CPU)
    card = detector.card
    test = open_ffpp(data, splits, "c23", "test", [FORGERY], 2, 0)
    fake, answers = ask_anew(test, card_file)
    auc, fnr, fpr, _, on_val = card.figures
    assert auc.value >= 0.95
    assert auc.value == pytest.approx(roc_auc_score(fake, answers), abs=1e-4)
    called = answers >= logit(card.threshold)
    assert fnr.value == pytest.approx(100 * (~called)[fake].mean(), abs=1e-3)
    assert fpr.value == pytest.approx(100 * called[~fake].mean(), abs=1e-3)
    assert f"test split, {FORGERY}" in auc.of
    assert f"{len(fake)} crops" in auc.of
    assert "val split" in on_val.of

    val = open_ffpp(data, splits, "c23", "val", [FORGERY], 2, 0)
    chosen = expit(balanced_threshold(*ask_anew(val, card_file)))
    assert card.threshold == pytest.approx(chosen, abs=1e-5)
    assert len(card.origin.curve) == 10
    assert "random numbers" in card.origin.recipe
    assert "Not the paper's training" in card.note

    refused = json.loads((tmp_path / "out" / "refused.json").read_text(encoding="utf-8"))
    assert f"{FORGERY}/000_001.mp4" in {one["sample"] for one in refused}
    assert f"{sum(one['split'] == 'train' for one in refused)} of train" in card.origin.data

    written = card_file.read_bytes()
    assert main(asked) == 0
    assert card_file.read_bytes() == written
    assert main([*asked, "--epochs", "11"]) == 2
    assert "another recipe" in capsys.readouterr().err


def ask_anew(data: DataSet, card: Path) -> tuple[Flags, Floats]:
    """Truth and logits of every picture with a face, found and cut as a study does."""
    (detector,) = read_foreign_detectors([f"mine={card}"], CPU)
    faces, fake, logits = FaceDetector(), [], []
    for sample in data.samples:
        picture = data.read(sample)
        for face in faces.find(picture)[:1]:
            crop = cut(picture, crop_box(face, detector.card.crop, picture.shape[:2]))
            logits += score_crops(detector, [crop], CPU)
            fake.append(sample.fake)
    return np.array(fake), np.array(logits)


@pytest.fixture(scope="module")
def splits_of_data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DataSet]:
    """Two pairs a split, one frame a video."""
    data, splits = make_tree(tmp_path_factory.mktemp("tree"), {split: 2 for split in SPLITS})
    return {split: open_ffpp(data, splits, "c23", split, [FORGERY], 1, 0) for split in SPLITS}


def train(splits: dict[str, DataSet], plan: TrainingPlan, out: Path, hub: Hub) -> tuple[Path, ...]:
    machine = Machine(CPU, workers=0)
    return train_detectors(splits, plan, FaceDetector(), machine, hub, out)


@pytest.fixture
def nobody(tmp_path: Path) -> Hub:
    """A hub at an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    return Hub(endpoint=address, cache=tmp_path / "cache")


def test_without_the_imagenet_start_nothing_begins(
    splits_of_data: dict[str, DataSet], nobody: Hub, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=r"could not be reached.*--from-scratch"):
        train(splits_of_data, replace(PLAN, from_scratch=False), tmp_path / "out", nobody)
    assert not (tmp_path / "out").exists()


def test_a_start_that_is_no_network_is_refused_before_the_faces_are_sought(
    splits_of_data: dict[str, DataSet], nobody: Hub, tmp_path: Path
) -> None:
    (tmp_path / "start.safetensors").write_bytes(b"nothing")
    starts = {"resnet50": tmp_path / "start.safetensors"}
    plan = replace(PLAN, from_scratch=False, starts=starts)  # type: ignore[arg-type]
    with pytest.raises(WeightsError, match="safetensors file or a pickle"):
        train(splits_of_data, plan, tmp_path / "out", nobody)
    assert not (tmp_path / "out").exists()


def test_a_split_without_fakes_is_refused_before_the_training(
    splits_of_data: dict[str, DataSet], nobody: Hub, tmp_path: Path
) -> None:
    val = splits_of_data["val"]
    pristine = replace(val, samples=tuple(one for one in val.samples if not one.fake))
    with pytest.raises(SettingsError, match="needs fake faces of two or more videos in the val"):
        train(splits_of_data | {"val": pristine}, PLAN, tmp_path, nobody)


def test_all_forgeries_together_make_one_set_from_a_start_that_is_given(
    splits_of_data: dict[str, DataSet], nobody: Hub, tmp_path: Path
) -> None:
    start = tmp_path / "imagenet.safetensors"
    safetensors.torch.save_file(timm.create_model("resnet50").state_dict(), start)
    plan = replace(PLAN, together=True, from_scratch=False, starts={"resnet50": start})
    (file,) = train(splits_of_data, plan, tmp_path, nobody)
    assert file == tmp_path / "together" / "resnet50.json"
    (detector,) = read_foreign_detectors([f"mine={file}"], CPU)
    sha256 = hashlib.sha256(start.read_bytes()).hexdigest()
    assert f"timm resnet50.tv2_in1k, sha256 {sha256[:12]}" in detector.card.origin.recipe
    assert detector.card.note.startswith("Val chose")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--data", "dfdc"], "The data must be ffpp"),
        (["--architectures", "vgg"], "must be one of resnet50"),
        (["--architectures", "resnet50", "resnet50"], "each named once"),
        (["--architectures", "swin_small"], "side of 224 px"),
        (["--epochs", "0"], "epochs must be 1 or more"),
        (["--rate", "nan"], "between 0 and 10"),
        (["--start", "vgg=FILE"], "must be one of resnet50"),
        (["--forgeries", "Deepfake"], "forgery must be one of"),
        (["--workers", "-1"], "workers must be 0 or more"),
        (["--device", "tpu"], "device 'tpu' is unknown"),
    ],
)
def test_wrong_options_get_a_sentence(
    more: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(tmp_path, tmp_path, tmp_path / "out"), *more]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
