"""Frames of videos, the exact ones: each video is decoded once for all that are wanted of it.

Seeking in compressed video can end a few frames off, so videos are decoded in order, up to the last
frame that is wanted.
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2

from demo.core.errors import ImageError
from demo.core.images import Picture

HELD_VIDEOS: Final = 16


def count_frames(video: Path) -> int:
    """The number of frames that a video's header states; none is decoded.

    Raises:
        ImageError: the file is missing or no video.
    """
    capture = _opened(video)
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    if count < 1:
        raise ImageError(
            "A video was expected, but its header states no frames: fetch the file again."
        )
    return count


def read_frames(video: Path, numbers: Collection[int]) -> dict[int, Picture]:
    """Decode some frames of a video.

    Args:
        video: in any format that OpenCV's FFmpeg reads.
        numbers: of the frames, counted from 0 among those that can be decoded.

    Returns:
        Number → uint8 RGB, H×W×3; without those that the video does not hold.

    Raises:
        ImageError: the file is missing or no video.
    """
    capture = _opened(video)
    frames: dict[int, Picture] = {}
    for number in range(max(numbers) + 1):
        if not capture.grab():
            break
        if number in numbers:
            decoded, frame = capture.retrieve()
            if decoded:
                frames[number] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    capture.release()
    return frames


class FrameReader:
    """Hands out the wanted frames of videos, from any number of threads.

    The first request for a frame of a video decodes all that are wanted of it. Each is let go when
    it is handed out, so that little is held where the frames of a video are asked for one after
    another; frames of more than ``HELD_VIDEOS`` videos are never held.
    """

    def __init__(self, root: Path, wanted: Mapping[str, Collection[int]]) -> None:
        """Prepare, without opening anything.

        Args:
            root: the folder of the videos.
            wanted: path of a video below the root → numbers of its frames.
        """
        self._root = root
        self._wanted = wanted
        self._held: OrderedDict[str, _Video] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type["FrameReader"], tuple[Path, Mapping[str, Collection[int]]]]:
        """A copy for another process begins with nothing held."""
        return FrameReader, (self._root, self._wanted)

    def read(self, path: str, number: int) -> Picture:
        """One frame, uint8 RGB, H×W×3.

        Args:
            path: of the video below the root.
            number: one of those wanted of it.

        Raises:
            ImageError: the video is missing or broken, or ends before the frame.
        """
        with self._lock:
            video = self._held.setdefault(path, _Video())
            self._held.move_to_end(path)
            if len(self._held) > HELD_VIDEOS:
                self._held.popitem(last=False)
        with video.lock:
            if number not in video.frames:
                wanted = self._wanted[path]
                found = read_frames(self._root / path, wanted)
                video.frames = {one: found.get(one) for one in wanted}
            frame = video.frames.pop(number)
            if not video.frames:
                with self._lock:
                    self._held.pop(path, None)
        if frame is None:
            raise ImageError(
                "The frame was expected in the video, but cannot be decoded: the file is damaged "
                "or cut short. Fetch it again."
            )
        return frame


@dataclass
class _Video:
    """The frames of one video that were decoded and not handed out; None where that failed."""

    frames: dict[int, Picture | None] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def _opened(video: Path) -> cv2.VideoCapture:
    if not video.is_file():
        raise ImageError("A video was expected, but there is none at its place: fetch it.")
    capture = cv2.VideoCapture(str(video), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise ImageError(
            "A video was expected, but the file is damaged or something else: fetch it again."
        )
    return capture
