"""A folder that one run holds alone, and files in it that are whole or not there."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo.core.errors import SettingsError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder, made where it is missing; the lock ends with the process, however it ends.

    Raises:
        SettingsError: it cannot be made, or another run holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
    except OSError:
        raise SettingsError(
            "A folder for the results was expected, but it cannot be made. Choose another one."
        ) from None
    try:
        _lock(held)
        yield
    finally:
        os.close(held)


def begin(folder: Path, asked: Mapping[str, object], otherwise: str) -> None:
    """Note in ``asked.json`` what is asked, or check that the folder was begun with the same.

    Raises:
        SettingsError: it was begun with something else; ``otherwise`` is the sentence.
    """
    text = json.dumps(asked, indent=2, ensure_ascii=False) + "\n"
    file = folder / "asked.json"
    if not file.exists():
        write_whole(file, text)
    if file.read_text(encoding="utf-8") != text:
        raise SettingsError(otherwise)


def write_whole(file: Path, text: str) -> None:
    """Write a file whole or not at all, whatever happens to the process or the machine."""
    partial = file.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)


def _lock(held: int) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SettingsError(
            "Another run is writing to this folder. Wait for its end, or choose another folder."
        ) from None
