"""Every picture arrives as it looks, and leaves as it is."""

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, PngImagePlugin

from demo.core.errors import ImageError
from demo.core.images import (
    MAX_PIXELS,
    check_picture,
    digest,
    encode_png,
    read_picture,
)
from tests.core.bad_pictures import (
    BROKEN_EXIF,
    cmyk_jpeg,
    is_one_sentence,
    picture,
    pixels,
    png,
    saved,
    several_in_a_jpeg,
    with_app1,
)

Pixels = npt.NDArray[np.uint8]

# What has to be done to the upright picture for its pixels to lie as each orientation says.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: np.rot90(upright, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: np.rot90(upright, -1),
}


def on_white(colours: Pixels, alpha: Pixels) -> npt.NDArray[np.float64]:
    share = alpha[..., None] / 255
    blended: npt.NDArray[np.float64] = colours * share + 255 * (1 - share)
    return blended


def test_exactly_25_megapixels_are_read() -> None:
    assert read_picture(png(5000, 5000, 1, 0)).shape == (5000, 5000, 3)
    assert MAX_PIXELS == 25_000_000


def test_20_px_a_side_are_enough() -> None:
    assert read_picture(picture("PNG", 20, 20)).shape == (20, 20, 3)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": 1})])
def test_a_lossless_picture_arrives_pixel_for_pixel(kind: str, options: dict[str, int]) -> None:
    read = read_picture(picture(kind, **options))
    assert read.dtype == np.uint8
    assert np.array_equal(read, pixels())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_lossy_picture_arrives_nearly_so(kind: str, progressive: bool) -> None:
    options = {"progressive": progressive} if kind == "JPEG" else {"method": 6 * progressive}
    read = read_picture(picture(kind, quality=95, **options))
    assert np.abs(read.astype(int) - pixels()).mean() < 6


@pytest.mark.parametrize("mode", ["1", "L", "P"])
@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_grey_and_palette_pictures_become_rgb(mode: str, kind: str) -> None:
    image = Image.fromarray(pixels()).convert(mode)
    assert np.array_equal(read_picture(saved(image, kind)), np.array(image.convert("RGB")))


def test_a_grey_jpeg_has_three_equal_channels() -> None:
    read = read_picture(saved(Image.fromarray(pixels()).convert("L"), "JPEG"))
    assert np.array_equal(read, np.repeat(read[..., :1], 3, axis=2))


def test_cmyk_is_not_inverted() -> None:
    content = cmyk_jpeg()
    assert b"Adobe" in content
    assert np.abs(read_picture(content).astype(int) - pixels()).mean() < 4


@pytest.mark.parametrize(("mode", "kind"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP")])
def test_transparency_lies_on_white(mode: str, kind: str) -> None:
    image = Image.fromarray(pixels()).convert(mode)
    alpha = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (40, 1))
    image.putalpha(Image.fromarray(alpha))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    expected = on_white(np.array(image.convert("RGB")), alpha)
    assert np.abs(read_picture(saved(image, kind, **options)) - expected).max() <= 1


def test_a_transparent_colour_of_a_palette_lies_on_white() -> None:
    image = Image.fromarray(pixels()).quantize(8)
    see_through = np.array(image) == 3
    read = read_picture(saved(image, "PNG", transparency=3))
    assert (read[see_through] == 255).all()
    assert np.array_equal(read[~see_through], np.array(image.convert("RGB"))[~see_through])


def test_a_palette_of_half_transparent_colours_lies_on_white() -> None:
    image = Image.fromarray(pixels()).quantize(8)
    shares = bytes(range(0, 256, 32))
    alpha = np.frombuffer(shares, np.uint8)[np.array(image)]
    read = read_picture(saved(image, "PNG", transparency=shares))
    assert np.abs(read - on_white(np.array(image.convert("RGB")), alpha)).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_transparent_colour_lies_on_white(mode: str) -> None:
    image = Image.fromarray(np.full((40, 48, 3), 90, np.uint8)).convert(mode)
    image.paste(Image.new(mode, (10, 10), 5 if mode == "L" else (5, 6, 7)))
    read = read_picture(saved(image, "PNG", transparency=5 if mode == "L" else (5, 6, 7)))
    assert (read[:10, :10] == 255).all()
    assert (read[10:] == 90).all()


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_is_turned_upright(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](pixels())))
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read_picture(saved(image, kind, exif=exif, **options)), pixels())


@pytest.mark.parametrize("orientation", STORED)
def test_a_jpeg_is_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(STORED[orientation](pixels())))
    read = read_picture(saved(image, "JPEG", exif=exif, quality=100, subsampling=0))
    assert np.abs(read.astype(int) - pixels()).max() < 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", BROKEN_EXIF)
def test_broken_exif_costs_nothing_but_the_exif(name: str) -> None:
    plain = read_picture(picture("JPEG", quality=95))
    assert np.array_equal(read_picture(BROKEN_EXIF[name]()), plain)


def test_a_png_with_broken_exif_is_read() -> None:
    content = picture("PNG", exif=b"Exif\0\0XX*\0\x08\0\0\0")
    assert np.array_equal(read_picture(content), pixels())


def test_the_first_of_several_pictures_in_a_jpeg_is_read() -> None:
    content = several_in_a_jpeg()
    assert content.count(b"\xff\xd8\xff") == 2
    assert np.array_equal(read_picture(content), read_picture(picture("JPEG", quality=95)))


def test_what_lies_behind_or_inside_a_jpeg_is_no_scan_of_it() -> None:
    scans = bytes(2) + b"\xff\xda\0\2" * 1000
    plain = picture("JPEG", quality=95)
    expected = read_picture(plain)
    assert np.array_equal(read_picture(plain + scans), expected)
    assert np.array_equal(read_picture(with_app1(b"Thumb\0" + scans)), expected)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_a_file_is_told_by_its_content(kind: str, tmp_path: Path) -> None:
    content = picture(kind)
    path = tmp_path / "picture.gif"
    path.write_bytes(content)
    assert np.array_equal(read_picture(path), read_picture(content))


def test_an_array_of_code_is_given_back() -> None:
    array = pixels()
    assert check_picture(array) is array
    turned = check_picture(array[:, ::-1])
    assert turned.flags.c_contiguous
    assert np.array_equal(turned, array[:, ::-1])


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((40, 48, 3)), "8-bit .* float64 of shape"),
        (np.zeros((40, 48, 3), np.uint16), "8-bit .* uint16"),
        (np.zeros((40, 48), np.uint8), r"height × width × 3, .* \(40, 48\)"),
        (np.zeros((40, 48, 4), np.uint8), r"height × width × 3, .* \(40, 48, 4\)"),
        (np.zeros((1, 40, 48, 3), np.uint8), "height × width × 3"),
        (np.zeros((19, 48, 3), np.uint8), "at least 20 pixels a side .* 48×19"),
        (np.broadcast_to(np.uint8(0), (5000, 5001, 3)), "at most 25 megapixels .* 5001×5000"),
        ([[1, 2, 3]], "numpy array"),
    ],
)
def test_another_array_is_refused(array: npt.NDArray[np.uint8], told: str) -> None:
    with pytest.raises(ImageError) as caught:
        check_picture(array)
    assert re.search(told, str(caught.value))
    assert is_one_sentence(str(caught.value))


def test_a_png_is_lossless_and_the_same_each_time() -> None:
    text = {"Software": "Round trip", "K": "2"}
    content = encode_png(pixels(), text)
    assert np.array_equal(read_picture(content), pixels())
    assert encode_png(pixels()[::-1][::-1], dict(text)) == content


@pytest.mark.parametrize("value", ["plain", "", "Grüße", "K = ×2 – 超解像", "two\nlines"])
def test_text_is_read_back(value: str) -> None:
    with Image.open(io.BytesIO(encode_png(pixels(), {"Description": value, "K": "2"}))) as image:
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert image.text == {"Description": value, "K": "2"}


def test_text_stands_ahead_of_the_pixels_in_the_given_order() -> None:
    content = encode_png(pixels(), {"Software": "a", "Description": "→"})
    places = [content.index(kind) for kind in (b"tEXt", b"iTXt", b"IDAT")]
    assert places == sorted(places)
    assert struct.unpack(">II", content[16:24]) == (48, 40)


def test_a_picture_says_how_large_it_is_in_print_only_where_asked() -> None:
    with Image.open(io.BytesIO(encode_png(pixels(), {}, dpi=300))) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.02)
    assert b"pHYs" not in encode_png(pixels(), {})


def test_a_digest_tells_pictures_apart() -> None:
    changed = pixels()
    changed[3, 4, 1] ^= 1
    different = [
        pixels(),
        changed,
        pixels().reshape(48, 40, 3),
        pixels()[::-1],
        pixels()[..., ::-1],
    ]
    assert len({digest(one) for one in different}) == len(different)
    assert digest(pixels()[::-1]) == digest(np.ascontiguousarray(pixels()[::-1]))
    assert re.fullmatch("[0-9a-f]{64}", digest(pixels()))
