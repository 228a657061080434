"""The folder that pictures pass through on their way: private, bounded, swept, gone at the end."""

import atexit
import math
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

from demo.core.errors import DemoError

# With the pause between two sweeps, everything is gone ten minutes after its last use.
KEPT_SECONDS = 540.0
SWEPT_EVERY = 30.0
MOST_BYTES = 2 * 2**30
# Stays free on the disk, for what is written beside the results: logs, Gradio's own pictures.
SPARE_BYTES = 64 * 2**20
# What was used less long ago never makes room for something else.
IN_USE_SECONDS = 180.0
# While less than half is used, nobody looks into the folder more often than this.
LOOKED_EVERY = 1.0

FULL = "The server has no room for more pictures just now. Try again in some minutes."

_NAME = "round-trip-page-"
_FOLDER = re.compile(rf"{_NAME}[a-z0-9_]{{8}}")


class RoomError(DemoError):
    """A file could not be kept: the folder or the disk is full."""


class _File(NamedTuple):
    used: float
    size: int
    path: Path


@dataclass
class _Seen:
    when: float = -math.inf
    size: int = 0


@dataclass(frozen=True)
class Keeping:
    """A folder for uploads and results, where nothing outlives its last use by ten minutes.

    Attributes:
        folder: the folder.
        own: files in it that belong to the page itself and stay.
        most: bytes that it may hold.
    """

    folder: Path
    own: set[Path] = field(default_factory=set)
    most: int = MOST_BYTES
    _seen: _Seen = field(default_factory=_Seen)

    def write(self, name: str, content: bytes) -> str:
        """Writes a file under its own name in a folder that nobody can guess; returns its path.

        Raises:
            RoomError: there is no room for it.
        """
        place = self.folder / secrets.token_hex(16)
        try:
            if not self.make_room(len(content)):
                raise RoomError(FULL)
            place.mkdir()
            (place / name).write_bytes(content)
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
            raise RoomError(FULL) from None
        return str(place / name)

    def find(self, name: str) -> Path | None:
        """Returns the file in the folder that a visitor names; None where there is none."""
        try:
            path = Path(name).resolve(strict=True)
        except (OSError, ValueError):
            return None
        return path if path.is_relative_to(self.folder) and path.is_file() else None

    def make_room(self, count: int) -> bool:
        """Says whether so many more bytes fit, if need be without what was unused for longest.

        Raises:
            OSError: the folder or its disk cannot be asked.
        """
        on_disk = count + SPARE_BYTES - shutil.disk_usage(self.folder).free
        seen = self._seen
        seen.size += count
        fresh = time.monotonic() - seen.when < LOOKED_EVERY
        if fresh and on_disk <= 0 and seen.size < self.most // 2:
            return True
        files = sorted(self._files())
        seen.when, seen.size = time.monotonic(), sum(file.size for file in files) + count
        lacking = max(seen.size - self.most, on_disk)
        newest = time.time() - IN_USE_SECONDS
        for file in files:
            if lacking <= 0 or file.used > newest:
                break
            if file.path not in self.own:
                self._remove(file.path)
                lacking -= file.size
        return lacking <= 0

    def sweep(self, seconds: float = KEPT_SECONDS) -> None:
        """Removes every file unused for longer than ``seconds``, broken-off uploads too."""
        oldest = time.time() - seconds
        for file in self._files():
            if file.used < oldest and file.path not in self.own:
                self._remove(file.path)

    def sweep_others(self, seconds: float = KEPT_SECONDS) -> None:
        """Removes the folders of pages that were killed, and shows that this one lives.

        A page that lives touches its folder at every sweep. After a pause of the whole machine
        nobody has for long, so nothing is removed then.
        """
        oldest = time.time() - seconds
        with suppress(OSError):
            awake = self.folder.stat().st_mtime >= oldest
            os.utime(self.folder)
            for other in self.folder.parent.iterdir() if awake else ():
                if _FOLDER.fullmatch(other.name) and other.lstat().st_mtime < oldest:
                    shutil.rmtree(other, ignore_errors=True)

    def sweep_for_ever(self) -> None:
        """Starts a thread that sweeps, at once and from then on."""
        pause = Event()

        def work() -> None:
            while True:
                self.sweep()
                self.sweep_others()
                pause.wait(SWEPT_EVERY)

        Thread(target=work, daemon=True).start()

    def remove(self) -> None:
        """Removes the folder with everything in it; nothing can be kept from then on."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def claim(self) -> None:
        """Takes everything that lies in the folder now for the page's own."""
        self.own.update(file.path for file in self._files())

    def _files(self) -> Iterator[_File]:
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):
                    found = path.lstat()
                    yield _File(found.st_mtime, found.st_size, path)

    def _remove(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink()
            if path.parent != self.folder:
                path.parent.rmdir()


def open_keeping() -> Keeping:
    """Makes the folder, readable by this user only, and has Gradio keep its uploads there.

    The folder is removed when the process ends in order. Call it before a component is made:
    Gradio asks for its upload folder once for each.
    """
    keeping = Keeping(Path(tempfile.mkdtemp(prefix=_NAME)).resolve())
    os.environ["GRADIO_TEMP_DIR"] = str(keeping.folder)
    atexit.register(keeping.remove)
    return keeping
