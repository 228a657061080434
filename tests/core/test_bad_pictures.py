"""What is no usable picture gets one sentence, soon and without being decoded."""

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.errors import ImageError
from demo.core.faces import FaceDetector
from demo.core.images import MAX_BYTES, Picture, read_picture
from models.zoo import Zoo
from tests.core.bad_pictures import BAD_PICTURES, DAMAGED_PICTURES, is_one_sentence, png
from tests.core.heavy_pictures import BURDENED_PICTURES, HEAVY_PICTURES
from tests.core.mutated_pictures import COUNT, SOUND_PICTURES, mutated, seeds, sound

LEAST_MEMORY = """
import re
from pathlib import Path
from demo.core.errors import ImageError
from demo.core.images import read_picture
from tests.core.bad_pictures import BAD_PICTURES
from tests.core.heavy_pictures import BURDENED_PICTURES, HEAVY_PICTURES
kinds = BAD_PICTURES | HEAVY_PICTURES | BURDENED_PICTURES
files = [make() for make in kinds.values()]
# getrusage's ru_maxrss would begin at what the process that started this one has.
status = Path("/proc/self/status")
peak = lambda: int(re.search("VmHWM:(.*) kB", status.read_text())[1])
before = peak()
for content in files:
    try:
        read_picture(content)
    except ImageError:
        pass
print((peak() - before) // 1024)
"""


def sentence(content: bytes | Path) -> str:
    with pytest.raises(ImageError) as caught:
        read_picture(content)
    assert caught.value.__cause__ is None
    return str(caught.value)


def read_or_sentence(content: bytes) -> Picture | None:
    """The picture, or None where one sentence came in its place."""
    try:
        read = read_picture(content)
    except ImageError as problem:
        assert is_one_sentence(str(problem))
        return None
    assert read.dtype == np.uint8
    assert read.shape[2] == 3
    return read


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_what_is_no_usable_picture_gets_one_sentence_soon(name: str) -> None:
    content = BAD_PICTURES[name]()
    start = time.process_time()
    message = sentence(content)
    assert time.process_time() - start < 1
    assert is_one_sentence(message)


@pytest.mark.parametrize("name", HEAVY_PICTURES)
def test_what_would_keep_a_processor_busy_is_refused_at_once(name: str) -> None:
    content = HEAVY_PICTURES[name]()
    start = time.process_time()
    assert is_one_sentence(sentence(content))
    assert time.process_time() - start < 1


@pytest.mark.parametrize("name", BURDENED_PICTURES)
def test_a_burden_that_no_pixel_depends_on_is_left_lying(name: str) -> None:
    content = BURDENED_PICTURES[name]()
    start = time.process_time()
    read = read_picture(content)
    assert time.process_time() - start < 1
    assert read.shape == (40, 48, 3)
    if name.startswith("PNG"):
        assert np.array_equal(read, read_picture(png(48, 40)))


@pytest.mark.parametrize("name", DAMAGED_PICTURES)
def test_a_damaged_picture_is_read_or_gets_one_sentence(name: str) -> None:
    read_or_sentence(DAMAGED_PICTURES[name]())


@pytest.mark.parametrize("name", SOUND_PICTURES)
def test_after_any_accident_a_picture_is_read_or_gets_one_sentence(name: str) -> None:
    assert read_picture(sound(name)).shape in {(40, 48, 3), (48, 40, 3)}
    for seed in seeds(name):
        try:
            read_or_sentence(mutated(name, seed))
        except Exception as problem:
            raise AssertionError(f"The accident of seed {seed} is not borne.") from problem


def test_two_thousand_accidents_happen() -> None:
    assert sorted(seed for name in SOUND_PICTURES for seed in seeds(name)) == list(range(COUNT))


def test_what_is_read_after_an_accident_can_be_analysed(random_zoo: Zoo) -> None:
    toolbox = Toolbox(random_zoo, FaceDetector())
    for name in ("CMYK JPEG", "palette BMP"):
        read = (read_or_sentence(mutated(name, seed)) for seed in seeds(name))
        picture = next(one for one in read if one is not None and one.size < 10**6)
        analysis = analyse(picture, Settings(method="bicubic", whole=True), toolbox)
        assert analysis.attacked.shape == picture.shape
        assert len(analysis.chosen.scores) == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "an empty file came"),
        ("GIF", "a GIF came"),
        ("float TIFF", "a TIFF came"),
        ("SVG", "text such as SVG"),
        ("HEIC", "HEIC"),
        ("PNG that claims 30000×30000", "at most 25 megapixels .* has 30000×30000"),
        ("PNG one row above 25 megapixels", "at most 25 megapixels .* has 5000×5001"),
        ("JPEG that claims 65500×65500", "at most 25 megapixels"),
        ("WebP that claims 16383×16383", "at most 25 megapixels"),
        ("BMP upside down that claims 30000×30000", "at most 25 megapixels"),
        ("JPEG of 200 scans", "at most 32 scans"),
        ("19 px high", "at least 20 pixels a side .* has 200×19"),
        ("19 px wide", "at least 20 pixels a side .* has 19×200"),
        ("16-bit grey PNG", "8 bits a channel"),
        ("16-bit RGB PNG", "8 bits a channel"),
        ("16-bit RGB PNG with text ahead of the header", "8 bits a channel"),
        ("16-bit RGBA PNG", "8 bits a channel"),
        ("animated PNG", "animated, with 3 frames"),
        ("animated WebP", "animated, with 3 frames"),
        ("JPEG, only 50% of it", "damaged or cut short"),
        ("CMYK JPEG, only part of it", "damaged or cut short"),
        ("PNG, only 80% of it", "damaged or cut short"),
    ],
)
def test_the_sentence_says_what_came(name: str, told: str) -> None:
    assert re.search(told, sentence(BAD_PICTURES[name]()))


def test_no_bad_picture_is_decoded() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LEAST_MEMORY], cwd=root, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 16, "megabytes more than before were needed"


@pytest.mark.parametrize("name", ["gone.png", ".", "no/such.png", "a\0b.png", "x" * 300])
def test_a_file_that_is_not_there_gets_a_sentence_without_its_path(
    name: str, tmp_path: Path
) -> None:
    message = sentence(tmp_path / name)
    assert is_one_sentence(message)
    assert "file" in message
    assert "gone" not in message


def test_a_device_is_not_read() -> None:
    assert is_one_sentence(sentence(Path("/dev/zero")))


def test_a_file_too_heavy_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "heavy.png"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert re.search(r"at most 128 MB .* has 129 MB", sentence(path))
    assert "at most 128 MB" in sentence(bytes(MAX_BYTES + 1))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"\xff\xd8\xff", b"BM", b"RIFF"]))
def test_no_bytes_raise_anything_else(content: bytes, start: bytes) -> None:
    assert is_one_sentence(sentence(start + content))
