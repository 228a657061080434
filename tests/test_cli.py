"""The command line: what it prints, writes, and refuses."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import timm
import torch
from PIL import Image
from spandrel.architectures.Compact import Compact

from demo.cli import GPU_FULL, main
from demo.core.analysis import Settings, Toolbox, analyse, make_toolbox
from demo.core.attack import enlarge_picture
from demo.core.faces import FaceDetector
from demo.core.images import digest, read_picture
from demo.core.record import mark, record
from demo.core.scoring import probability, score_crops
from demo.round_trip_words import seen
from demo.views import difference
from models.cards import DETECTOR_NAMES
from models.zoo import Zoo
from tests.made_memory import memory_for
from tests.made_models import ModelFolders

Picture = npt.NDArray[np.uint8]
Run = Callable[..., int]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def toolbox(random_zoo: Zoo) -> Toolbox:
    return Toolbox(random_zoo, FaceDetector())


@pytest.fixture
def run(toolbox: Toolbox) -> Run:
    """Run a command over the made-up networks and return its exit status."""

    def run(*words: object) -> int:
        return main([str(word) for word in words], lambda *asked: toolbox)

    return run


@pytest.fixture
def portrait(astronaut: Picture, tmp_path: Path) -> Path:
    """A file with one face."""
    path = tmp_path / "portrait.png"
    Image.fromarray(astronaut[0:256, 100:356]).save(path)
    return path


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """A file without a face."""
    path = tmp_path / "blank.png"
    Image.fromarray(np.full((64, 80, 3), 120, dtype=np.uint8)).save(path)
    return path


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on standard error: one line, no trace, and nothing on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


def png_text(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return {str(key): str(value) for key, value in image.info.items()}


def test_analyse_writes_the_pictures_and_the_record(
    run: Run, portrait: Path, tmp_path: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert run("analyse", portrait, "--k", "2", "--out", out, "--json") == 0
    expected = analyse(read_picture(portrait), Settings(), toolbox)
    (result,) = expected.results
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((out / "record.json").read_text(encoding="utf-8"))
    assert printed == json.loads(json.dumps(record(expected)))
    for name, picture in {
        "attacked.png": expected.attacked,
        "clean_crop.png": result.clean,
        "attacked_crop.png": result.attacked,
        "difference.png": difference(result.clean, result.attacked, 8),
    }.items():
        np.testing.assert_array_equal(read_picture(out / name), picture)
    assert len(list(out.iterdir())) == 5
    for name in ("attacked.png", "attacked_crop.png"):
        assert png_text(out / name).items() >= mark(expected).items()
    assert "Software" not in png_text(out / "clean_crop.png")


def test_analyse_prints_a_table_with_every_verdict(
    run: Run, portrait: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("analyse", portrait, "--k", "4", "--method", "bicubic") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    settings = Settings(k=4, method="bicubic")
    (result,) = analyse(read_picture(portrait), settings, toolbox).results
    assert f"PSNR {result.quality.psnr_db:.2f} dB" in captured.out
    assert f"SSIM {result.quality.ssim:.4f}" in captured.out
    for score in result.scores:
        (line,) = [line for line in captured.out.splitlines() if line.startswith(score.title)]
        assert f"{score.clean:.3f}" in line
        assert f"{score.attacked:.3f}" in line
        assert ("FLIPPED" in line) == score.flipped
    assert f"Round trip in the clean crop: {seen(result.clean_round_trip)}\n" in captured.out
    assert f"Round trip in the attacked crop: {seen(result.attacked_round_trip)}\n" in captured.out


def test_every_setting_reaches_the_analysis(
    run: Run, portrait: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--k 1.5 --method lanczos --kernel bicubic --scope frame --box 10 20 90 95.5"
    assert run("analyse", portrait, *words.split(), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["settings"] == {
        "k": 1.5,
        "method": "lanczos",
        "kernel": "bicubic",
        "scope": "frame",
        "face": None,
        "box": [10, 20, 90, 95.5],
        "whole": False,
    }


def test_several_faces_get_numbered_files(
    run: Run, astronaut: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = astronaut[0:256, 100:356]
    path = tmp_path / "two.png"
    Image.fromarray(np.concatenate([head, head], axis=1)).save(path)
    words = ["--scope", "faces", "--method", "bicubic", "--out", tmp_path / "out"]
    assert run("analyse", path, *words) == 0
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {"attacked.png", "record.json"} | {
        f"{name}_{number}.png"
        for name in ("clean_crop", "attacked_crop", "difference")
        for number in (1, 2)
    }
    printed = capsys.readouterr().out
    assert "Face 1:" in printed
    assert "Face 2:" in printed


def test_attack_writes_the_marked_picture(
    run: Run, portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    words = ["--k", "3", "--box", "40", "40", "140", "140"]
    assert run("attack", portrait, *words, "-o", out, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    attacked, clean = read_picture(out), read_picture(portrait)
    assert said["attacked"]["sha256"] == digest(attacked)
    assert png_text(out)["K"] == "3"
    assert "round trip" in png_text(out)["Description"]
    changed = (attacked != clean).any(axis=2)
    assert changed[40:140, 40:140].any()
    changed[40:140, 40:140] = False
    assert not changed.any()


@pytest.mark.parametrize("method", ["edsr", "bicubic"])
def test_restore_enlarges_the_whole_picture(
    method: str,
    run: Run,
    blank: Path,
    tmp_path: Path,
    toolbox: Toolbox,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out.png"
    assert run("restore", blank, "--scale", "3", "--method", method, "-o", out, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    expected = enlarge_picture(read_picture(blank), 3, method, toolbox.zoo)
    np.testing.assert_array_equal(read_picture(out), expected)
    assert (said["width"], said["height"]) == (240, 192)
    assert said["sha256"] == digest(expected)
    assert [model["name"] for model in said["models"]] == (["edsr_x3"] if method == "edsr" else [])
    assert png_text(out)["Scale"] == "3"


def test_score_asks_about_the_largest_face(
    run: Run, portrait: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", portrait, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    (result,) = analyse(read_picture(portrait), Settings(method="bicubic"), toolbox).results
    assert said["file"] == "portrait.png"
    assert list(said["detectors"]) == list(DETECTOR_NAMES)
    for score in result.scores:
        answer = said["detectors"][score.detector]
        assert answer["fake_probability"] == pytest.approx(score.clean, abs=1e-5)
        assert answer["fake"] == score.clean_fake
        assert answer["threshold"] == score.threshold


def test_score_takes_crops_as_they_are(
    run: Run, blank: Path, toolbox: Toolbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", blank, "--crops", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    loaded = toolbox.zoo.detector("xception")
    (logit,) = score_crops(loaded, [read_picture(blank)], toolbox.zoo.device)
    found = said["detectors"]["xception"]["fake_probability"]
    assert found == pytest.approx(probability(logit), abs=1e-6)


def test_score_does_a_folder_by_name_and_goes_on_after_a_bad_picture(
    run: Run, portrait: Path, blank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    (tmp_path / "moving.gif").write_bytes(b"GIF89a")
    (tmp_path / "notes.txt").write_text("no picture either, and not named as one")
    (tmp_path / "inner").mkdir()
    Image.open(blank).save(tmp_path / "inner" / "deep.png")
    assert run("score", tmp_path, "--json") == 2
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    files = [line["file"] for line in lines]
    assert files == ["bad.jpg", "blank.png", "moving.gif", "portrait.png"]
    assert [set(line) for line in lines] == [
        {"file", "error"},
        {"file", "error"},
        {"file", "error"},
        {"file", "detectors"},
    ]
    assert "--crops" in lines[1]["error"]
    assert "Traceback" not in captured.err


def test_score_does_more_pictures_than_a_batch_holds(
    run: Run, astronaut: Picture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(18):
        Image.fromarray(astronaut[number : number + 40, 200:240]).save(
            tmp_path / f"{number:02}.png"
        )
    assert run("score", tmp_path, "--crops", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [f"{number:02}.png" for number in range(18)]
    capsys.readouterr()
    assert run("score", tmp_path / "17.png", "--crops", "--json") == 0
    alone = json.loads(capsys.readouterr().out)
    for name in DETECTOR_NAMES:
        together = lines[17]["detectors"][name]["fake_probability"]
        assert together == pytest.approx(alone["detectors"][name]["fake_probability"], abs=1e-4)


def test_score_prints_a_line_a_picture(
    run: Run, portrait: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", portrait) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("portrait.png: ResNet50 0.")
    assert line.count("(real)") + line.count("(fake)") == 3


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("analyse {blank}", "No face was found"),
        ("analyse {portrait} --k 2.2", "K must be one of 1.5, 2, 2.5, 3, 3.5, 4"),
        ("analyse {portrait} --k nan", "K must be one of"),
        ("analyse {portrait} --k two", "K must be one of"),
        ("analyse {portrait} --method srgan", "edsr, bicubic, lanczos"),
        ("analyse {portrait} --kernel box", "area, bicubic"),
        ("analyse {portrait} --scope all", "face, faces, frame"),
        ("analyse {portrait} --face 0", "must be 1 or more, but 0 came"),
        ("analyse {portrait} --face 2", "Face 2 was asked for"),
        ("analyse {portrait} --face x", "whole number"),
        ("analyse {portrait} --box 900 900 999 999", "inside the picture"),
        ("analyse {portrait} --box nan 0 30 30", "four numbers"),
        ("analyse {folder}/none.png", "file"),
        ("analyse {bad}", "JPEG, PNG, WebP or BMP"),
        ("analyse {portrait} --out {blank}/in", "cannot be made"),
        ("attack {portrait} -o {portrait}", "overwrite"),
        ("attack {portrait} -o {folder}/out.jpg", "must end in .png"),
        ("attack {portrait} --method bicubic -o {folder}/none/out.png", "could not be written"),
        ("restore {blank} --scale 5 -o {folder}/out.png", "2, 3 or 4"),
        ("restore {blank} --scale 2 --method x -o {folder}/out.png", "edsr, bicubic, lanczos"),
        ("restore {blank} --scale 2 -o {blank}", "overwrite"),
        ("score {bad}", "JPEG, PNG, WebP or BMP"),
        ("score {blank}", "--crops"),
        ("score {empty}", "none in it"),
        ("score {folder}/none.png", "file"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    words: str,
    expected: str,
    run: Run,
    portrait: Path,
    blank: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bad, empty = tmp_path / "bad.png", tmp_path / "empty"
    bad.write_bytes(b"no picture")
    empty.mkdir()
    places = {"portrait": portrait, "blank": blank, "bad": bad, "empty": empty, "folder": tmp_path}
    before = portrait.read_bytes()
    assert run(*(word.format(**places) for word in words.split())) == 2
    said = sentence(capsys)
    assert expected in said
    assert str(tmp_path) not in said
    assert portrait.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        "",
        "unknown",
        "attack picture.png",
        "analyse picture.png --box 1 2 3",
        "analyse picture.png --box a b c d",
        "analyse picture.png --box 1 2 3 4 --whole",
        "analyse picture.png --face 1 --whole",
        "analyse picture.png --face 2 --box 1 2 3 4",
        "analyse picture.png --weights edsr_x2",
        "restore picture.png -o out.png",
    ],
)
def test_words_that_make_no_command_are_refused_in_one_line(
    words: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*words.split())
    assert ended.value.code == 2
    assert "--help" in sentence(capsys)


def test_analysing_into_the_folder_of_the_picture_does_not_overwrite_it(
    run: Run, portrait: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = portrait.rename(portrait.with_name("attacked.png"))
    before = picture.read_bytes()
    words = ["--method", "bicubic", "--out", picture.parent]
    assert run("analyse", picture, *words) == 2
    assert "overwrite" in sentence(capsys)
    assert picture.read_bytes() == before
    assert list(picture.parent.iterdir()) == [picture]


def test_a_full_gpu_is_a_sentence(
    run: Run, blank: Path, toolbox: Toolbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with memory_for(0, toolbox.zoo.super_resolution(2).network):
        assert run("restore", blank, "--scale", "2", "-o", tmp_path / "large.png") == 2
    assert sentence(capsys).strip() == GPU_FULL


def test_the_device_and_the_given_weights_reach_the_toolbox(
    toolbox: Toolbox, blank: Path, tmp_path: Path
) -> None:
    asked: list[tuple[str, Mapping[str, Path], Sequence[str], Sequence[str]]] = []

    def make(
        device: str, given: Mapping[str, Path], detectors: Sequence[str], restorers: Sequence[str]
    ) -> Toolbox:
        asked.append((device, given, detectors, restorers))
        return toolbox

    words = ["restore", str(blank), "--scale", "2", "-o", str(tmp_path / "out.png")]
    main(words, make)
    main([*words, "--device", "cpu", "--weights", "edsr_x2=a=b", "--weights", "xception=c"], make)
    main([*words, "--detector", "mine=a", "--detector", "b.pt"], make)
    main([*words, "--super-resolution", "sharp=c"], make)
    assert asked == [
        ("auto", {}, [], []),
        ("cpu", {"edsr_x2": Path("a=b"), "xception": Path("c")}, [], []),
        ("auto", {}, ["mine=a", "b.pt"], []),
        ("auto", {}, [], ["sharp=c"]),
    ]


def test_a_detector_that_is_refused_is_said_and_the_others_answer(
    portrait: Path, random_models: ModelFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(*asked: object) -> Toolbox:
        missing = {"resnet50": tmp_path / "none.safetensors"}
        zoo = Zoo("cpu", folder=random_models.weights, cards=random_models.cards, given=missing)
        return Toolbox(zoo, FaceDetector())

    assert main(["score", str(portrait), "--json"], make) == 0
    captured = capsys.readouterr()
    assert list(json.loads(captured.out)["detectors"]) == list(DETECTOR_NAMES[1:])
    assert captured.err.count("\n") == 1
    assert "ResNet50" in captured.err


def test_somebodys_own_detector_is_asked_after_those_that_ship(
    astronaut: Picture, tmp_path: Path
) -> None:
    network = timm.create_model("resnet50", num_classes=2)
    torch.save(network.state_dict(), tmp_path / "mine.pt")
    toolbox = make_toolbox("cpu", detectors=[f"mine={tmp_path / 'mine.pt'}"])
    assert toolbox.zoo.detector_names == (*DETECTOR_NAMES, "mine")
    (logit,) = score_crops(toolbox.zoo.detector("mine"), [astronaut], toolbox.zoo.device)
    assert 0 < probability(logit) < 1


def test_somebodys_own_super_resolution_is_a_method_under_its_name(
    blank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Compact(num_in_ch=3, num_out_ch=3, num_feat=8, num_conv=2, upscale=4)
    torch.save({"params": network.state_dict()}, tmp_path / "Sharp x4.pth")
    own = ["--super-resolution", str(tmp_path / "Sharp x4.pth"), "--method", "sharp_x4"]
    output = tmp_path / "out.png"
    assert main(["restore", str(blank), "--scale", "4", "-o", str(output), *own, "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert model["name"] == "sharp_x4"
    with Image.open(output) as enlarged:
        assert enlarged.size == (320, 256)
        assert enlarged.info["Model SHA-256"] == model["sha256"]
    assert main(["attack", str(blank), "--whole", "--k", "3", "-o", str(output), *own]) == 0
    capsys.readouterr()
    assert main(["attack", str(blank), "--whole", "-o", str(output), *own[2:]]) == 2
    assert "must be one of edsr, bicubic, lanczos, but 'sharp_x4' came" in sentence(capsys)


def test_a_checkpoint_that_is_none_is_refused_with_a_sentence(
    portrait: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pt").write_bytes(b"no checkpoint")
    assert main(["score", str(portrait), "--detector", str(tmp_path / "bad.pt")]) == 2
    assert "checkpoint bad is refused" in sentence(capsys)


def test_help_names_the_commands_without_waiting_for_torch() -> None:
    code = (
        "import sys, demo.cli_parser\n"
        "print(demo.cli_parser.build_parser().format_help())\n"
        "assert not {'torch', 'numpy', 'cv2'} & sys.modules.keys()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    for command in ("analyse", "attack", "score", "restore", "sheet", "replay"):
        assert command in ended.stdout


def test_the_program_starts_as_a_module_and_shows_no_trace(portrait: Path, tmp_path: Path) -> None:
    def start(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "demo", *map(str, words)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    done = start("restore", portrait, "--scale", 2, "--method", "lanczos", "-o", tmp_path / "o.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert read_picture(tmp_path / "o.png").shape == (512, 512, 3)
    refused = start("analyse", tmp_path / "none.png")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert refused.stderr.count("\n") == 1
