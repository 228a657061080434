"""The parts of a picture file that its pixels depend on, and which way up it is held.

Text, colour profiles, previews and the rest of EXIF never reach a decoder: a few bytes of them can
cost it gigabytes and minutes, and no pixel depends on them.
"""

import re
import struct
from typing import Final, NamedTuple

from demo.core.errors import ImageError

MAX_SEGMENTS: Final = 1000
MAX_SCANS: Final = 32
MAX_CHUNKS: Final = 50_000

# The markers that a length follows, and the one that ends the picture.
_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
_START_OF_SCAN, _END = 0xDA, 0xD9
_COMMENT, _EXIF_SEGMENT = 0xFE, 0xE1
# Of what applications add, these two say how colours are stored: JFIF and Adobe.
_LEFT_OUT: Final = frozenset(range(0xE0, 0xF0)) - {0xE0, 0xEE} | {_COMMENT}
# The last two only tell an animation.
_PNG_CHUNKS: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL"))
_EXIF_START: Final = b"Exif\0\0"
_ORIENTATION, _SHORT = 0x0112, 3


class Parts(NamedTuple):
    """What is left of a file: itself, and the first EXIF data that it holds, maybe none."""

    content: bytes
    exif: bytes


def jpeg_parts(content: bytes) -> Parts:
    """Leave out of a JPEG what no pixel depends on.

    Raises:
        ImageError: it is built to keep a processor busy. Each scan is a pass over the whole
            picture, so that a small file of thousands would take minutes; cameras and editors
            write about ten.
    """
    kept, exif, scans, position = [content[:2]], b"", 0, 2
    for _ in range(MAX_SEGMENTS):
        found = _JPEG_MARKER.search(content, position)
        kind = found[1][0] if found is not None else _END
        if found is None or kind == _END:
            return Parts(b"".join(kept), exif)
        start, data = found.start(), found.end() + 2
        position = found.end() + int.from_bytes(content[found.end() : data])
        scans += kind == _START_OF_SCAN
        if kind == _START_OF_SCAN and scans == 1:
            kept.append(content[start:])
        elif kind == _EXIF_SEGMENT and not exif and content.startswith(_EXIF_START, data):
            exif = content[data:position]
        elif not scans and kind not in _LEFT_OUT:
            kept.append(content[start:position])
        if scans > MAX_SCANS:
            raise ImageError(
                f"A JPEG of at most {MAX_SCANS} scans was expected, but this one has more: "
                "save it again as an ordinary JPEG."
            )
    raise _too_many("JPEG", MAX_SEGMENTS)


def png_parts(content: bytes) -> Parts:
    """Leave out of a PNG what no pixel depends on.

    Raises:
        ImageError: it has more parts than any program writes.
    """
    kept, exif, position = [content[:8]], b"", 8
    for _ in range(MAX_CHUNKS):
        header = content[position : position + 8]
        if len(header) < 8:
            return Parts(b"".join((*kept, header)), exif)
        length, kind = struct.unpack(">I4s", header)
        end = position + length + 12
        if kind in _PNG_CHUNKS:
            kept.append(content[position:end])
        elif kind == b"eXIf" and not exif:
            exif = content[position + 8 : end - 4]
        if kind == b"IEND":
            return Parts(b"".join(kept), exif)
        position = end
    raise _too_many("PNG", MAX_CHUNKS)


def orientation(exif: bytes) -> int:
    """Return how a picture has to be turned, 1 to 8 as EXIF counts; 1 where it is not said.

    Exif 2.32, section 4.6.4; of its first directory only, which is a TIFF's.
    """
    tiff = exif.removeprefix(_EXIF_START)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    directory = tiff[first : first + 2]
    if len(directory) < 2:
        return 1
    (count,) = struct.unpack(f"{order}H", directory)
    entries = tiff[first + 2 : first + 2 + 12 * count]
    for at in range(0, len(entries) - 11, 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", entries, at)
        if (tag, kind) == (_ORIENTATION, _SHORT) and 1 <= value <= 8:
            return int(value)
    return 1


def _too_many(kind: str, most: int) -> ImageError:
    return ImageError(
        f"A {kind} of at most {most} parts was expected, but this one has more: save it again."
    )
