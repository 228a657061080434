"""A figure sheet shows the crops' own pixels and real words, and comes out the same every time."""

import base64
import hashlib
import io
import os
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from demo.core.errors import SettingsError
from demo.core.images import Picture
from demo.map_views import change_levels
from demo.sheet.drawing import MM_PER_INCH
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import FORMATS, PictureShown, SheetSettings
from demo.views import enlarge_pixels
from tests.sheet.made_sheets import GOLDEN, GOLDEN_SETTINGS, golden_sheet, made_picture

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown() -> PictureShown:
    return made_picture("astronaut.png", (2, 4))


@pytest.fixture(scope="module")
def made(shown: PictureShown) -> Callable[[str], bytes]:
    sheets = {kind: figure_sheet([shown], GOLDEN_SETTINGS, f"sheet.{kind}") for kind in FORMATS}
    return lambda kind: sheets[kind]


def expected_panels(shown: PictureShown, gain: float, window: int) -> list[tuple[str, Picture]]:
    """Name and pixels of every panel, each pixel once."""
    panels = []
    for analysis in shown.analyses:
        clean, attacked = analysis.results[0].clean, analysis.results[0].attacked
        top, left = ((side - window) // 2 for side in clean.shape[:2])
        inside = np.s_[top : top + window, left : left + window]
        k = f"K = {analysis.settings.k:g}"
        panels += [
            (f"before, {k}", clean),
            (f"after, {k}", attacked),
            (f"difference, {k}", change_levels(clean, attacked, gain)),
            (f"zoom before, {k}", clean[inside]),
            (f"zoom after, {k}", attacked[inside]),
        ]
    return panels


def stands_in(sheet: Picture, panel: Picture, factor: int) -> bool:
    """Whether a panel stands on a sheet with each of its pixels as factor×factor equal ones."""
    wanted = enlarge_pixels(panel, factor)
    height, width = wanted.shape[:2]
    starts = sheet[: sheet.shape[0] - height + 1, : sheet.shape[1] - width + 1]
    middle = sheet[height // 2 :, width // 2 :][: starts.shape[0], : starts.shape[1]]
    places = (starts == wanted[0, 0]).all(axis=2)
    places &= (middle == wanted[height // 2, width // 2]).all(axis=2)
    return any(
        np.array_equal(sheet[y : y + height, x : x + width], wanted) for y, x in np.argwhere(places)
    )


def factors_said(svg: bytes) -> tuple[int, ...]:
    """How many times pixels are repeated in panels and in zooms, as the caption says."""
    told = re.findall(r"(?:as|pixel) (?:as )?(\d+)×(\d+)", words_of(svg))
    assert all(across == down for across, down in told)
    return tuple(int(across) for across, _ in told)


def words_of(svg: bytes) -> str:
    """All text of an SVG, a space between two lines."""
    return " ".join(map(unescape, re.findall(r"<text [^>]*>([^<]*)</text>", svg.decode())))


def read_png(content: bytes) -> Picture:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def svg_pictures(content: bytes) -> Iterator[Picture]:
    for encoded in re.findall(rb'"data:image/png;base64,([^"]+)"', content):
        yield read_png(base64.b64decode(encoded))


def pdf_pictures(content: bytes) -> Iterator[Picture]:
    """Every picture in a PDF, read as the PDF specification says: Flate with PNG predictors.

    matplotlib stores them with the lowest line first and draws them by a matrix that turns them.
    """
    for part in content.split(b"/Subtype /Image")[1:]:
        said, _, data = part.partition(b"stream\n")
        size = re.search(rb"/Width (\d+) /Height (\d+)", said)
        bits = re.search(rb"/BitsPerComponent (\d+)", said)
        palette = re.search(rb"/Indexed /DeviceRGB \d+\s\((.*)\)\s\]\s/Bits", said, re.DOTALL)
        assert size and bits and b"/FlateDecode" in said
        kind = 3 if palette else 2
        header = struct.pack(">IIBBBBB", int(size[1]), int(size[2]), int(bits[1]), kind, 0, 0, 0)
        pixels = zlib.compress(zlib.decompressobj().decompress(data), 1)
        chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
        if palette:
            chunks.insert(1, (b"PLTE", pdf_string(palette[1])))
        file = b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
        yield read_png(file)[::-1]


def pdf_string(written: bytes) -> bytes:
    escapes = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}

    def plain(found: re.Match[bytes]) -> bytes:
        if found[1].isdigit():
            return bytes([int(found[1], 8)])
        return escapes.get(found[1], found[1])

    return re.sub(rb"\\([0-7]{3}|.)", plain, written, flags=re.DOTALL)


def unpacked(png: bytes) -> list[tuple[bytes, bytes]]:
    """Name and bytes of every chunk of a PNG file, the picture's own bytes inflated."""
    chunks, packed, place = [], b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        name, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if name == b"IDAT":
            packed += body
        else:
            chunks.append((name, body))
        place += 12 + length
    return [*chunks, (b"IDAT", zlib.decompress(packed))]


def test_the_golden_sheet_comes_out_byte_for_byte() -> None:
    """Made anew by ``python -m tests.sheet.made_sheets``, after looking at what changed.

    The words are drawn by matplotlib, whose minor version requirements.txt therefore fixes. Only
    how tightly a zlib packs the pixels is left out of the comparison: Pillow's differs by build.
    """
    assert unpacked(golden_sheet()) == unpacked(GOLDEN.read_bytes())


def test_two_runs_give_the_same_bytes(made: Callable[[str], bytes]) -> None:
    code = (
        "import hashlib\n"
        "from demo.sheet.figure import figure_sheet\n"
        "from tests.sheet.made_sheets import GOLDEN_SETTINGS, made_picture\n"
        "shown = made_picture('astronaut.png', (2, 4))\n"
        f"for kind in {FORMATS}:\n"
        "    made = figure_sheet([shown], GOLDEN_SETTINGS, f'sheet.{kind}')\n"
        "    print(hashlib.sha256(made).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77", "SOURCE_DATE_EPOCH": "77"}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == [hashlib.sha256(made(kind)).hexdigest() for kind in FORMATS]


def test_every_panel_of_a_png_is_the_crop_itself_as_often_repeated_as_the_caption_says(
    made: Callable[[str], bytes], shown: PictureShown
) -> None:
    sheet = read_png(made("png"))
    panel_factor, zoom_factor = factors_said(made("svg"))
    assert zoom_factor > panel_factor > 1
    for name, panel in expected_panels(shown, gain=8, window=23):
        assert stands_in(sheet, panel, zoom_factor if "zoom" in name else panel_factor), name


@pytest.mark.parametrize(("kind", "pictures"), [("svg", svg_pictures), ("pdf", pdf_pictures)])
def test_every_panel_of_svg_and_pdf_is_the_crop_itself(
    kind: str,
    pictures: Callable[[bytes], Iterator[Picture]],
    made: Callable[[str], bytes],
    shown: PictureShown,
) -> None:
    held = list(pictures(made(kind)))
    panel_factor, zoom_factor = factors_said(made("svg"))
    for name, panel in expected_panels(shown, gain=8, window=23):
        wanted = enlarge_pixels(panel, zoom_factor if "zoom" in name else panel_factor)
        assert any(np.array_equal(one, wanted) for one in held), name


def test_no_reader_smooths_the_panels(made: Callable[[str], bytes]) -> None:
    images = re.findall(rb"<image [^>]*>", made("svg"))
    assert len(images) == 2 * 5 + 1
    assert all(b"image-rendering:pixelated" in image for image in images)
    assert b"/Interpolate true" not in made("pdf")
    assert b"/DCTDecode" not in made("pdf")


def test_svg_and_pdf_hold_real_text(made: Callable[[str], bytes]) -> None:
    words = words_of(made("svg"))
    for said in ("K = 2", "0.810 → 0.330", "fake → real", "python -m demo sheet astronaut.png"):
        assert said in words
    assert b"/FontFile2" in made("pdf")
    assert b"/Subtype /Type3" not in made("pdf")


@pytest.mark.parametrize("width", [85, 175])
def test_a_sheet_has_its_printed_width_and_type_of_six_points(
    width: int, shown: PictureShown
) -> None:
    settings = SheetSettings(rows=("before", "scores"), width_mm=width)
    svg = figure_sheet([shown], settings, "sheet.svg").decode()
    (points,) = re.findall(r'<svg [^>]*width="([\d.]+)pt"', svg)
    assert float(points) / 72 * MM_PER_INCH == pytest.approx(width, abs=0.1)
    assert min(float(size) for size in re.findall(r"font-size: ([\d.]+)px", svg)) >= 6


def test_a_png_says_its_printed_width_and_is_fine_enough_for_print(
    made: Callable[[str], bytes],
) -> None:
    sheet = Image.open(io.BytesIO(made("png")))
    dpi = sheet.info["dpi"][0]
    assert dpi >= 300
    assert sheet.width / dpi * MM_PER_INCH == pytest.approx(85, abs=0.1)


def test_nothing_runs_off_the_sheet(made: Callable[[str], bytes]) -> None:
    sheet = read_png(made("png"))
    assert (sheet[:, :2] == 255).all() and (sheet[:, -2:] == 255).all()
    assert (sheet[:2] == 255).all() and (sheet[-2:] == 255).all()


def test_a_flip_is_told_without_colour(shown: PictureShown) -> None:
    rows = SheetSettings(rows=("scores",), width_mm=85)
    sheet = read_png(figure_sheet([shown], rows, "sheet.png"))
    assert (sheet.max(axis=2) == sheet.min(axis=2)).all()


def test_rows_come_in_the_order_asked_for(shown: PictureShown) -> None:
    svg = figure_sheet([shown], SheetSettings(rows=("zoom", "before")), "sheet.svg").decode()
    assert 0 < svg.index(">Zoom: before, after<") < svg.index(">Before<")
    for absent in (">After<", ">Difference ×8<", "fake probability, threshold"):
        assert absent not in svg


def test_crops_of_two_sizes_keep_one_factor() -> None:
    small = made_picture("small.png", (2,), box=(200, 100, 240, 140))
    large = made_picture("large.png", (2,))
    settings = SheetSettings(rows=("before", "after"), width_mm=85)
    sheet = read_png(figure_sheet([small, large], settings, "sheet.png"))
    (factor,) = factors_said(figure_sheet([small, large], settings, "sheet.svg"))
    for shown in (small, large):
        result = shown.analyses[0].chosen
        assert stands_in(sheet, result.clean, factor)
        assert stands_in(sheet, result.attacked, factor)


def test_many_columns_go_on_in_lines_below_at_a_readable_width() -> None:
    shown = made_picture("astronaut.png", (2, 3, 4))
    settings = SheetSettings(rows=("before",), width_mm=85)
    svg = figure_sheet([shown, shown], settings, "sheet.svg").decode()
    assert svg.count(">Before<") == 2


def test_the_metadata_says_that_it_holds_round_trips(made: Callable[[str], bytes]) -> None:
    text = Image.open(io.BytesIO(made("png"))).info
    for said in ("round trips", "no original photograph"):
        assert said in text["Description"]
        assert said.encode() in made("svg")
        assert said.encode() in made("pdf")
    assert text["K"] == "2, 4"
    assert text["Method"] == "edsr"
    for sha256 in ("2" * 64, "4" * 64, "a" * 64):
        assert sha256 in text["Model SHA-256"]
        assert sha256.encode() in made("svg")
        assert sha256.encode() in made("pdf")


def test_names_that_no_figure_can_hold_are_shown_as_far_as_they_go() -> None:
    shown = made_picture("$x^2$ <b>&\x01\udcff.png", (2,))
    for kind in FORMATS:
        sheet = figure_sheet([shown], SheetSettings(rows=("before",)), f"sheet.{kind}")
        assert sheet
    svg = figure_sheet([shown, shown], SheetSettings(rows=("before",)), "sheet.svg").decode()
    assert "$x^2$ &lt;b&gt;&amp;??.png" in svg


def test_sheets_are_drawn_side_by_side_and_leave_matplotlib_as_it_was(
    shown: PictureShown, made: Callable[[str], bytes]
) -> None:
    before = {key: matplotlib.rcParams[key] for key in ("svg.fonttype", "pdf.fonttype")}
    with ThreadPoolExecutor(4) as pool:
        drawn = pool.map(
            lambda kind: (kind, figure_sheet([shown], GOLDEN_SETTINGS, f"sheet.{kind}")),
            ("svg", "png", "pdf"),
        )
        assert all(content == made(kind) for kind, content in drawn)
    assert before == {key: matplotlib.rcParams[key] for key in before}


def test_a_sheet_beyond_measure_is_refused() -> None:
    shown = made_picture("astronaut.png", (2, 3, 4), box=(0, 0, 512, 512))
    with pytest.raises(SettingsError, match="40 megapixels"):
        figure_sheet([shown] * 12, SheetSettings(width_mm=85), "sheet.png")


def test_a_window_too_large_to_be_zoomed_is_refused() -> None:
    shown = made_picture("astronaut.png", (2, 3, 4), box=(0, 0, 512, 512))
    with pytest.raises(SettingsError, match="at most"):
        figure_sheet([shown], SheetSettings(width_mm=85, window=400), "sheet.png")
