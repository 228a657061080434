"""Small pictures of every kind that is read, and what becomes of them by seeded accidents."""

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.core.bad_pictures import (
    PNG_START,
    chunk,
    cmyk_jpeg,
    picture,
    pixels,
    png_header,
    saved,
    several_in_a_jpeg,
    with_app1,
)

COUNT: Final = 2000
Change = Callable[[bytearray, np.random.Generator], None]


def as_mode(mode: str, kind: str, **options: object) -> bytes:
    return saved(Image.fromarray(pixels()).convert(mode), kind, **options)


def half_transparent(kind: str, **options: object) -> bytes:
    image = Image.fromarray(pixels())
    image.putalpha(Image.fromarray(pixels()[..., 0]))
    return saved(image, kind, **options)


def interlaced_png() -> bytes:
    """The same pixels in the seven passes of Adam7."""
    rows = pixels()
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2))
    data = b"".join(
        b"\0" + row.tobytes()
        for top, left, down, across in (*passes, (1, 0, 2, 1))
        for row in rows[top::down, left::across]
    )
    height, width = rows.shape[:2]
    header = bytearray(png_header(width, height))[8:-4]
    header[12] = 1
    parts = (
        chunk(b"IHDR", bytes(header)),
        chunk(b"IDAT", zlib.compress(data)),
        chunk(b"IEND", b""),
    )
    return PNG_START + b"".join(parts)


SOUND_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "JPEG": lambda: picture("JPEG"),
    "progressive JPEG": lambda: picture("JPEG", progressive=True),
    "grey JPEG": lambda: as_mode("L", "JPEG"),
    "CMYK JPEG": cmyk_jpeg,
    "JPEG with restarts": lambda: picture("JPEG", restart_marker_blocks=1),
    "JPEG held sideways": lambda: with_app1(
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    ),
    "several pictures in a JPEG": several_in_a_jpeg,
    "PNG": lambda: picture("PNG"),
    "interlaced PNG": interlaced_png,
    "grey PNG": lambda: as_mode("L", "PNG"),
    "PNG of 1 bit": lambda: as_mode("1", "PNG"),
    "palette PNG": lambda: as_mode("P", "PNG", transparency=3),
    "half-transparent PNG": lambda: half_transparent("PNG"),
    "WebP": lambda: picture("WEBP"),
    "lossless WebP": lambda: picture("WEBP", lossless=True),
    "half-transparent WebP": lambda: half_transparent("WEBP"),
    "BMP": lambda: picture("BMP"),
    "BMP of 1 bit": lambda: as_mode("1", "BMP"),
    "palette BMP": lambda: as_mode("P", "BMP"),
    "BMP of 32 bits": lambda: half_transparent("BMP"),
}


def _flip(content: bytearray, numbers: np.random.Generator) -> None:
    for _ in range(int(numbers.integers(1, 12))):
        content[int(numbers.integers(len(content)))] ^= 1 << int(numbers.integers(8))


def _edit_header(content: bytearray, numbers: np.random.Generator) -> None:
    for _ in range(int(numbers.integers(1, 4))):
        content[int(numbers.integers(min(len(content), 80)))] = int(numbers.integers(256))


def _write_extreme(content: bytearray, numbers: np.random.Generator) -> None:
    values = (0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
    order = (">I", "<I", ">H", "<H")[int(numbers.integers(4))]
    value = values[int(numbers.integers(len(values)))]
    written = struct.pack(order, value % (2 ** (8 * struct.calcsize(order))))
    at = int(numbers.integers(min(len(content) - 4, 400)))
    content[at : at + len(written)] = written


def _cut(content: bytearray, numbers: np.random.Generator) -> None:
    del content[int(numbers.integers(len(content))) :]


def _leave_out(content: bytearray, numbers: np.random.Generator) -> None:
    start, end = _slice(content, numbers)
    del content[start:end]


def _repeat(content: bytearray, numbers: np.random.Generator) -> None:
    start, end = _slice(content, numbers)
    content[start:start] = content[start:end] * int(numbers.integers(1, 40))


def _put_in(content: bytearray, numbers: np.random.Generator) -> None:
    at = int(numbers.integers(len(content)))
    content[at:at] = numbers.bytes(int(numbers.integers(1, 200)))


def _splice(content: bytearray, numbers: np.random.Generator) -> None:
    other = sound(tuple(SOUND_PICTURES)[int(numbers.integers(len(SOUND_PICTURES)))])
    at = int(numbers.integers(len(content)))
    content[at:] = other[int(numbers.integers(len(other))) :]


_CHANGES: Final[tuple[Change, ...]] = (
    _flip,
    _edit_header,
    _write_extreme,
    _cut,
    _leave_out,
    _repeat,
    _put_in,
    _splice,
)


def mutated(name: str, seed: int) -> bytes:
    """The sound picture of that name after one to three accidents; the same for the same seed."""
    numbers = np.random.default_rng(seed)
    content = bytearray(sound(name))
    for _ in range(int(numbers.integers(1, 4))):
        if len(content) > 8:
            _CHANGES[int(numbers.integers(len(_CHANGES)))](content, numbers)
    return bytes(content)


def seeds(name: str) -> range:
    """The seeds of this picture's share of the 2,000."""
    return range(list(SOUND_PICTURES).index(name), COUNT, len(SOUND_PICTURES))


@cache
def sound(name: str) -> bytes:
    return SOUND_PICTURES[name]()


def _slice(content: bytearray, numbers: np.random.Generator) -> tuple[int, int]:
    ends: npt.NDArray[np.int64] = numbers.integers(0, len(content), 2)
    return int(ends.min()), int(ends.max())
