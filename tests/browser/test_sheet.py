"""The figure sheet's button, as a visitor uses it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.core.analysis import Settings, Toolbox, analyse
from demo.sheet.figure import figure_sheet
from demo.sheet.settings import PictureShown, SheetSettings
from demo.views import DIFFERENCE_GAIN
from tests.browser.driving import PATIENCE, Picture, choose, finished, saved

pytestmark = pytest.mark.browser


def test_the_button_makes_the_sheet_of_the_face_on_show_and_no_other_stays(
    page: Page, toolbox: Toolbox, astronaut: Picture, tmp_path: Path
) -> None:
    page.get_by_role("button", name="Figure sheet for a paper").click()
    page.locator("#sheet-factors").get_by_label("3", exact=True).uncheck()
    page.locator("#sheet").get_by_label("Scores").uncheck()
    page.locator("#sheet").get_by_label("One column, 85 mm").check()
    page.locator("#sheet").get_by_label("SVG").check()
    page.get_by_role("button", name="Make the figure sheet").click()
    expect(page.locator("#sheet-status")).to_contain_text("ready", timeout=2 * PATIENCE)
    expect(page.locator("#sheet-preview img")).to_be_visible()
    file = saved(page, "get-sheet", tmp_path)
    assert file.name == "figure-sheet.svg"

    analyses = tuple(analyse(astronaut, Settings(k), toolbox) for k in (2.0, 4.0))
    height, width = analyses[0].chosen.clean.shape[:2]
    settings = SheetSettings(
        rows=("before", "after", "difference", "zoom"),
        width_mm=85,
        gain=DIFFERENCE_GAIN,
        window=32,
        at=(width / 2, round(0.4 * height, 2)),
    )
    expected = figure_sheet([PictureShown("PICTURE", analyses)], settings, file.name)
    assert file.read_bytes() == expected

    choose(page, "scope", "Whole frame")
    finished(page, "the whole frame")
    expect(page.locator("#get-sheet")).to_be_hidden()
    expect(page.locator("#sheet-preview")).to_be_hidden()
