"""The input of several pictures takes uploads only, and copies and opens none of them."""

from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import FileData, ListFiles

from demo.ui.pictures_input import LONGEST_NAME, PicturesInput, shown_name


@pytest.fixture
def component(uploads: Path) -> PicturesInput:
    return PicturesInput(file_count="multiple")


def test_uploads_arrive_in_order_with_their_own_names_and_no_copy(
    component: PicturesInput, uploads: Path
) -> None:
    files = []
    for name in ("b.png", "a.png"):
        (uploads / name).write_bytes(b"not even a picture")
        files.append(FileData(path=str(uploads / name), orig_name=f"my {name}"))
    arrived = component.preprocess(ListFiles(root=files))
    assert [(one.name, one.path) for one in arrived] == [
        ("my b.png", uploads / "b.png"),
        ("my a.png", uploads / "a.png"),
    ]
    assert sorted(path.name for path in uploads.iterdir()) == ["a.png", "b.png"]


def test_nothing_sent_is_nothing(component: PicturesInput) -> None:
    assert component.preprocess(None) == ()


def test_a_file_elsewhere_is_refused_and_the_others_arrive(
    component: PicturesInput, uploads: Path
) -> None:
    elsewhere = uploads.parent / "private.png"
    elsewhere.write_bytes(b"1")
    (uploads / "link.png").symlink_to(elsewhere)
    (uploads / "own.png").write_bytes(b"2")
    named = (elsewhere, uploads / "link.png", uploads / "own.png", "data:image/png;base64,AAAA")
    files = [FileData(path=str(path), orig_name="face.png") for path in named]
    *refused, own, data = component.preprocess(ListFiles(root=files))
    assert own.path == uploads / "own.png"
    for one in (*refused, data):
        assert one.path is None
        assert one.refusal.endswith(".")
        assert "private" not in one.refusal


def test_no_address_is_fetched(component: PicturesInput) -> None:
    with pytest.raises(gr.Error, match="not fetched"):
        component.move_resource_to_block_cache("https://example.org/face.png")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("face.png", "face.png"),
        ("/home/somebody/face.png", "face.png"),
        ("C:\\pictures\\face.png", "face.png"),
        ("a\nb\u202egnp.exe", "a b gnp.exe"),
        ("\t=1+1.png", "=1+1.png"),
        ("", "unnamed"),
    ],
)
def test_a_name_is_shown_without_folders_and_control_characters(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    shown = shown_name(f"first{'x' * 400}last.png")
    assert len(shown) == LONGEST_NAME
    assert shown.startswith("first") and shown.endswith("last.png")
