"""The Study tab, as a visitor uses it."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import HOSTILE, StudyFolders
from tests.browser.driving import PATIENCE, saved

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Study").click()
    expect(page.locator("#study-report iframe")).to_be_visible()


def listed(page: Page) -> list[str]:
    """The finished studies in the list."""
    page.locator("#study-choice input").click()
    names: list[str] = page.locator("#study-choice [role=option]").all_inner_texts()
    page.keyboard.press("Escape")
    return [name.strip().removeprefix("✓").strip() for name in names]


def choose_study(page: Page, words: str) -> None:
    page.locator("#study-choice input").click()
    page.locator("#study-choice [role=option]").filter(has_text=words).click()


def test_a_finished_report_comes_when_the_tab_is_opened_and_can_be_saved(
    page: Page, studies: StudyFolders, tmp_path: Path
) -> None:
    expect(page.locator("#study-report iframe")).to_have_count(0)
    open_tab(page)
    choose_study(page, "Made-up faces")
    expect(page.locator("#study-headline")).to_contain_text("24 of 25 pictures measured. K = 2")
    frame = page.locator("#study-report iframe")
    assert frame.get_attribute("title") == "Report: Made-up faces"
    # The report is whole, and neither its script nor its picture from elsewhere came to anything.
    report = frame.content_frame
    expect(report.get_by_role("heading", level=1)).to_have_text("Made-up faces")
    expect(report.locator("table").first).to_be_visible()
    expect(report.get_by_alt_text("From another host")).to_have_js_property("naturalWidth", 0)
    file = saved(page, "get-report", tmp_path)
    assert file.name == "made-up-faces.html"
    text = file.read_text(encoding="utf-8")
    assert text == (studies.shelf / "small" / "report.html").read_text(encoding="utf-8")
    assert text.endswith(HOSTILE)
    with zipfile.ZipFile(saved(page, "get-tables", tmp_path)) as tables:
        assert "tables/table_1_edsr_k2.csv" in tables.namelist()


def test_the_keyboard_scrolls_the_report(page: Page) -> None:
    open_tab(page)
    frame = page.locator("#study-report iframe")
    # A key that is pressed before the report is there scrolls nothing.
    expect(frame.content_frame.locator("main")).to_be_visible()
    page.locator("#get-tables").focus()
    page.keyboard.press("Tab")
    expect(frame).to_be_focused()
    page.keyboard.press("PageDown")
    inside = frame.content_frame.locator("html")
    expect(inside).not_to_have_js_property("scrollTop", 0)


def test_a_study_is_run_stopped_and_finished_while_others_look_on(
    page: Page, studies: StudyFolders
) -> None:
    open_tab(page)
    page.get_by_role("button", name="Run a study on this server").click()
    page.locator("#study-form").get_by_label("EDSR").uncheck()
    page.locator("#study-form").get_by_label("Lanczos").uncheck()
    page.locator("#study-limit input").fill("12")
    page.locator("#run-study").click()
    progress = page.locator("#study-progress")
    expect(progress).to_contain_text("of 12 pictures", timeout=4 * PATIENCE)
    expect(page.locator("#run-study")).to_be_hidden()
    heard = page.locator("#study-said").get_by_role("status")
    expect(heard).to_contain_text("The study")

    other = page.context.new_page()
    other.goto(page.url)
    open_tab(other)
    expect(other.locator("#study-progress")).to_contain_text("of 12 pictures")

    page.locator("#stop-study").click()
    expect(heard).to_contain_text("stopped at", timeout=4 * PATIENCE)
    expect(progress.locator("progress")).to_have_count(0)
    expect(other.locator("#study-said")).to_contain_text("stopped at", timeout=PATIENCE)

    page.locator("#run-study").click()
    expect(heard).to_contain_text("finished", timeout=4 * PATIENCE)
    expect(page.locator("#study-headline")).to_contain_text("12 of 12 pictures measured")
    words = "a folder of pictures: 12 of 20 drawn with seed 0; K = 2; bicubic"
    assert listed(page).count(words) == 1
    expect(page.locator("#study-report iframe").content_frame.locator("h1")).to_contain_text(
        "a folder of pictures"
    )
    assert str(studies.shelf) not in page.content()
    assert str(studies.data) not in page.content()


def test_a_small_screen_holds_the_tab_without_scrolling_sideways(
    browser: Browser, address: str
) -> None:
    small = browser.new_context(viewport={"width": 390, "height": 844})
    page = small.new_page()
    page.goto(address)
    open_tab(page)
    page.get_by_role("button", name="Run a study on this server").click()
    expect(page.locator("#study-seed")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    frame = page.locator("#study-report iframe")
    box = frame.bounding_box()
    assert box is not None
    assert box["width"] >= 350
    assert box["height"] <= 844
    small.close()


def test_the_report_follows_the_theme_of_the_page(browser: Browser, address: str) -> None:
    """Not only that of the system, which the tests elsewhere set and this one leaves alone."""
    visitor = browser.new_context(color_scheme="null")
    page = visitor.new_page()
    for theme in ("dark", "light"):
        page.goto(f"{address}/?__theme={theme}")
        open_tab(page)
        inside = page.locator("#study-report iframe").content_frame.locator("html")
        expect(inside.locator("h1")).to_be_visible()
        asked = f"() => matchMedia('(prefers-color-scheme: {theme})').matches"
        assert inside.evaluate(asked), theme
    visitor.close()
