"""The folder that pictures pass through on their way: private, swept by age, gone at the end."""

import atexit
import os
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

KEPT_SECONDS = 1800.0


@dataclass(frozen=True)
class Keeping:
    """A folder for uploads and results; nothing in it outlives its last use by half an hour."""

    folder: Path

    def write(self, name: str, content: bytes) -> str:
        """Writes a file under its own name in a folder that nobody can guess; returns its path."""
        place = self.folder / secrets.token_hex(16)
        place.mkdir()
        path = place / name
        path.write_bytes(content)
        return str(path)

    def sweep(self, kept: frozenset[Path], seconds: float = KEPT_SECONDS) -> None:
        """Removes every file unused for longer than ``seconds``, broken-off uploads too.

        Args:
            kept: files that belong to the page itself and stay.
            seconds: age at which a file goes.
        """
        oldest = time.time() - seconds
        for path in sorted(self.folder.rglob("*"), reverse=True):
            try:
                if path.is_dir():
                    path.rmdir()
                elif path not in kept and path.stat().st_mtime < oldest:
                    path.unlink()
            except OSError:
                continue

    def sweep_for_ever(self, every: float = 300.0) -> None:
        """Starts a thread that sweeps; what lies in the folder now belongs to the page."""
        kept = frozenset(path for path in self.folder.rglob("*") if path.is_file())
        pause = Event()

        def work() -> None:
            while not pause.wait(every):
                self.sweep(kept)

        Thread(target=work, daemon=True).start()


def open_keeping() -> Keeping:
    """Makes the folder, readable by this user only, and has Gradio keep its uploads there.

    The folder is removed when the process ends in order. Call it before a component is made:
    Gradio asks for its upload folder once for each.
    """
    folder = Path(tempfile.mkdtemp(prefix="round-trip-")).resolve()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Keeping(folder)
