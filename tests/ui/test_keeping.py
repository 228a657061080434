"""What visitors send and get lies in one private folder, for a short while."""

import os
import time
from pathlib import Path

import pytest

from demo.ui.keeping import Keeping, open_keeping


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_files_of_one_name_lie_apart_under_names_nobody_can_guess(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path)
    first, second = keeping.write("a.png", b"1"), keeping.write("a.png", b"2")
    assert first != second
    assert Path(first).read_bytes() == b"1"
    assert len(Path(first).parent.name) == 32


def test_old_files_go_with_their_folders_and_fresh_ones_stay(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path)
    old, fresh = Path(keeping.write("old.png", b"1")), Path(keeping.write("fresh.png", b"2"))
    broken_off = tmp_path / "upload.part"
    broken_off.write_bytes(b"3")
    age(old, 4000)
    age(broken_off, 4000)
    keeping.sweep(frozenset(), seconds=3600)
    assert not old.parent.exists()
    assert not broken_off.exists()
    assert fresh.read_bytes() == b"2"


def test_the_page_keeps_its_own_files(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path)
    example = Path(keeping.write("example.png", b"1"))
    age(example, 4000)
    keeping.sweep(frozenset({example}), seconds=3600)
    assert example.exists()


def test_the_folder_is_the_users_own_and_gradio_uploads_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "elsewhere")
    keeping = open_keeping()
    assert keeping.folder.stat().st_mode & 0o777 == 0o700
    assert os.environ["GRADIO_TEMP_DIR"] == str(keeping.folder)
