"""The exact frames of a video, decoded once, whoever asks for them and in whatever order."""

import pickle
import shutil
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import numpy.typing as npt
import pytest

from demo.core.errors import ImageError
from demo.study import videos
from demo.study.videos import HELD_VIDEOS, FrameReader, count_frames, read_frames
from tests.study.made_ffpp import write_video

LENGTH, STEP = 40, 6
Frame = npt.NDArray[np.uint8]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A film whose frames tell their number by their light, most of them stored as changes."""
    return numbered(tmp_path / "größer.mp4")


def numbered(file: Path) -> Path:
    write_video(file, [np.full((48, 64, 3), STEP * n, np.uint8) for n in range(LENGTH)])
    return file


def number_of(frame: Frame) -> int:
    # Storing takes up to 4 levels of light away.
    return round((float(frame.mean()) + 2) / STEP)


def test_the_header_tells_how_many_frames_there_are(video: Path) -> None:
    assert count_frames(video) == LENGTH


def test_the_frames_are_those_of_the_numbers_asked_for(video: Path) -> None:
    found = read_frames(video, (0, 11, 12, 13, 31, 39))
    assert {number: number_of(frame) for number, frame in found.items()} == {
        number: number for number in (0, 11, 12, 13, 31, 39)
    }
    assert found[31].shape == (48, 64, 3)


def test_frames_are_rgb(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    write_video(tmp_path / "red.mp4", [red])
    frame = read_frames(tmp_path / "red.mp4", (0,))[0]
    assert frame[..., 0].min() > 150
    assert frame[..., 2].max() < 50


def test_one_decoding_serves_every_frame_that_is_wanted(video: Path) -> None:
    reader = FrameReader(video.parent, {video.name: (3, 20)})
    assert number_of(reader.read(video.name, 20)) == 20
    video.unlink()
    assert number_of(reader.read(video.name, 3)) == 3
    with pytest.raises(ImageError, match="there is none"):
        reader.read(video.name, 3)


def test_frames_of_few_videos_are_held(video: Path) -> None:
    names = [f"{n}.mp4" for n in range(HELD_VIDEOS + 1)]
    for name in names:
        shutil.copy(video, video.with_name(name))
    reader = FrameReader(video.parent, dict.fromkeys(names, (3, 20)))
    for name in names:
        reader.read(name, 3)
        video.with_name(name).unlink()
    assert number_of(reader.read(names[1], 20)) == 20
    with pytest.raises(ImageError):
        reader.read(names[0], 20)


def test_threads_get_the_frames_that_they_ask_for(video: Path) -> None:
    other = numbered(video.with_name("other.mp4"))
    wanted = (2, 9, 17, 33)
    reader = FrameReader(video.parent, {video.name: wanted, other.name: wanted})
    asked = [(name, number) for number in wanted for name in (video.name, other.name)] * 3
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(lambda one: reader.read(*one), asked))
    assert [number_of(frame) for frame in frames] == [number for _, number in asked]


def test_threads_that_ask_at_once_wait_for_one_decoding(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodings: list[Path] = []

    def counted(file: Path, numbers: Collection[int]) -> dict[int, Frame]:
        decodings.append(file)
        return read_frames(file, numbers)

    monkeypatch.setattr(videos, "read_frames", counted)
    wanted = (2, 9, 17, 33)
    reader, start = FrameReader(video.parent, {video.name: wanted}), Barrier(len(wanted))

    def ask(number: int) -> Frame:
        start.wait()
        return reader.read(video.name, number)

    with ThreadPoolExecutor(len(wanted)) as pool:
        assert [number_of(frame) for frame in pool.map(ask, wanted)] == list(wanted)
    assert decodings == [video]


def test_another_process_gets_a_reader_of_its_own(video: Path) -> None:
    reader = FrameReader(video.parent, {video.name: (3, 20)})
    reader.read(video.name, 3)
    copy = pickle.loads(pickle.dumps(reader))
    assert number_of(copy.read(video.name, 3)) == 3


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "there is none"), (b"no video", "damaged or something else")]
)
def test_what_is_no_video_is_refused(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "secret name.mp4"
    if content is not None:
        file.write_bytes(content)
    for ask in (count_frames, lambda one: read_frames(one, (0,))):
        with pytest.raises(ImageError, match=sentence) as refused:
            ask(file)
        assert "secret" not in str(refused.value)


def test_a_frame_that_cannot_be_decoded_is_refused_and_the_others_are_read(video: Path) -> None:
    content = bytearray(video.read_bytes())
    middle, end = len(content) // 3, content.index(b"moov") - 4
    content[middle:end] = bytes(end - middle)
    video.write_bytes(content)
    assert count_frames(video) == LENGTH
    reader = FrameReader(video.parent, {video.name: (1, 39)})
    with pytest.raises(ImageError, match="cut short"):
        reader.read(video.name, 39)
    assert number_of(reader.read(video.name, 1)) == 1
