"""What visitors send and get lies in one private folder of bounded size, for a short while."""

import os
import time
from pathlib import Path

import pytest

from demo.ui import keeping as room
from demo.ui.keeping import Keeping, RoomError, open_keeping


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
    keeping.sweep(seconds=3600)
    assert not old.parent.exists()
    assert not broken_off.exists()
    assert fresh.read_bytes() == b"2"


def test_the_sweeps_come_often_enough_for_ten_minutes() -> None:
    assert room.KEPT_SECONDS + room.SWEPT_EVERY < 600


def test_the_page_keeps_its_own_files(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, most=1)
    example = Path(keeping.write("example.png", b"1"))
    keeping.claim()
    age(example, 4000)
    keeping.sweep(seconds=3600)
    assert not keeping.make_room(1)
    assert example.exists()


def test_what_was_unused_for_longest_makes_room_for_what_comes(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, most=100)
    files = [Path(keeping.write(f"{number}.png", bytes(30))) for number in range(3)]
    for path, seconds in zip(files, (200, 400, 300), strict=True):
        age(path, seconds)
    keeping.write("new.png", bytes(30))
    assert [path.exists() for path in files] == [True, False, True]


def test_what_is_in_use_stays_and_what_comes_is_refused(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path, most=100)
    in_use = Path(keeping.write("in-use.png", bytes(90)))
    with pytest.raises(RoomError, match="no room for more pictures just now"):
        keeping.write("new.png", bytes(30))
    assert [path.name for path in tmp_path.rglob("*.png")] == [in_use.name]


def test_a_disk_that_is_full_gets_a_sentence_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SPARE_BYTES", 2**60)
    with pytest.raises(RoomError, match="no room"):
        Keeping(tmp_path).write("new.png", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_gets_a_sentence_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(RoomError) as refused:
        Keeping(tmp_path / "gone").write("new.png", b"1")
    assert str(tmp_path) not in str(refused.value)
    assert refused.value.__cause__ is None


def test_only_files_in_the_folder_are_found(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "uploads")
    keeping.folder.mkdir()
    kept = keeping.write("kept.png", b"1")
    elsewhere = tmp_path / "elsewhere.png"
    elsewhere.write_bytes(b"2")
    (keeping.folder / "link.png").symlink_to(elsewhere)
    assert keeping.find(kept) == Path(kept)
    for name in (
        str(elsewhere),
        f"{keeping.folder}/../elsewhere.png",
        str(keeping.folder / "link.png"),
        str(keeping.folder),
        "",
        "a\0b",
        "x" * 5000,
    ):
        assert keeping.find(name) is None


def test_the_folders_of_pages_that_were_killed_go_and_nothing_else_does(tmp_path: Path) -> None:
    own, killed, living, strange = (
        tmp_path / f"round-trip-page-{name}"
        for name in ("own_own_", "killed_1", "living_1", "notes of mine")
    )
    for folder in (own, killed, living, strange):
        folder.mkdir()
        (folder / "face.png").write_bytes(b"1")
    age(killed, 4000)
    age(strange, 4000)
    Keeping(own).sweep_others(seconds=3600)
    assert sorted(tmp_path.iterdir()) == sorted((own, living, strange))


def test_after_a_pause_of_the_machine_no_page_takes_another_for_dead(tmp_path: Path) -> None:
    own, other = tmp_path / "round-trip-page-own_own_", tmp_path / "round-trip-page-other_00"
    for folder in (own, other):
        folder.mkdir()
        age(folder, 4000)
    Keeping(own).sweep_others(seconds=3600)
    assert other.exists()
    Keeping(other).sweep_others(seconds=3600)
    assert own.exists()


def test_the_folder_is_the_users_own_and_gradio_uploads_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "elsewhere")
    keeping = open_keeping()
    assert keeping.folder.stat().st_mode & 0o777 == 0o700
    assert os.environ["GRADIO_TEMP_DIR"] == str(keeping.folder)
