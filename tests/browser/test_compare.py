"""The Compare tab, as a visitor uses it."""

import csv
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from demo.core.analysis import Analysis, Settings, Toolbox, analyse
from tests.browser.driving import (
    PATIENCE,
    Picture,
    choose,
    finished,
    measured,
    open_tab,
    pixels,
    png,
    readings,
    saved,
    set_slider,
)
from tests.browser.screenshots import faceless

pytestmark = pytest.mark.browser

LANCZOS = Settings(k=3.0, method="lanczos")


def send(page: Page, *files: tuple[str, Picture | bytes]) -> None:
    """Uploads files in the Compare tab."""
    given: list[FilePayload] = [
        {
            "name": name,
            "mimeType": "image/png",
            "buffer": content if isinstance(content, bytes) else png(content),
        }
        for name, content in files
    ]
    page.locator("#compare-pictures input[type=file]").set_input_files(given)


def compared(page: Page, words: str) -> None:
    """Waits until a comparison with these words is complete."""
    expect(page.locator("#compare-outcome")).to_contain_text(words, timeout=PATIENCE)
    expect(page.locator("#get-csv")).to_be_visible(timeout=2 * PATIENCE)


def names(page: Page) -> list[str]:
    return [cell.inner_text() for cell in page.locator(".comparison tbody th").all()]


@pytest.fixture
def mirrored(astronaut: Picture) -> Picture:
    return np.ascontiguousarray(astronaut[:, ::-1])


@pytest.fixture
def compare(page: Page, astronaut: Picture, mirrored: Picture) -> Page:
    """Three pictures compared at K = 3 by Lanczos, one of them without a face."""
    open_tab(page, "Compare", "compare-k")
    set_slider(page, "compare-k", 3)
    choose(page, "compare-method", "Lanczos, control")
    send(page, ("one.png", astronaut), ("=hills.png", faceless()), ("two.png", mirrored))
    compared(page, "2 of 3 pictures compared")
    return page


@pytest.fixture
def analyses(toolbox: Toolbox, astronaut: Picture, mirrored: Picture) -> dict[str, Analysis]:
    return {
        "one.png": analyse(astronaut, LANCZOS, toolbox),
        "two.png": analyse(mirrored, LANCZOS, toolbox),
    }


def test_crops_table_and_csv_are_the_analyses(
    compare: Page, analyses: dict[str, Analysis], tmp_path: Path
) -> None:
    file = saved(compare, "get-csv", tmp_path)
    assert file.name == "compare-lanczos-k3.csv"
    with file.open(newline="") as opened:
        lines = {line["picture"]: line for line in csv.DictReader(opened)}
    assert list(lines) == ["one.png", "'=hills.png", "two.png"]
    assert "No face was found" in lines["'=hills.png"]["refusal"]
    hills = compare.get_by_role("row").filter(has_text="=hills.png")
    expect(hills).to_contain_text("No face was found")
    for number, (name, analysis) in enumerate(analyses.items()):
        result = analysis.results[0]
        assert float(lines[name]["ssim"]) == result.quality.ssim
        assert lines[name]["resnet50_sha256"] == analysis.models[0].sha256
        cells = compare.get_by_role("row").filter(has_text=name).locator("td").all_inner_texts()
        wanted = ["1 of 1", f"{result.quality.ssim:.4f}", f"{result.quality.psnr_db:.2f}"]
        for score in result.scores:
            assert float(lines[name][f"{score.detector}_attacked"]) == score.attacked
            wanted += [f"{score.clean:.3f}", f"{score.attacked:.3f}"]
            before, after = (
                "fake" if f else "real" for f in (score.clean_fake, score.attacked_fake)
            )
            flip = f"Flipped: {before} → {after}"
            wanted.append(flip if score.flipped else f"Unchanged: {after}")
        flips = sum(score.flipped for score in result.scores)
        assert cells == [*wanted, f"{flips} of 3", "Open"]
        crops = compare.locator(".pairs li").nth(number).locator("img")
        assert np.array_equal(pixels(compare, crops.nth(0)), result.clean)
        assert np.array_equal(pixels(compare, crops.nth(1)), result.attacked)
        drawn = crops.evaluate_all("crops => crops.map((crop) => crop.clientHeight)")
        # These crops are of 81 to 160 px: every pixel is drawn as one.
        assert drawn == [result.clean.shape[0]] * 2


def test_the_table_sorts_by_mouse_and_by_keyboard(
    compare: Page, analyses: dict[str, Analysis]
) -> None:
    rising = sorted(analyses, key=lambda name: analyses[name].results[0].quality.ssim)
    ssim = compare.get_by_role("columnheader", name="SSIM")
    ssim.get_by_role("button").click()
    assert names(compare) == [*rising, "=hills.png"]
    assert ssim.get_attribute("aria-sort") == "ascending"
    assert compare.locator(".pairs h3").all_inner_texts() == rising
    compare.keyboard.press("Enter")
    assert names(compare) == [*rising[::-1], "=hills.png"]
    assert ssim.get_attribute("aria-sort") == "descending"
    assert compare.locator(".pairs h3").all_inner_texts() == rising[::-1]
    picture = compare.get_by_role("columnheader", name="Picture")
    picture.get_by_role("button").focus()
    compare.keyboard.press("Space")
    assert names(compare) == ["=hills.png", "one.png", "two.png"]
    assert compare.locator("[aria-sort]").count() == 1


def test_a_row_opens_in_the_studio_with_its_picture_and_settings(
    compare: Page, analyses: dict[str, Analysis]
) -> None:
    compare.get_by_role("columnheader", name="SSIM").get_by_role("button").click()
    compare.get_by_role("button", name="Open two.png in the studio").click()
    finished(compare, "K = 3, restored by Lanczos")
    result = analyses["two.png"].results[0]
    expect(compare.locator(".quality")).to_contain_text(f"{result.quality.ssim:.4f}")
    assert measured(compare)["PSNR"] == f"{result.quality.psnr_db:.2f}"
    shown = [
        (score.title, f"{score.clean:.3f}", f"{score.attacked:.3f}") for score in result.scores
    ]
    assert readings(compare) == shown
    expect(compare.locator("#k input[type=number]")).to_have_value("3")
    expect(compare.locator("#method").get_by_label("Lanczos, control")).to_be_checked()
    expect(compare.get_by_role("tab", name="Analyse")).to_be_focused()

    # The same picture once more, under other settings.
    open_tab(compare, "Compare", "compare-k")
    set_slider(compare, "compare-k", 4)
    compared(compare, "K = 4")
    compare.get_by_role("button", name="Open two.png in the studio").click()
    finished(compare, "K = 4, restored by Lanczos")

    # A picture without a face opens too: a box can be drawn in it there.
    open_tab(compare, "Compare", "compare-k")
    compare.get_by_role("button", name="Open =hills.png in the studio").click()
    expect(compare.locator("#problem")).to_contain_text("No face was found", timeout=PATIENCE)
    choose(compare, "subject", "Whole picture")
    finished(compare, "the whole picture")


def test_what_cannot_be_taken_is_said_and_the_rest_is_done(page: Page, astronaut: Picture) -> None:
    open_tab(page, "Compare", "compare-k")
    choose(page, "compare-method", "Lanczos, control")
    files: list[tuple[str, Picture | bytes]] = [(f"{n}.png", b"none") for n in range(5)]
    send(page, *files, ("face.png", astronaut), ("seventh.png", astronaut))
    compared(page, "1 of 6 pictures compared")
    expect(page.locator("#compare-problem")).to_contain_text("7 came")
    expect(page.locator("#compare-problem")).to_contain_text("seventh.png")
    expect(page.get_by_role("row").filter(has_text="0.png")).to_contain_text("was expected")
    # One taken away makes room, and nothing old stays.
    page.locator("#compare-pictures").get_by_label("Remove this file").first.click()
    compared(page, "2 of 6 pictures compared")
    expect(page.locator("#compare-problem")).not_to_contain_text("7 came")
    page.locator("#compare-pictures").get_by_label("Clear").click()
    expect(page.locator(".comparison")).to_have_count(0)
    expect(page.locator("#get-csv")).to_be_hidden()


def test_a_change_during_a_comparison_begins_it_anew(page: Page, astronaut: Picture) -> None:
    open_tab(page, "Compare", "compare-k")
    send(page, ("face.png", astronaut), ("hills.png", faceless()))
    expect(page.locator("#compare-progress progress")).to_have_count(1, timeout=PATIENCE)
    for k in (3, 4):
        set_slider(page, "compare-k", k)
    choose(page, "compare-method", "Lanczos, control")
    compared(page, "1 of 2 pictures compared. ")
    expect(page.locator("#compare-outcome")).to_contain_text("K = 4, restored by Lanczos")


def test_the_examples_are_one_click_away_and_stop_stops(page: Page) -> None:
    open_tab(page, "Compare", "compare-k")
    page.locator("#take-examples").click()
    expect(page.locator("#compare-progress")).to_contain_text("of 4", timeout=PATIENCE)
    page.locator("#stop-compare").click()
    expect(page.locator("#compare-progress progress")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_small_screen_holds_the_tab_without_scrolling_sideways(
    browser: Browser, address: str, theme: str, astronaut: Picture
) -> None:
    small = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = small.new_page()
    page.goto(address)
    open_tab(page, "Compare", "compare-k")
    choose(page, "compare-method", "Lanczos, control")
    send(page, (f"{'long' * 30}.png", astronaut), ("hills.png", faceless()))
    compared(page, "1 of 2 pictures compared")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    table = page.get_by_role("region", name="Every picture and its numbers")
    assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    table.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.comparison .table').scrollLeft > 0")
    small.close()
