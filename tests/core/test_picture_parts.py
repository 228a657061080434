"""What is left out of a file changes no pixel, and which way up it is held is still known."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from demo.core.errors import ImageError
from demo.core.picture_parts import MAX_CHUNKS, jpeg_parts, orientation, png_parts
from tests.core.bad_pictures import chunk, picture, with_app1
from tests.core.heavy_pictures import exif_bomb, in_jpeg, in_png, text_bomb
from tests.core.mutated_pictures import SOUND_PICTURES, sound


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))


def directory(order: str, *entries: tuple[int, int, int]) -> bytes:
    """A TIFF's first directory of (tag, type, value)."""
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return start + b"".join(
        struct.pack(f"{order}HHIHH", tag, kind, 1, value, 0) for tag, kind, value in entries
    )


@pytest.mark.parametrize("name", [name for name in SOUND_PICTURES if "JPEG" in name])
def test_no_pixel_of_a_jpeg_depends_on_what_is_left_out(name: str) -> None:
    left, whole = opened(jpeg_parts(sound(name)).content), opened(sound(name))
    assert np.array_equal(np.asarray(left), np.asarray(whole))
    assert (left.mode, left.size) == (whole.mode, whole.size)


@pytest.mark.parametrize("name", [name for name in SOUND_PICTURES if "PNG" in name])
def test_no_pixel_of_a_png_depends_on_what_is_left_out(name: str) -> None:
    left, whole = opened(png_parts(sound(name)).content), opened(sound(name))
    assert np.array_equal(np.asarray(left.convert("RGBA")), np.asarray(whole.convert("RGBA")))


def test_texts_profiles_and_exif_are_left_out() -> None:
    burdened = in_png(text_bomb(), text_bomb(b"iCCP"), chunk(b"eXIf", exif_bomb(10, 10_000)))
    assert png_parts(burdened).content == png_parts(in_png()).content
    burdened = with_app1(b"Exif\0\0" + exif_bomb(10, 10_000), b"http://ns.adobe.com/xap/1.0/\0")
    assert len(jpeg_parts(burdened).content) < len(burdened) - 10_000


def test_the_first_exif_is_handed_on() -> None:
    exif = directory("<", (0x0112, 3, 6))
    assert png_parts(in_png(chunk(b"eXIf", exif), chunk(b"eXIf", b"other"))).exif == exif
    assert jpeg_parts(with_app1(b"Exif\0\0" + exif, b"Exif\0\0other")).exif == b"Exif\0\0" + exif
    assert jpeg_parts(picture("JPEG")).exif == b""


def test_more_parts_than_any_program_writes_are_refused() -> None:
    with pytest.raises(ImageError, match="JPEG of at most 1000 parts"):
        jpeg_parts(in_jpeg(b"\xff\xfe\0\2" * 1000))
    with pytest.raises(ImageError, match="PNG of at most 50000 parts"):
        png_parts(in_png(chunk(b"IDAT", b"") * MAX_CHUNKS))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("start", [b"", b"Exif\0\0"])
def test_the_orientation_is_read_in_either_order(order: str, start: bytes) -> None:
    exif = directory(order, (0x010F, 2, 0), (0x0112, 3, 6), (0x0112, 3, 3))
    assert orientation(start + exif) == 6


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"Exif\0\0",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"PNG?" + bytes(20),
        directory("<"),
        directory("<", (0x0112, 3, 0)),
        directory("<", (0x0112, 3, 9)),
        directory("<", (0x0112, 4, 6)),
        directory("<", (0x0112, 3, 6))[:-3],
    ],
)
def test_an_orientation_that_is_not_said_is_upright(exif: bytes) -> None:
    assert orientation(exif) == 1
