"""A visitor who comes back after ten minutes learns why there is nothing left to download."""

from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from demo.ui.downloads import GONE
from tests.browser.driving import finished

pytestmark = pytest.mark.browser


def test_a_file_that_has_gone_is_missed_in_words(page: Page) -> None:
    page.locator("#k input[type=number]").fill("3")
    page.locator("#k input[type=number]").press("Enter")
    finished(page, "K = 3")
    with page.expect_download() as offered:
        page.locator("#get-png").click()
    place = Path(unquote(offered.value.url.partition("file=")[2]))
    assert page.get_by_text(GONE).count() == 0
    place.unlink()
    page.locator("#get-png").click()
    expect(page.get_by_text(GONE)).to_be_visible()
