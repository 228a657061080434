"""Damaged weights and a full disk cost the page that part alone, and are said in a sentence."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from demo.core.analysis import Toolbox
from demo.core.faces import FaceDetector
from demo.core.images import Picture
from demo.ui.first_look import FirstLook
from demo.ui.handlers import Handlers
from demo.ui.keeping import Keeping
from demo.ui.running import Runs
from models.zoo import Zoo
from tests.made_models import ModelFolders
from tests.ui.test_handlers import Visitor, last

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 9\n" % (b"0" * 64)


def pickled(content: bytes) -> bytes:
    stream = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, stream)
    return stream.getvalue().ljust(len(content), b"\0")[: len(content)]


Damage = Callable[[bytes], bytes | None]
DAMAGE: dict[str, Damage] = {
    "missing": lambda content: None,
    "cut short": lambda content: content[:-1],
    "empty": lambda content: b"",
    "one byte flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "a pickle": pickled,
    "a git-lfs pointer": lambda content: POINTER,
}


def spoil(folders: ModelFolders, name: str, damage: Damage) -> None:
    path = folders.weights / f"{name}.safetensors"
    spoilt = damage(path.read_bytes())
    path.unlink()
    if spoilt is not None:
        path.write_bytes(spoilt)


def page_over(folders: ModelFolders, keeping: Keeping, example: Picture) -> Handlers:
    toolbox = Toolbox(Zoo("cpu", folder=folders.weights, cards=folders.cards), FaceDetector())
    return Handlers(toolbox, keeping, Runs(), FirstLook(example, toolbox))


@pytest.mark.parametrize(("first", "second"), list(zip(*[iter(DAMAGE)] * 2, strict=True)))
def test_damaged_detectors_are_named_and_the_other_is_asked(
    first: str, second: str, own: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    spoil(own, "swin_small", DAMAGE[first])
    spoil(own, "resnet50", DAMAGE[second])
    handlers = page_over(own, Keeping(tmp_path), astronaut)
    panel = last(handlers.start(astronaut, 2.0, "bicubic", "area", "face", Visitor()))
    for title in ("Swin-Small", "ResNet50"):
        assert f"The weights of {title} are refused" in panel.problem
        assert title not in panel.detectors
    assert str(tmp_path) not in panel.problem
    assert "XceptionNet" in panel.detectors
    assert panel.results["visible"] is True


def test_weights_of_another_scale_are_named_and_the_controls_still_restore(
    own: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    shutil.copy(own.weights / "edsr_x4.safetensors", own.weights / "wrong")
    (own.weights / "wrong").replace(own.weights / "edsr_x3.safetensors")
    handlers = page_over(own, Keeping(tmp_path), astronaut)
    refused = last(handlers.start(astronaut, 3.0, "edsr", "area", "face", Visitor()))
    assert "The weights of EDSR ×3 are refused" in refused.problem
    assert refused.detectors == ""
    panel = last(handlers.start(astronaut, 3.0, "bicubic", "area", "face", Visitor()))
    assert panel.problem == ""
    assert "ResNet50" in panel.detectors


def test_a_full_disk_gets_a_sentence_and_the_next_request_works(
    random_models: ModelFolders, astronaut: Picture, tmp_path: Path
) -> None:
    keeping = Keeping(tmp_path, most=2**21)
    filler = Path(keeping.write("filler", bytes(2**21)))
    keeping.claim()
    handlers = page_over(random_models, keeping, astronaut)
    asked = (astronaut, 2.0, "bicubic", "area", "face", Visitor())
    panel = last(handlers.start(*asked))
    assert "no room for more pictures just now" in panel.problem
    assert panel.detectors == ""
    filler.unlink()
    panel = last(handlers.start(*asked))
    assert panel.problem == ""
    assert "ResNet50" in panel.detectors
