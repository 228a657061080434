"""Files that are no usable picture, each made by code and named for what is wrong with it.

`BAD_PICTURES` have to be refused with one sentence. `DAMAGED_PICTURES` may be refused so, or read:
their pixels are there, or decoders differ on whether they are.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
SIZE: Final = 48, 40
FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP")


def is_one_sentence(message: str) -> bool:
    """Whether it has a capital, one full stop at its end, no path, line break or exception."""
    plain = re.fullmatch(r"[A-Z][^/\\\n.]*\.", message)
    return bool(plain) and not re.search(r"[a-z]Error|Exception|PIL|errno", message)


def pixels(width: int = SIZE[0], height: int = SIZE[1], seed: int = 7) -> npt.NDArray[np.uint8]:
    """A smooth picture that every flip and turn changes: uint8 RGB, H×W×3."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def picture(kind: str, width: int = SIZE[0], height: int = SIZE[1], **options: Any) -> bytes:
    return saved(Image.fromarray(pixels(width, height)), kind, **options)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def png(width: int, height: int, depth: int = 8, colour: int = 2, *before: bytes) -> bytes:
    """A black PNG; `before` are chunks that come ahead of the header's and the pixels'."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    row = bytes(1 + (width * channels * depth + 7) // 8)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    palette = chunk(b"PLTE", bytes(6)) if colour == 3 else b""
    header = b"".join(before) + png_header(width, height, depth, colour) + palette
    return PNG_START + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def claimed_png(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header claims a size that its few bytes do not fill."""
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return PNG_START + png_header(width, height, depth, colour) + data + chunk(b"IEND", b"")


def claimed_bmp(width: int, height: int, bits: int = 24, compression: int = 0) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1000, 0, 0, 54) + header + bytes(1000)


def claimed_webp(width: int, height: int) -> bytes:
    """A lossless WebP whose header claims a size that its few bytes do not fill."""
    sides = struct.pack("<I", (width - 1) | (height - 1) << 14)
    body = b"WEBPVP8L" + struct.pack("<I", 505) + b"\x2f" + sides + bytes(501)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def claimed_jpeg(width: int, height: int, bits: int = 8, frame: int = 0xC0) -> bytes:
    content = picture("JPEG")
    at = content.index(b"\xff\xc0")
    header = struct.pack(">BBHBHH", 0xFF, frame, 17, bits, height, width)
    return content[:at] + header + content[at + len(header) :]


def with_app1(data: bytes, *more: bytes) -> bytes:
    """A JPEG with the given EXIF or other segments in front, each of at most 65533 bytes."""
    content = picture("JPEG", quality=95)
    segments = (b"\xff\xe1" + struct.pack(">H", len(part) + 2) + part for part in (data, *more))
    return content[:2] + b"".join(segments) + content[2:]


def cut_short(kind: str, share: float, **options: Any) -> bytes:
    content = picture(kind, **options)
    return content[: int(len(content) * share)]


def first_bytes(kind: str, count: int) -> bytes:
    return picture(kind)[:count]


def animated(kind: str) -> bytes:
    frames = [Image.fromarray(pixels(seed=seed)) for seed in range(3)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)


def several_in_a_jpeg() -> bytes:
    more = [Image.fromarray(pixels(seed=8))]
    return picture("MPO", quality=95, save_all=True, append_images=more)


def many_scans(count: int = 200, side: int = 2000) -> bytes:
    """A progressive JPEG of few bytes whose last scan comes again and again."""
    content = saved(Image.new("L", (side, side)), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def cmyk_jpeg() -> bytes:
    return saved(Image.fromarray(pixels()).convert("CMYK"), "JPEG", quality=100, subsampling=0)


def wrong_checksum(kind: bytes) -> bytes:
    content = bytearray(picture("PNG"))
    at = content.index(kind)
    (length,) = struct.unpack(">I", content[at - 4 : at])
    content[at + 4 + length] ^= 0xFF
    return bytes(content)


def zip_file() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("face.png"), picture("PNG"))
    return stream.getvalue()


def random_bytes(start: bytes, count: int = 5000) -> bytes:
    return start + np.random.default_rng(3).bytes(count)


def beyond_the_palette() -> bytes:
    data = zlib.compress((b"\0" + b"\xff" * 48) * 40)
    parts = (png_header(48, 40, 8, 3), chunk(b"PLTE", bytes(6)), chunk(b"IDAT", data))
    return PNG_START + b"".join(parts) + chunk(b"IEND", b"")


def _grey(dtype: str) -> Image.Image:
    return Image.fromarray(pixels()[..., 0].astype(dtype))


_TRUNCATED: Final[Mapping[str, Callable[[], bytes]]] = {
    **{
        f"{kind}, only its first {count} bytes": partial(first_bytes, kind, count)
        for kind in FORMATS
        for count in (2, 4, 12, 20, 33, 60)
    },
    **{
        f"{kind}, only {share:.0%} of it": partial(cut_short, kind, share)
        for kind in FORMATS
        for share in (0.3, 0.5, 0.8)
    },
    "progressive JPEG, only half of it": partial(cut_short, "JPEG", 0.5, progressive=True),
    "lossless WebP, only half of it": partial(cut_short, "WEBP", 0.5, lossless=True),
    "JPEG without its end marker": lambda: picture("JPEG")[:-2],
    "BMP without its last byte": lambda: picture("BMP")[:-1],
    "CMYK JPEG, only part of it": lambda: cmyk_jpeg()[:900],
}

BAD_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\xff",
    "zeros": lambda: bytes(5000),
    "random bytes": lambda: random_bytes(b""),
    "text": lambda: b"Not a picture at all.",
    "text that begins as a BMP does": lambda: b"BMW builds cars, " * 20,
    "web page": lambda: b"<!doctype html><title>404</title>",
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="48" height="40"/>',
    "SVG with a declaration": lambda: b'\n<?xml version="1.0"?><svg width="48" height="40"/>',
    "PDF": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "zip": zip_file,
    "WAV": lambda: b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
    "MP4": lambda: b"\0\0\0\x20ftypisom" + bytes(100),
    "HEIC": lambda: b"\0\0\0\x18ftypheic" + bytes(100),
    "AVIF": lambda: b"\0\0\0\x18ftypavif" + bytes(100),
    "GIF": lambda: picture("GIF"),
    "animated GIF": lambda: animated("GIF"),
    "TIFF": lambda: picture("TIFF"),
    "float TIFF": lambda: saved(_grey("float32"), "TIFF"),
    "16-bit TIFF": lambda: saved(_grey("uint16"), "TIFF"),
    "ICO": lambda: picture("ICO"),
    "PPM": lambda: picture("PPM"),
    "PSD": lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 40, 48, 8, 3),
    **_TRUNCATED,
    "PNG whose header's checksum is wrong": lambda: wrong_checksum(b"IHDR"),
    "PNG without a header": lambda: PNG_START + chunk(b"IEND", b""),
    "PNG without pixels": lambda: PNG_START + png_header(48, 40) + chunk(b"IEND", b""),
    "PNG with too few pixels": lambda: claimed_png(480, 400),
    "PNG of no width": lambda: claimed_png(0, 40),
    "PNG of no height": lambda: claimed_png(48, 0),
    "PNG of an unknown depth": lambda: claimed_png(48, 40, depth=3),
    "PNG of an unknown colour type": lambda: claimed_png(48, 40, colour=5),
    "PNG start, then random bytes": lambda: random_bytes(PNG_START),
    "JPEG start, then random bytes": lambda: random_bytes(b"\xff\xd8\xff"),
    "WebP start, then random bytes": lambda: random_bytes(b"RIFF\x80\x13\0\0WEBPVP8 "),
    "BMP start, then random bytes": lambda: random_bytes(b"BM"),
    "JPEG of no frame": lambda: b"\xff\xd8\xff\xd9",
    "JPEG of no height": lambda: claimed_jpeg(48, 0),
    "JPEG of 12 bits": lambda: claimed_jpeg(48, 40, bits=12),
    "lossless JPEG": lambda: claimed_jpeg(48, 40, frame=0xC3),
    "BMP of no width": lambda: claimed_bmp(0, 40),
    "BMP of an unknown compression": lambda: claimed_bmp(48, 40, compression=9),
    "BMP of 7 bits": lambda: claimed_bmp(48, 40, bits=7),
    "BMP of run lengths and nothing else": lambda: claimed_bmp(400, 400, bits=8, compression=1),
    "BMP that holds a JPEG": lambda: claimed_bmp(48, 40, compression=4),
    "BMP whose pixels begin behind its end": lambda: (
        picture("BMP")[:10] + b"\xff\xff\xff\x7f" + picture("BMP")[14:]
    ),
    "PNG with a chunk of 4 GB": lambda: PNG_START + b"\xff\xff\xff\xffIHDR" + bytes(100),
    "JPEG that begins with its pixels": lambda: (
        b"\xff\xd8" + picture("JPEG")[picture("JPEG").index(b"\xff\xda") :]
    ),
    "GIF that a JPEG hides in": lambda: b"GIF89a" + picture("JPEG"),
    "1×1": lambda: picture("PNG", 1, 1),
    "19 px high": lambda: picture("JPEG", 200, 19),
    "19 px wide": lambda: picture("WEBP", 19, 200),
    "long and thin": lambda: picture("BMP", 4000, 5),
    "PNG that claims 30000×30000": lambda: claimed_png(30000, 30000),
    "PNG that claims 2 billion columns": lambda: claimed_png(2**31 - 1, 2**31 - 1),
    "PNG one row above 25 megapixels": lambda: png(5000, 5001),
    "JPEG that claims 65500×65500": lambda: claimed_jpeg(65500, 65500),
    "WebP that claims 16383×16383": lambda: claimed_webp(16383, 16383),
    "BMP that claims 30000×30000": lambda: claimed_bmp(30000, 30000),
    "BMP upside down that claims 30000×30000": lambda: claimed_bmp(30000, -30000),
    "BMP of negative width": lambda: claimed_bmp(-48, 40),
    "BMP of the largest numbers": lambda: claimed_bmp(2**31 - 1, -(2**31)),
    "JPEG of 200 scans": many_scans,
    "16-bit grey PNG": lambda: saved(_grey("uint16"), "PNG"),
    "16-bit RGB PNG": lambda: png(48, 40, depth=16, colour=2),
    "16-bit grey and alpha PNG": lambda: png(48, 40, depth=16, colour=4),
    "16-bit RGBA PNG": lambda: png(48, 40, depth=16, colour=6),
    "16-bit RGB PNG with text ahead of the header": lambda: png(
        48, 40, 16, 2, chunk(b"tEXt", b"Software\0The header should come first")
    ),
    "animated PNG": lambda: animated("PNG"),
    "animated WebP": lambda: animated("WEBP"),
}

# All of these have to be read: the pixels are as good as ever.
BROKEN_EXIF: Final[Mapping[str, Callable[[], bytes]]] = {
    "EXIF of nothing": lambda: with_app1(b"Exif\0\0"),
    "EXIF of random bytes": lambda: with_app1(random_bytes(b"Exif\0\0")),
    "EXIF that points outside": lambda: with_app1(b"Exif\0\0II*\0\xff\xff\xff\x7f"),
    "EXIF that points at itself": lambda: with_app1(
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\x08\0\0\0"
    ),
    "EXIF of an unknown orientation": lambda: with_app1(
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x63\0\0\0\0\0\0\0"
    ),
    "EXIF whose orientation is text": lambda: with_app1(
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\2\0\4\0\0\0six\0\0\0\0\0"
    ),
    "EXIF that is huge": lambda: with_app1(b"Exif\0\0II*\0" + bytes(60000), *[bytes(65533)] * 40),
}

DAMAGED_PICTURES: Final[Mapping[str, Callable[[], bytes]]] = {
    **BROKEN_EXIF,
    "PNG whose pixels' checksum is wrong": lambda: wrong_checksum(b"IDAT"),
    "PNG without an end": lambda: picture("PNG")[:-12],
    "PNG whose palette is too short": lambda: png(48, 40, 8, 3).replace(
        chunk(b"PLTE", bytes(6)), chunk(b"PLTE", b"")
    ),
    "PNG whose colours are beyond its palette": beyond_the_palette,
    "JPEG that claims to be arithmetically coded": lambda: claimed_jpeg(48, 40, frame=0xC9),
    "JPEG without tables": lambda: picture("JPEG").replace(b"\xff\xc4", b"\xff\xec"),
    "JPEG that claims to be larger": lambda: claimed_jpeg(4000, 3000),
    "JPEG with something behind it": lambda: picture("JPEG") + random_bytes(b""),
}
