"""`python -m demo study run --data ffpp`: from videos to tables, with one detector or one each."""

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from demo.cli import main
from demo.core.analysis import analyse
from demo.core.faces import FaceDetector
from demo.core.picture_attack import Toolbox
from demo.core.settings import Settings
from demo.study.ffpp import open_ffpp
from demo.study.measuring import CLEAN
from demo.study.parts import one_thread
from demo.study.samples import PRISTINE, DataSet
from models.zoo import Zoo
from tests.study.made_detectors import make_detectors
from tests.study.made_ffpp import BROKEN, DEEPFAKES, FACELESS, FACESWAP, MISSING, ODD, SPLITS

FRAMES = 2
BOTH = (DEEPFAKES, FACESWAP)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of detectors for each forgery."""
    root = tmp_path_factory.mktemp("detectors")
    return {
        forgery: make_detectors(root / forgery, opposite=forgery == FACESWAP) for forgery in BOTH
    }


@pytest.fixture(scope="module")
def toolbox(cards: dict[str, Path]) -> Toolbox:
    folder = cards[DEEPFAKES]
    return Toolbox(Zoo("cpu", folder=folder, cards=folder), FaceDetector())


@pytest.fixture(scope="module")
def data(ffpp: Path) -> DataSet:
    return open_ffpp(ffpp, ffpp / SPLITS, "c23", "test", BOTH, FRAMES, seed=0)


def words(ffpp: Path, out: Path) -> list[str]:
    asked = ["study", "run", "--data", "ffpp", "--root", str(ffpp), "--splits", str(ffpp / SPLITS)]
    asked += ["--compression", "c23", "--forgeries", *BOTH, "--frames", str(FRAMES)]
    return [
        *asked,
        "--methods",
        "bicubic",
        "--k",
        "2",
        "--device",
        "cpu",
        "--workers",
        "1",
        "--out",
        str(out),
    ]


@pytest.fixture(scope="module")
def finished(ffpp: Path, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study in which three detectors are asked about all forgeries."""
    out = tmp_path_factory.mktemp("study") / "all"
    assert main(words(ffpp, out), lambda *asked: toolbox) == 0
    return out


@pytest.fixture(scope="module")
def apart(
    ffpp: Path,
    cards: dict[str, Path],
    toolbox: Toolbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A study in which two detectors were trained on each forgery."""
    out = tmp_path_factory.mktemp("study") / "apart"
    given = [f"{one}={cards[one] / name}.json" for one in BOTH for name in ("xception", "resnet50")]
    assert main([*words(ffpp, out), "--detectors", *given], lambda *asked: toolbox) == 0
    return out


def table(study: Path, name: str) -> list[dict[str, str]]:
    with (study / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_frame_is_measured_or_listed_with_its_reason(finished: Path, data: DataSet) -> None:
    rows = pd.read_parquet(finished / "scores.parquet")
    refused = {
        one["sample"]: one["why"]
        for one in json.loads((finished / "manifest.json").read_text(encoding="utf-8"))["refused"]
    }
    assert "there is none" in refused[MISSING]
    assert "damaged" in refused[BROKEN]
    faceless = [one.name for one in data.samples if one.name.startswith(FACELESS)]
    assert len(faceless) == FRAMES
    assert all("No face" in refused[name] for name in faceless)
    assert set(refused) == {MISSING, BROKEN, *faceless}
    assert sorted([*rows["sample"].unique(), *refused]) == sorted(one.name for one in data.samples)
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in refused)
    assert "FaceForensics++ c23, test split" in page


@pytest.mark.parametrize("video", ["Deepfakes/000_001.mp4", ODD])
def test_every_number_is_that_of_the_single_analysis(
    video: str, finished: Path, data: DataSet, toolbox: Toolbox
) -> None:
    sample = next(one for one in data.samples if one.name.startswith(video))
    picture = data.read(sample)
    with one_thread():
        (result,) = analyse(picture, Settings(k=2, method="bicubic"), toolbox).results
    rows = pd.read_parquet(finished / "scores.parquet")
    own = rows[rows["sample"] == sample.name]
    clean, attacked = (own[own["method"] == method] for method in (CLEAN, "bicubic"))
    assert clean["logit"].tolist() == [score.clean_logit for score in result.scores]
    assert attacked["logit"].tolist() == [score.attacked_logit for score in result.scores]
    assert set(attacked["ssim"]) == {result.quality.ssim}
    assert set(attacked["psnr_db"]) == {result.quality.psnr_db}
    # Each card cuts the face out in its own way, so no two detectors saw the same crop.
    assert own["logit"].nunique() == len(own) == 6
    assert result.clean.shape < picture.shape


@pytest.mark.parametrize("setup", [1, 2])
def test_each_detector_has_a_row_for_each_forgery(finished: Path, setup: int) -> None:
    assert [
        (row["Detector"], row["Forgery"], row["Images"])
        for row in table(finished, f"table_{setup}_bicubic_k2")
    ] == [
        (detector, forgery, images)
        for detector in ("resnet50", "swin_small", "xception")
        for forgery in BOTH
        for images in ("clean", "attacked")
    ]


def test_a_run_that_lost_its_last_parts_ends_with_the_same_bytes(
    finished: Path, ffpp: Path, toolbox: Toolbox, tmp_path: Path
) -> None:
    out = tmp_path / "all"
    shutil.copytree(finished, out)
    files = ("scores.parquet", "manifest.json", "report.html")
    for lost in (*files, "parts/0000016.json"):
        (out / lost).unlink()
    assert main(words(ffpp, out), lambda *asked: toolbox) == 0
    for name in files:
        assert (out / name).read_bytes() == (finished / name).read_bytes(), name


def test_a_detector_of_one_forgery_is_asked_about_its_fakes_and_all_pristine_pictures(
    apart: Path, finished: Path
) -> None:
    rows = pd.read_parquet(apart / "scores.parquet")
    fakes = rows[rows["forgery"] != PRISTINE]
    assert (fakes["trained_on"] == fakes["forgery"]).all()
    assert set(fakes["forgery"]) == set(BOTH)
    keys = ["sample", "detector", "method"]
    pristine = rows[rows["forgery"] == PRISTINE].set_index(keys)
    one, other = (pristine[pristine["trained_on"] == forgery]["logit"] for forgery in BOTH)
    assert len(one) == 4 * FRAMES * 2 * 2
    assert one.to_dict() == pytest.approx((-other).to_dict())
    everyone = pd.read_parquet(finished / "scores.parquet").set_index(keys)["logit"]
    assert one.to_dict() == everyone.loc[one.index].to_dict()


@pytest.mark.parametrize("setup", [1, 2])
def test_the_tables_have_each_forgerys_own_detector(apart: Path, setup: int) -> None:
    rows = table(apart, f"table_{setup}_bicubic_k2")
    assert [(row["Detector"], row["Forgery"]) for row in rows if row["Images"] == "clean"] == [
        ("xception (Deepfakes)", DEEPFAKES),
        ("xception (FaceSwap)", FACESWAP),
        ("resnet50 (Deepfakes)", DEEPFAKES),
        ("resnet50 (FaceSwap)", FACESWAP),
    ]
    scores = pd.read_parquet(apart / "scores.parquet")
    for row in rows:
        own = scores[
            (scores["detector"] == row["Detector"].partition(" ")[0])
            & (scores["trained_on"] == row["Forgery"])
            & (scores["method"] == ("bicubic" if row["Images"] == "attacked" else CLEAN))
        ]
        fakes = own[own["forgery"] == row["Forgery"]]
        assert float(row["FNR"]) == pytest.approx((fakes["logit"] < 0).mean())
        assert row["Paper's FNR"]


def test_likeness_is_told_of_every_forgery_once(apart: Path, finished: Path) -> None:
    assert table(apart, "table_3_bicubic_k2") == table(finished, "table_3_bicubic_k2")


def test_the_manifest_names_every_file_of_weights(apart: Path, cards: dict[str, Path]) -> None:
    manifest = json.loads((apart / "manifest.json").read_text(encoding="utf-8"))
    sha256 = {
        forgery: json.loads((cards[forgery] / "xception.json").read_text())["weights"]["sha256"]
        for forgery in BOTH
    }
    assert manifest["weights"] == {
        f"{name} ({forgery})": sha256[forgery]
        for name in ("xception", "resnet50")
        for forgery in BOTH
    }
    assert len(set(sha256.values())) == 2


def test_other_detectors_make_another_study(
    finished: Path, ffpp: Path, cards: dict[str, Path], toolbox: Toolbox, tmp_path: Path
) -> None:
    out = tmp_path / "all"
    shutil.copytree(finished, out)
    given = [f"{forgery}={cards[forgery] / 'xception.json'}" for forgery in BOTH]
    assert main([*words(ffpp, out), "--detectors", *given], lambda *asked: toolbox) == 2


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["Face2Face={0}/xception.json", "Deepfakes={0}/xception.json"], "given for Face2Face"),
        (["Deepfakes={0}/xception.json"], "none is trained on FaceSwap"),
        (
            ["Deepfakes={0}/xception.json", "Deepfakes={1}/xception.json"],
            "Two cards named xception were given for Deepfakes",
        ),
        (["Deepfakes={0}/none.json", "FaceSwap={1}/xception.json"], "expected in 'none.json'"),
        (["Deepfakes={0}/bare/xception.json", "FaceSwap={1}/xception.json"], "are refused"),
    ],
)
def test_cards_that_do_not_fit_the_study_get_a_sentence(
    given: list[str],
    sentence: str,
    ffpp: Path,
    cards: dict[str, Path],
    toolbox: Toolbox,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bare = cards[DEEPFAKES] / "bare"
    bare.mkdir(exist_ok=True)
    shutil.copy(cards[DEEPFAKES] / "xception.json", bare)
    named = [one.format(cards[DEEPFAKES], cards[FACESWAP]) for one in given]
    out = tmp_path / "out"
    assert main([*words(ffpp, out), "--detectors", *named], lambda *asked: toolbox) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert str(bare.parent) not in said
    assert not out.exists()
