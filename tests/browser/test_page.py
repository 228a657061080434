"""The page, as a visitor uses it."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from demo import views
from demo.core.analysis import FaceResult, Settings, Toolbox, analyse
from demo.core.images import read_picture
from demo.core.record import record
from demo.examples import EXAMPLES
from tests.browser.driving import (
    Picture,
    choose,
    click_at,
    finished,
    measured,
    pixels,
    png,
    readings,
    saved,
    set_slider,
    upload,
)

pytestmark = pytest.mark.browser


def shown_scores(result: FaceResult) -> list[tuple[str, str, str]]:
    return [(s.title, f"{s.clean:.3f}", f"{s.attacked:.3f}") for s in result.scores]


def test_a_first_visitor_finds_the_example_analysed(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    result = analyse(astronaut, Settings(), toolbox).results[0]
    expect(page.locator("#heading")).to_contain_text("Runs on CPU")
    assert readings(page) == shown_scores(result)
    assert measured(page)["SSIM"] == f"{result.quality.ssim:.4f}"
    expect(page.locator("#honesty")).to_contain_text("does not prove")


def test_an_upload_is_analysed_and_follows_k(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    picture = np.ascontiguousarray(astronaut[:, ::-1])
    upload(page, png(picture))
    result = analyse(picture, Settings(), toolbox).results[0]
    expect(page.locator(".quality")).to_contain_text(f"{result.quality.ssim:.4f}")
    set_slider(page, "k", 3)
    finished(page, "K = 3")
    result = analyse(picture, Settings(k=3.0), toolbox).results[0]
    assert readings(page) == shown_scores(result)
    numbers = measured(page)
    assert numbers["SSIM"] == f"{result.quality.ssim:.4f}"
    assert numbers["PSNR"] == f"{result.quality.psnr_db:.2f}"
    assert numbers["Mean difference"] == f"{result.quality.mean_difference:.2f}"
    assert numbers["Largest difference"] == str(result.quality.max_difference)


def test_method_kernel_and_scope_take_effect_by_themselves(page: Page) -> None:
    choose(page, "method", "Lanczos, control")
    finished(page, "restored by Lanczos")
    choose(page, "kernel", "Bicubic, as EDSR was trained")
    finished(page, "bicubic kernel")
    choose(page, "scope", "Whole frame")
    finished(page, "the whole frame")


def test_the_arrow_keys_move_k(page: Page) -> None:
    page.locator("#k input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    finished(page, "K = 2.5")


def test_the_last_of_many_quick_changes_is_the_one_on_show(page: Page) -> None:
    slider = page.locator("#k input[type=range]")
    slider.focus()
    for back, shown in ((1, "K = 3.5"), (2, "K = 3"), (3, "K = 2.5"), (1, "K = 3.5")):
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        for _ in range(back):
            page.keyboard.press("ArrowLeft")
        finished(page, shown)
        expect(slider).to_have_value(shown.removeprefix("K = "))


@pytest.mark.parametrize("k", [2.2, 7])
def test_a_k_that_cannot_be_has_a_sentence_that_stays_until_work_begins(
    page: Page, k: float
) -> None:
    set_slider(page, "k", k)
    expect(page.locator("#problem")).to_contain_text(f"but {k:g} came")
    expect(page.locator("#verdict")).not_to_contain_text("K = 2")
    set_slider(page, "k", 3)
    finished(page, "K = 3")
    expect(page.locator("#problem")).not_to_contain_text("came")


def test_a_flipped_verdict_is_told_in_words(page: Page) -> None:
    first = page.locator(".detector").first
    set_slider(page, "k", 4)
    finished(page, "K = 4")
    expect(page.locator("#verdict h2")).to_contain_text("flipped")
    expect(page.locator("#verdict")).to_contain_text("ResNet50")
    assert first.locator(".call").inner_text() in ("Flipped: real → fake", "Flipped: fake → real")
    expect(page.locator("#verdict").get_by_role("status")).to_contain_text("flipped")


def test_the_crops_and_the_zoomed_window_show_the_pixels_themselves(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    result = analyse(astronaut, Settings(), toolbox).results[0]
    images = page.locator("#comparison img")
    shown = [pixels(page, image) for image in images.all()]
    assert any(np.array_equal(one, result.clean) for one in shown)
    assert any(np.array_equal(one, result.attacked) for one in shown)

    expect(page.locator("#difference img")).to_be_visible()
    click_at(page, page.locator("#difference img"), 0.25, 0.75)
    expect(page.locator("#across input[type=number]")).to_have_value(re.compile("^2[456]"))
    place = page.locator("#place")
    height, width = result.clean.shape[:2]
    x, y = (
        float(page.locator(f"#{name} input[type=number]").input_value()) / 100
        for name in ("across", "down")
    )
    window = views.window_box(result.clean, (x * width, y * height), 32)
    expect(place).to_contain_text(f"({window[0]}, {window[1]})")
    changed = views.difference(result.clean, result.attacked, 8)
    for name, source in (
        ("before", result.clean),
        ("after", result.attacked),
        ("difference", changed),
    ):
        wanted = views.zoom(source, (x * width, y * height), 32, 384)
        assert np.array_equal(pixels(page, page.locator(f"#zoom-{name} img")), wanted)


def test_the_gain_is_shown_and_changes_the_difference(page: Page) -> None:
    expect(page.locator("#difference label")).to_contain_text("×8")
    before = pixels(page, page.locator("#zoom-difference img"))
    set_slider(page, "gain", 2)
    expect(page.locator("#difference label")).to_contain_text("×2")
    after = pixels(page, page.locator("#zoom-difference img"))
    assert int(after.sum()) < int(before.sum())


def test_the_divider_is_moved_by_keyboard(page: Page) -> None:
    handle = page.locator("#comparison .slider-wrap, #comparison [role=slider]").first
    handle.scroll_into_view_if_needed()
    before = handle.bounding_box()
    page.locator("#divider input[type=range]").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    expect(page.locator("#divider input[type=number]")).to_have_value("40")
    page.wait_for_function(
        "([x, y]) => Math.abs(document.querySelector('#comparison .outer')"
        ".getBoundingClientRect().x - x) > 5",
        arg=[before["x"], before["y"]] if before else [0, 0],
    )


def test_the_downloads_are_what_the_page_shows(
    page: Page, toolbox: Toolbox, astronaut: Picture, tmp_path: Path
) -> None:
    analysis = analyse(astronaut, Settings(), toolbox)
    file = saved(page, "get-png", tmp_path)
    assert file.name == "attacked-edsr-k2.png"
    opened = Image.open(file)
    assert "round trip" in opened.info["Description"]
    assert opened.info["K"] == "2"
    assert opened.info["Method"] == "edsr"
    attacked = np.asarray(opened)
    assert np.array_equal(attacked, analysis.attacked)
    x0, y0, x1, y1 = analysis.results[0].box
    outside = np.ones(astronaut.shape[:2], bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(attacked[outside], astronaut[outside])
    assert not np.array_equal(attacked[~outside], astronaut[~outside])
    assert np.array_equal(pixels(page, page.locator("#attacked img")), attacked)

    written = json.loads(saved(page, "get-record", tmp_path).read_text())
    assert written == json.loads(json.dumps(record(analysis)))


def test_a_face_is_chosen_by_clicking_it(page: Page, toolbox: Toolbox, two_faces: Picture) -> None:
    analysis = analyse(two_faces, Settings(), toolbox)
    assert len(analysis.faces) == 2, "The picture of this test is meant to hold two faces."
    upload(page, png(two_faces))
    finished(page, "face 1 of 2")
    x0, y0, x1, y1 = analysis.faces[1].box
    height, width = two_faces.shape[:2]
    click_at(page, page.locator("#frame img"), (x0 + x1) / 2 / width, (y0 + y1) / 2 / height)
    finished(page, "face 2 of 2")
    result = analyse(two_faces, Settings(face=1), toolbox).results[0]
    assert readings(page) == shown_scores(result)
    choose(page, "subject", "Face 1")
    finished(page, "face 1 of 2")


def test_without_a_face_the_visitor_draws_a_box_or_takes_the_picture(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    faceless = np.ascontiguousarray(astronaut[300:, :300])
    upload(page, png(faceless))
    expect(page.locator("#problem")).to_contain_text("No face was found")
    expect(page.locator(".detector")).to_have_count(0)
    choose(page, "subject", "Whole picture")
    finished(page, "the whole picture")
    assert measured(page)["Crop"] == "300"

    choose(page, "subject", "My own box")
    finished(page, "your own box")
    click_at(page, page.locator("#frame img"), 0.2, 0.25)
    expect(page.locator("#hint")).to_contain_text("opposite corner")
    click_at(page, page.locator("#frame img"), 0.8, 0.75)
    sides = page.locator("#sides input")
    expect(sides.nth(0)).to_have_value(re.compile("^(59|60|61)$"))
    expect(page.locator(".quality")).to_contain_text(re.compile("(179|180|181) ×"))
    finished(page, "your own box")

    for side, value in zip(sides.all(), (10, 20, 110, 130), strict=True):
        side.fill(str(value))
    page.locator("#apply-box").press("Enter")
    expect(page.locator(".quality")).to_contain_text("100 × 110")
    result = analyse(faceless, Settings(box=(10, 20, 110, 130)), toolbox).results[0]
    assert readings(page) == shown_scores(result)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"This is no picture.", "face.png", "image/png"),
        (b"", "face.jpg", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "face.png", "image/png"),
    ],
)
def test_what_is_no_picture_gets_a_sentence_and_no_old_result(
    page: Page, content: bytes, name: str, kind: str
) -> None:
    upload(page, content, name, kind)
    problem = page.locator("#problem")
    expect(problem).to_contain_text("icture")
    expect(problem.get_by_role("alert")).to_be_visible()
    expect(page.locator(".detector")).to_have_count(0)
    expect(page.locator("#verdict")).not_to_contain_text("flipped")
    assert "/" not in problem.inner_text()


def test_taking_the_picture_away_clears_the_page(page: Page) -> None:
    page.locator("#picture").get_by_label("Remove Image").click()
    expect(page.locator("#problem")).to_contain_text("Choose a picture")
    expect(page.locator(".detector")).to_have_count(0)


def test_a_pasted_picture_is_analysed(page: Page, two_faces: Picture) -> None:
    page.locator("#picture").get_by_label("Remove Image").click()
    page.evaluate(
        """async (bytes) => {
            const blob = new Blob([new Uint8Array(bytes)], {type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        list(png(two_faces)),
    )
    page.locator("#picture").get_by_label("Paste from clipboard").click()
    finished(page, "face 1 of 2")


def test_a_webcam_picture_is_taken_and_judged(page: Page) -> None:
    page.locator("#picture").get_by_label("Remove Image").click()
    page.locator("#picture").get_by_label("Capture from camera").click()
    page.locator("#picture button", has_text="Click to Access Webcam").click()
    page.wait_for_function("document.querySelector('#picture video').videoWidth > 0")
    page.locator("#picture").get_by_label("capture photo").click()
    expect(page.locator("#problem")).to_contain_text("No face was found")
    choose(page, "subject", "Whole picture")
    finished(page, "the whole picture")


def test_an_example_is_one_click_away(page: Page) -> None:
    before = readings(page)
    page.get_by_role("button", name="Made 1").click()
    expect(page.locator(".quality")).to_be_visible()
    page.wait_for_function(
        "old => document.querySelector('.detector .after').innerText !== old"
        " || document.querySelector('.quality dd').innerText !== old",
        arg=before[0][2],
    )
    finished(page, "K = 2")


def test_one_visitor_sees_nothing_of_another(
    page: Page, browser: Browser, address: str, two_faces: Picture
) -> None:
    upload(page, png(two_faces))
    finished(page, "face 1 of 2")
    other = browser.new_context()
    stranger = other.new_page()
    stranger.goto(address)
    finished(stranger, "face 1 of 1")
    set_slider(stranger, "k", 3)
    finished(stranger, "K = 3")
    expect(stranger.locator("#verdict")).to_contain_text("face 1 of 1")
    expect(page.locator("#verdict")).to_contain_text("face 1 of 2")
    other.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_small_screen_holds_the_page_without_scrolling_sideways(
    browser: Browser, address: str, theme: str
) -> None:
    small = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = small.new_page()
    page.goto(address)
    finished(page, "K = 2")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    expect(page.locator(".summary")).to_be_visible()
    small.close()


def test_every_picture_on_the_page_is_a_png(page: Page) -> None:
    for image in page.locator("img").all():
        source = image.get_attribute("src") or ""
        if "/file=" in source:
            reply = page.request.get(source)
            assert Image.open(io.BytesIO(reply.body())).format == "PNG"


def test_a_sweep_shows_every_point_and_a_click_sets_the_page_to_one(page: Page) -> None:
    page.locator("#run-sweep").click()
    expect(page.locator(".sweep .charts")).to_have_count(2, timeout=240_000)
    expect(page.locator(".sweep figure")).to_have_count(5)
    mark = page.locator('.sweep .lanczos .mark[data-k="3"] .reach').first
    mark.scroll_into_view_if_needed()
    mark.hover(force=True)
    expect(page.locator(".readout")).to_contain_text("Lanczos, K = 3: fake probability")
    page.locator("#sweep summary").click()
    page.get_by_role("button", name="EDSR, K = 3", exact=True).click()
    finished(page, "K = 3, restored by EDSR")
    row = page.locator(".sweep tr", has=page.get_by_role("button", name="EDSR, K = 3", exact=True))
    for _, _, after in readings(page):
        expect(row).to_contain_text(after)


def test_looks_and_spectrum_follow_the_result_on_show(page: Page) -> None:
    page.get_by_role("tab", name="Where they look").click()
    expect(page.locator("#look section")).to_have_count(3)
    page.get_by_role("tab", name="What went").click()
    expect(page.locator("#spectrum")).to_contain_text("1/(2K) = 0.250")
    set_slider(page, "k", 4)
    finished(page, "K = 4")
    expect(page.locator("#spectrum")).to_contain_text("1/(2K) = 0.125")


@pytest.mark.parametrize("example", [1, 2])
def test_a_link_opens_the_page_in_its_state(
    context: BrowserContext, address: str, toolbox: Toolbox, example: int
) -> None:
    page = context.new_page()
    page.goto(f"{address}/?k=3&method=lanczos&example={example}")
    finished(page, "K = 3, restored by Lanczos")
    expect(page.locator("#k input[type=number]")).to_have_value("3")
    expect(page.locator("#method").get_by_label("Lanczos, control")).to_be_checked()
    picture = read_picture(EXAMPLES[example - 1].path)
    result = analyse(picture, Settings(k=3.0, method="lanczos"), toolbox).results[0]
    expect(page.locator(".quality")).to_contain_text(f"{result.quality.ssim:.4f}")
    assert readings(page) == shown_scores(result)


def test_a_link_that_asks_for_something_else_is_told_so(
    context: BrowserContext, address: str
) -> None:
    page = context.new_page()
    page.goto(f"{address}/?k=7")
    expect(page.locator("#problem")).to_contain_text("K must be one of")
