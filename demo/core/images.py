"""Bytes or a file → a checked RGB picture, and a picture → PNG bytes.

Nothing but the stored numbers counts: colour profiles and gamma are not applied, so that the same
file gives the same pixels everywhere.
"""

import hashlib
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.WebPImagePlugin import WebPImageFile

from demo.core.errors import ImageError
from demo.core.picture_parts import Parts, jpeg_parts, orientation, png_parts

Picture = npt.NDArray[np.uint8]

MAX_PIXELS: Final = 25_000_000
MIN_SIDE: Final = 20
MAX_BYTES: Final = 128 * 2**20

_ACCEPTED: Final[tuple[tuple[bytes, type[ImageFile]], ...]] = (
    (rb"\xff\xd8\xff", JpegImageFile),
    (rb"\x89PNG\r\n\x1a\n", PngImageFile),
    (rb"RIFF[\s\S]{4}WEBP", WebPImageFile),
    (rb"BM", BmpImageFile),
)
_REFUSED: Final = (
    (rb"GIF8", "a GIF"),
    (rb"II\*\0|MM\0\*", "a TIFF"),
    (rb"[\s\S]{4}ftyp(heic|heix|hevc|mif1|msf1)", "an HEIC picture"),
    (rb"[\s\S]{4}ftypavif", "an AVIF picture"),
    (rb"%PDF", "a PDF document"),
    (rb"\s*<", "text such as SVG or HTML"),
)
_EIGHT_BIT_MODES: Final = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK")
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(source: bytes | Path) -> Picture:
    """Decode a JPEG, PNG, WebP or BMP, told by its content and not by its name.

    The picture is turned upright as its EXIF says; EXIF that cannot be read is ignored.
    Transparent parts lie on white. Grey, palette and CMYK pictures become RGB. Pictures of more
    than 8 bits a channel and animated ones are refused: there is no single right way to use them.
    Of several pictures in one JPEG, as telephones write them, the first is the photograph.

    Args:
        source: the file's content, or the file. At most `MAX_BYTES` bytes.

    Returns:
        uint8 RGB, H×W×3, sides of at least `MIN_SIDE` px, at most `MAX_PIXELS` px in all.

    Raises:
        ImageError: anything else came; too large a picture is refused before it is decoded. The
            message is one sentence and never names the file.
    """
    content = source if isinstance(source, bytes) else _content(source)
    _check_weight(len(content))
    opener = _opener(content)
    content, exif = _parts(content, opener)
    try:
        with opener(io.BytesIO(content)) as image:
            _check_size(image.width, image.height)
            _check_kind(image)
            image.load()
            return _upright_rgb(image, exif or image.info.get("exif", b""))
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(
            "A picture was expected that fits in memory, but this one does not: make it smaller."
        ) from None
    except Exception:  # Pillow's decoders raise a dozen types for damaged files
        raise ImageError(
            "A complete picture was expected, but this one is damaged or cut short: "
            "save it again, or choose another one."
        ) from None


def check_picture(array: npt.NDArray[np.generic]) -> Picture:
    """Check an array that was handed in by code.

    Args:
        array: uint8 RGB, H×W×3, sides of at least `MIN_SIDE` px, at most `MAX_PIXELS` px in all.

    Returns:
        The same pixels, contiguous in memory; a copy only where they were not.

    Raises:
        ImageError: it is not such an array.
    """
    if not isinstance(array, np.ndarray):
        raise ImageError(
            "A picture was expected as a numpy array, but something else came: convert it first."
        )
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(
            "A picture of 8-bit numbers was expected, of shape height × width × 3, but "
            f"{array.dtype} of shape {array.shape} came: convert it to 8-bit RGB."
        )
    _check_size(array.shape[1], array.shape[0])
    return np.ascontiguousarray(array, dtype=np.uint8)


def encode_png(picture: Picture, text: Mapping[str, str], dpi: float | None = None) -> bytes:
    """Encode a picture as PNG: lossless, and the same bytes for the same input.

    Args:
        picture: uint8 RGB, H×W×3.
        text: keyword (Latin-1, 1 to 79 characters) → text, written in this order as tEXt chunks,
            or as iTXt where the text is not Latin-1. PNG specification, section 11.3.4.
        dpi: pixels per inch at which the picture is meant to be printed; None says nothing.
    """
    chunks = PngInfo()
    for keyword, value in text.items():
        if _is_latin_1(value):
            chunks.add_text(keyword, value)
        else:
            chunks.add_itxt(keyword, value)
    stream = io.BytesIO()
    said = {} if dpi is None else {"dpi": (dpi, dpi)}
    Image.fromarray(picture).save(stream, "PNG", compress_level=1, pnginfo=chunks, **said)
    return stream.getvalue()


def digest(picture: Picture) -> str:
    """Return the SHA-256 of a picture's shape and pixels, 64 hexadecimal digits.

    Args:
        picture: uint8 RGB, H×W×3.
    """
    height, width, channels = picture.shape
    hashed = hashlib.sha256(f"{height}x{width}x{channels}:".encode())
    hashed.update(np.ascontiguousarray(picture).data)
    return hashed.hexdigest()


def _content(path: Path) -> bytes:
    try:
        # A pipe or a device would never end: only plain files are opened.
        if path.is_file():
            _check_weight(path.stat().st_size)
            return path.read_bytes()
    except (OSError, ValueError):
        raise ImageError(
            "A picture was expected, but its file cannot be read: "
            "check that it is there and may be opened."
        ) from None
    raise ImageError(
        "The file of a picture was expected, but there is none at this place: choose a file."
    )


def _check_weight(count: int) -> None:
    if count > MAX_BYTES:
        raise ImageError(
            f"A file of at most {MAX_BYTES // 2**20} MB was expected, but this one has "
            f"{math.ceil(count / 2**20)} MB: make the picture smaller."
        )


def _opener(content: bytes) -> type[ImageFile]:
    """The decoder for what the first bytes say; Pillow's own search would try any format."""
    for signature, opener in _ACCEPTED:
        if re.match(signature, content):
            return opener
    kinds = (kind for signature, kind in _REFUSED if re.match(signature, content))
    came = next(kinds, "something else") if content else "an empty file"
    raise ImageError(
        f"A JPEG, PNG, WebP or BMP picture was expected, but {came} came: "
        "save the picture in one of these formats."
    )


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"A picture of at most {MAX_PIXELS // 10**6} megapixels was expected, but this one "
            f"has {width}×{height} pixels: make it smaller."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"A picture of at least {MIN_SIDE} pixels a side was expected, but this one has "
            f"{width}×{height}: choose a larger one."
        )


def _check_kind(image: ImageFile) -> None:
    # Pillow cuts 16-bit colour down to 8 without a word; how the pixels are stored still tells.
    deep = isinstance(image, PngImageFile) and any("16" in str(tile.args) for tile in image.tile)
    if deep or image.mode not in _EIGHT_BIT_MODES:
        raise ImageError(
            "A picture of 8 bits a channel was expected, but this one has more: "
            "save it with 8 bits a channel."
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageError(
            f"A still picture was expected, but this one is animated, with {frames} frames: "
            "save one frame as a picture of its own."
        )
    # Pillow unpacks run lengths in Python: a file of 50 kB would keep a processor busy for seconds.
    if isinstance(image, BmpImageFile) and image.tile[0].codec_name == "bmp_rle":
        raise ImageError(
            "An uncompressed BMP was expected, but this one is run-length encoded: save it as PNG."
        )


def _parts(content: bytes, opener: type[ImageFile]) -> Parts:
    if opener is JpegImageFile:
        return jpeg_parts(content)
    return png_parts(content) if opener is PngImageFile else Parts(content, b"")


def _upright_rgb(image: ImageFile, exif: bytes) -> Picture:
    turn = _UPRIGHT.get(orientation(exif))
    opaque = _on_white(image) if image.has_transparency_data else image.convert("RGB")
    return np.array(opaque if turn is None else opaque.transpose(turn))


def _on_white(image: ImageFile) -> Image.Image:
    coloured = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(coloured, mask=coloured.getchannel("A"))
    return white


def _is_latin_1(value: str) -> bool:
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
