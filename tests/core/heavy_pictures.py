"""Small files that would cost a careless reader seconds or gigabytes, each named for how.

`HEAVY_PICTURES` have to be refused with one sentence. `BURDENED_PICTURES` have to be read, for the
burden is nothing that a pixel depends on, and all hold the same pixels: a black PNG of 48×40, or
what `picture` makes.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from tests.core.bad_pictures import (
    PNG_START,
    chunk,
    claimed_bmp,
    picture,
    png,
    png_header,
    with_app1,
    zip_file,
)

MANY: Final = 1_000_000


def in_png(*chunks: bytes) -> bytes:
    """A black PNG of 48×40 with the given chunks behind its header."""
    content = png(48, 40)
    return content[:33] + b"".join(chunks) + content[33:]


def in_jpeg(burden: bytes, *, ahead: bool = True) -> bytes:
    """A JPEG with something behind its first or ahead of its last two bytes."""
    content = picture("JPEG")
    at = 2 if ahead else len(content) - 2
    return content[:at] + burden + content[at:]


def in_webp(burden: bytes) -> bytes:
    content = picture("WEBP", lossless=True) + burden
    return content[:4] + struct.pack("<I", len(content) - 8) + content[8:]


def extended_webp(width: int, height: int) -> bytes:
    """A WebP whose canvas is larger than anything on it."""
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides
    body = b"WEBP" + canvas + picture("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def run_length_bmp(runs: bytes, bits: int = 8, width: int = 5000, height: int = 5000) -> bytes:
    compression = 1 if bits == 8 else 2
    header = claimed_bmp(width, height, bits, compression)[:54]
    palette = bytes(4 * 2**bits)
    start = struct.pack("<I", 54 + len(palette))
    return header[:10] + start + header[14:] + palette + runs


def exif_bomb(entries: int, size: int) -> bytes:
    """EXIF of many tags, each of which says that all of it is its value."""
    tags = b"".join(struct.pack("<HHII", 0x9000 + tag, 7, size, 8) for tag in range(entries))
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + tags + bytes(4)
    return data + bytes(max(0, size + 8 - len(data)))


def text_bomb(kind: bytes = b"zTXt", size: int = 40_000_000) -> bytes:
    return chunk(kind, b"Comment\0\0" + zlib.compress(bytes(size), 9))


def packed(count: int) -> bytes:
    """As many zeros as asked for, as a PNG's pixels are packed."""
    return chunk(b"IDAT", zlib.compress(bytes(count), 9))


HEAVY_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "BMP of runs of one pixel": lambda: run_length_bmp(b"\1\5" * MANY),
    "BMP of lines of one pixel": lambda: run_length_bmp(b"\1\5\0\0" * 5000),
    "BMP of runs of 4 bits": lambda: run_length_bmp(b"\xff\x12" * 100_000, bits=4),
    "BMP of leaps": lambda: run_length_bmp(b"\0\2\xff\xff" * 1000),
    "PNG of a million empty chunks": lambda: in_png(chunk(b"prVt", b"") * MANY),
    "PNG of a million empty chunks of pixels": lambda: in_png(chunk(b"IDAT", b"") * MANY),
    "PNG of a million texts": lambda: in_png(chunk(b"tEXt", b"Comment\0.") * MANY),
    "JPEG of a million comments": lambda: in_jpeg(b"\xff\xfe\0\2" * MANY),
    "JPEG of a million comments behind its pixels": lambda: in_jpeg(
        b"\xff\xfe\0\2" * MANY, ahead=False
    ),
    "JPEG of a million tables": lambda: in_jpeg(b"\xff\xdb\0\2" * MANY),
    "JPEG of nothing but padding": lambda: b"\xff\xd8" + b"\xff" * 20 * MANY,
    "JPEG of nothing but stuffing": lambda: b"\xff\xd8\xff" + b"\0\xff" * 10 * MANY,
    "WebP on a canvas of 16384×16384": lambda: extended_webp(16384, 16384),
    "WebP on a canvas of 65535×65535": lambda: extended_webp(65535, 65535),
}

BURDENED_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "PNG with a text bomb": lambda: in_png(text_bomb()),
    "PNG with 500 text bombs": lambda: in_png(text_bomb(size=1_000_000) * 500),
    "PNG with a colour profile bomb": lambda: in_png(text_bomb(b"iCCP")),
    "PNG with an international text bomb": lambda: in_png(
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(40_000_000), 9))
    ),
    "PNG with an EXIF bomb": lambda: in_png(chunk(b"eXIf", exif_bomb(1500, 1_000_000))),
    "PNG with EXIF as text": lambda: in_png(
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n8\n" + b"41" * MANY))
    ),
    "PNG with more pixels than it has": lambda: (
        PNG_START + png_header(48, 40) + packed(200_000_000) + chunk(b"IEND", b"")
    ),
    "PNG with a zip behind it": lambda: png(48, 40) + zip_file(),
    "JPEG with an EXIF bomb": lambda: with_app1(b"Exif\0\0" + exif_bomb(5000, 60_000)[:65_000]),
    "JPEG with EXIF bombs in pieces": lambda: with_app1(
        *[b"Exif\0\0" + exif_bomb(5000, 60_000)[:65_000]] * 200
    ),
    "JPEG with a long padding": lambda: in_jpeg(b"\xff" * 5 * MANY),
    "JPEG with a web page in it": lambda: in_jpeg(b"\xff\xfe\0\x22<script>alert('read')</script>"),
    "JPEG with a zip behind it": lambda: picture("JPEG") + zip_file(),
    "WebP with an EXIF bomb": lambda: in_webp(
        b"EXIF" + struct.pack("<I", 1_000_008) + exif_bomb(1500, 1_000_000)
    ),
    "WebP of a million empty chunks": lambda: in_webp(b"prVt\0\0\0\0" * MANY),
    "BMP with a zip behind it": lambda: picture("BMP") + zip_file(),
}
