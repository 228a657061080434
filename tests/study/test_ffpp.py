"""FaceForensics++ by its official splits: which frames, from which videos, and what is refused."""

import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from demo.core.errors import ImageError, SettingsError
from demo.study.ffpp import FORGERIES, open_ffpp
from demo.study.samples import PRISTINE, DataSet
from tests.study.made_ffpp import (
    BROKEN,
    DEEPFAKES,
    FACESWAP,
    LENGTH,
    MISSING,
    NAMES,
    ODD,
    SHORT,
    SPLITS,
    place,
)


@dataclass(frozen=True)
class Asked:
    root: Path
    splits: Path
    compression: str = "c23"
    split: str = "test"
    forgeries: tuple[str, ...] = (DEEPFAKES, FACESWAP)
    frames: int = 3
    seed: int = 0

    def open(self) -> DataSet:
        return open_ffpp(
            self.root,
            self.splits,
            self.compression,
            self.split,
            self.forgeries,
            self.frames,
            self.seed,
        )


@pytest.fixture
def asked(ffpp: Path) -> Asked:
    return Asked(ffpp, ffpp / SPLITS)


def frames_of(data: DataSet, video: str) -> list[int]:
    names = [one.name for one in data.samples if one.name.startswith(f"{video} frame ")]
    return [int(name.rpartition(" ")[2]) for name in names]


def test_both_orders_of_a_pair_are_fakes_and_both_ids_are_pristine(asked: Asked) -> None:
    videos = dict.fromkeys(one.name.partition(" ")[0] for one in asked.open().samples)
    assert tuple(videos) == NAMES


def test_a_fake_belongs_to_the_video_that_was_manipulated(asked: Asked) -> None:
    sources = {one.name.partition(" ")[0]: one.source for one in asked.open().samples}
    assert sources["pristine/001.mp4"] == sources["FaceSwap/001_000.mp4"] == "001"
    assert sources["FaceSwap/000_001.mp4"] == sources[PRISTINE + "/000.mp4"] == "000"
    assert sources[MISSING] == "002"


def test_frames_are_drawn_without_replacement_and_a_short_video_gives_all(asked: Asked) -> None:
    data = asked.open()
    drawn = frames_of(data, "pristine/000.mp4")
    assert len(drawn) == len(set(drawn)) == 3
    assert drawn == sorted(drawn)
    assert set(drawn) <= set(range(LENGTH))
    assert frames_of(data, SHORT) == [0]
    everything = replace(asked, frames=LENGTH + 5).open()
    assert frames_of(everything, "pristine/000.mp4") == list(range(LENGTH))


def test_a_draw_depends_on_the_seed_and_the_video_alone(asked: Asked, tmp_path: Path) -> None:
    data = asked.open()
    assert asked.open().samples == data.samples
    assert replace(asked, seed=1).open().samples != data.samples
    assert frames_of(data, "pristine/000.mp4") != frames_of(data, "pristine/003.mp4")
    fewer = tmp_path / "fewer"
    shutil.copytree(asked.root, fewer)
    place(fewer, "pristine/000.mp4").unlink()
    alone = replace(asked, root=fewer, forgeries=(FACESWAP,)).open()
    for video in ("pristine/003.mp4", "FaceSwap/002_003.mp4"):
        assert frames_of(alone, video) == frames_of(data, video)


def test_a_frame_is_read_at_its_own_size_by_a_copy_of_the_data_set_too(asked: Asked) -> None:
    data = pickle.loads(pickle.dumps(asked.open()))
    shapes = {one.name: data.read(one).shape for one in data.samples if PRISTINE in one.name}
    assert {shape for name, shape in shapes.items() if name.startswith(ODD)} == {(113, 113, 3)}
    assert {shape for name, shape in shapes.items() if not name.startswith(ODD)} == {(112, 112, 3)}


@pytest.mark.parametrize(
    ("video", "sentence"), [(MISSING, "there is none"), (BROKEN, "damaged or something else")]
)
def test_a_missing_or_broken_video_is_one_sample_that_is_refused(
    video: str, sentence: str, asked: Asked
) -> None:
    data = asked.open()
    (sample,) = (one for one in data.samples if one.name.startswith(video))
    assert sample.name == video
    with pytest.raises(ImageError, match=sentence):
        data.read(sample)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda one: replace(one, compression="c22"), "one of raw, c23, c40, but 'c22' came"),
        (lambda one: replace(one, split="tset"), "one of train, val, test, but 'tset' came"),
        (lambda one: replace(one, forgeries=("Faceswap",)), f"one of {', '.join(FORGERIES)}, but"),
        (lambda one: replace(one, forgeries=()), "One or more forgeries"),
        (lambda one: replace(one, forgeries=(FACESWAP, FACESWAP)), "each named once"),
        (lambda one: replace(one, frames=0), "but 0 came"),
        (lambda one: replace(one, split="val"), "expected as val.json"),
        (lambda one: replace(one, splits=one.root / "nowhere"), "expected as test.json"),
        (lambda one: replace(one, compression="raw"), "original_sequences/youtube/raw/videos"),
        (lambda one: replace(one, forgeries=("Face2Face",)), "manipulated_sequences/Face2Face"),
        (lambda one: replace(one, root=one.splits), "not one of them can be read"),
    ],
)
def test_what_cannot_be_opened_gets_a_sentence(
    wrong: Callable[[Asked], Asked], sentence: str, asked: Asked
) -> None:
    with pytest.raises(SettingsError, match=re.escape(sentence)) as refused:
        wrong(asked).open()
    assert str(refused.value).endswith(".")
    assert str(asked.root) not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    ["[[", "{}", "[]", "3", '[["000"]]', '["ab", "cd"]', "[[0, 1]]", '[["../000", "001"]]'],
)
def test_a_malformed_split_is_refused(content: str, asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "test.json").write_text(content)
    with pytest.raises(SettingsError, match="a list of pairs of ids"):
        replace(asked, splits=tmp_path).open()
