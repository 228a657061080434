"""The picture input opens uploaded pictures, and nothing else that a request can name."""

import os
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import ImageData
from PIL import Image

from demo.ui.picture_input import PictureInput, Unreadable


@pytest.fixture
def component(uploads: Path) -> PictureInput:
    return PictureInput(format="png")


def save(path: Path) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_an_uploaded_picture_arrives_pixel_for_pixel(
    component: PictureInput, uploads: Path
) -> None:
    path = save(uploads / "face.png")
    arrived = component.preprocess(ImageData(path=str(path)))
    assert isinstance(arrived, np.ndarray)
    assert np.array_equal(arrived, np.asarray(Image.open(path)))


def test_nothing_chosen_is_nothing(component: PictureInput) -> None:
    assert component.preprocess(None) is None


def test_a_picture_elsewhere_on_the_server_stays_closed(
    component: PictureInput, uploads: Path
) -> None:
    elsewhere = save(uploads.parent / "private.png")
    detour = f"{uploads}/../private.png"
    (uploads / "link.png").symlink_to(elsewhere)
    for name in (str(elsewhere), detour, str(uploads / "link.png")):
        refused = component.preprocess(ImageData(path=name))
        assert isinstance(refused, Unreadable)
        assert "private" not in refused.sentence


@pytest.mark.parametrize(
    "payload",
    [
        ImageData(url="data:image/png;base64,iVBORw0KGgo="),
        ImageData(path="data:image/png;base64,iVBORw0KGgo="),
        ImageData(path="http://127.0.0.1/face.png"),
        ImageData(path="a\0b.png"),
        ImageData(path="."),
        ImageData(path="gone.png"),
    ],
)
def test_what_is_no_uploaded_file_gets_a_sentence(
    component: PictureInput, payload: ImageData
) -> None:
    refused = component.preprocess(payload)
    assert isinstance(refused, Unreadable)
    assert refused.sentence.endswith(".")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n"])
def test_an_upload_that_is_no_picture_gets_a_sentence(
    component: PictureInput, uploads: Path, content: bytes
) -> None:
    path = uploads / "face.png"
    path.write_bytes(content)
    refused = component.preprocess(ImageData(path=str(path)))
    assert isinstance(refused, Unreadable)
    assert str(uploads) not in refused.sentence


def test_a_picture_in_use_does_not_grow_old(component: PictureInput, uploads: Path) -> None:
    path = save(uploads / "face.png")
    os.utime(path, (1, 1))
    component.preprocess(ImageData(path=str(path)))
    assert path.stat().st_mtime > 1


def test_the_page_shows_it_as_gradios_own_picture_field(component: PictureInput) -> None:
    assert component.get_block_name() == "image"


def test_no_address_is_fetched(component: PictureInput) -> None:
    with pytest.raises(gr.Error, match="not fetched"):
        component.move_resource_to_block_cache("https://example.org/face.png")
