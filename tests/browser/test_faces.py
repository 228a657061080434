"""A frame with several faces, as a visitor sees it: numbered, side by side, one large."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from demo.core.analysis import Settings, Toolbox, analyse
from tests.browser.driving import Picture, choose, finished, measured, png, readings, upload

pytestmark = pytest.mark.browser


@pytest.fixture
def three_faces(astronaut: Picture) -> Picture:
    return np.ascontiguousarray(np.tile(astronaut[0:256, 100:356], (1, 3, 1)))


def embedded(source: str | None) -> Picture:
    """The pixels of a picture that lies in the page itself."""
    assert source is not None and source.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_every_face_is_seen_side_by_side_and_one_is_shown_large(
    page: Page, toolbox: Toolbox, three_faces: Picture
) -> None:
    expect(page.locator(".faces")).to_have_count(0)
    upload(page, png(three_faces))
    finished(page, "face 1 of 3")
    expect(page.locator("#faces")).to_contain_text("3 faces were found")
    page.get_by_role("button", name="Attack every face").click()
    finished(page, "attacked: every face")
    expect(page.locator("#scope").get_by_label("Every face")).to_be_checked()

    analysis = analyse(three_faces, Settings(scope="faces"), toolbox)
    flips = sum(score.flipped for result in analysis.results for score in result.scores)
    expect(page.locator(".faces h2")).to_have_text(f"3 faces: {flips} of 9 verdicts flipped")
    entries = page.locator(".faces li")
    expect(entries).to_have_count(3)
    for number, (entry, result) in enumerate(
        zip(entries.all(), analysis.results, strict=True), start=1
    ):
        expect(entry.locator("h3")).to_have_text(f"Face {number}")
        expect(entry).to_contain_text(f"SSIM {result.quality.ssim:.4f}")
        for score in result.scores:
            row = entry.locator("tr", has_text=score.title)
            expect(row).to_contain_text(f"{score.clean:.3f} → {score.attacked:.3f}")
        for name, crop in (("clean", result.clean), ("attacked", result.attacked)):
            image = entry.get_by_alt_text(f"Face {number}, {name}")
            assert np.array_equal(embedded(image.get_attribute("src")), crop)
            assert image.evaluate("image => image.width === image.naturalWidth")

    page.get_by_role("button", name="Face 3: show large above").click()
    finished(page, "face 3 of 3")
    third = analysis.results[2]
    assert readings(page) == [
        (score.title, f"{score.clean:.3f}", f"{score.attacked:.3f}") for score in third.scores
    ]
    assert measured(page)["SSIM"] == f"{third.quality.ssim:.4f}"
    expect(entries.nth(2)).to_contain_text("Shown large above")
    expect(page.locator("#subject").get_by_label("Face 3")).to_be_checked()
    choose(page, "scope", "Whole frame")
    finished(page, "the whole frame")
    expect(entries).to_have_count(3)
    choose(page, "subject", "Whole picture")
    finished(page, "the whole picture")
    expect(page.locator(".faces")).to_have_count(0)


def test_a_small_screen_holds_the_faces_without_scrolling_sideways(
    page: Page, three_faces: Picture
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    upload(page, png(three_faces))
    choose(page, "scope", "Every face")
    finished(page, "attacked: every face")
    expect(page.locator(".faces li")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for image in page.locator(".faces img").all():
        assert image.evaluate("image => image.width === image.naturalWidth")
