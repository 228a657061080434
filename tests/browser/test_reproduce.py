"""A record given to the page is repeated there, as its downloads and the command line write it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, expect

from demo.core.analysis import Settings, Toolbox, analyse
from demo.core.images import read_picture
from demo.core.record import record_json
from demo.examples import EXAMPLES
from tests.browser.driving import PATIENCE, Picture, finished, png, saved, set_slider, upload

pytestmark = pytest.mark.browser

SAME = "The same to the last digit"


def give(page: Page, record: str, name: str = "record.json") -> None:
    """Opens the accordion where it is closed, and drops a record there."""
    field = page.locator("#give-record input[type=file]")
    if not field.count():
        page.get_by_role("button", name="Reproduce a record").click()
    given: FilePayload = {
        "name": name,
        "mimeType": "application/json",
        "buffer": record.encode(),
    }
    field.set_input_files(given)


def told(page: Page, words: str) -> None:
    expect(page.locator("#reproduced")).to_contain_text(words, timeout=PATIENCE)


def test_a_downloaded_record_comes_out_again_and_another_k_is_followed(
    page: Page, tmp_path: Path
) -> None:
    written = saved(page, "get-record", tmp_path).read_text()
    give(page, written)
    told(page, SAME)
    expect(page.locator("#reproduced").get_by_role("status")).to_contain_text(SAME)

    changed: dict[str, Any] = json.loads(written)
    changed["settings"]["k"] = 3.0
    give(page, json.dumps(changed))
    told(page, "differences from the record")
    expect(page.locator("#k input[type=number]")).to_have_value("3")
    expect(page.locator("#verdict")).to_contain_text("K = 3")
    (recorded,) = changed["results"]
    row = page.locator("#reproduced tr", has_text="SSIM")
    expect(row).to_contain_text(repr(recorded["quality"]["ssim"]))
    expect(page.locator("#reproduced")).to_contain_text("Weights of edsr_x3")

    set_slider(page, "k", 4)
    finished(page, "K = 4")
    expect(page.locator("#reproduced")).not_to_contain_text("record")


def test_a_record_of_an_example_opens_it_under_its_own_box(page: Page, toolbox: Toolbox) -> None:
    settings = Settings(k=2.5, method="lanczos", kernel="bicubic", box=(150, 60, 290, 200))
    analysis = analyse(read_picture(EXAMPLES[2].path), settings, toolbox)
    give(page, record_json(analysis))
    told(page, SAME)
    finished(page, "your own box")
    expect(page.locator("#verdict")).to_contain_text("K = 2.5, restored by Lanczos")
    sides = page.locator("#sides input")
    assert [side.input_value() for side in sides.all()] == ["150", "60", "290", "200"]
    expect(page.locator("#subject").get_by_label("My own box")).to_be_checked()


def test_the_record_of_another_picture_is_told_and_nothing_is_compared(
    page: Page, toolbox: Toolbox, two_faces: Picture
) -> None:
    written = record_json(analyse(two_faces, Settings(face=1), toolbox))
    before = page.locator("#verdict").inner_text()
    give(page, written)
    told(page, "Nothing was compared")
    assert page.locator("#verdict").inner_text() == before

    upload(page, png(np.ascontiguousarray(two_faces)))
    finished(page, "face 1 of 2")
    give(page, written)
    told(page, SAME)
    expect(page.locator("#verdict")).to_contain_text("face 2 of 2")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("record.json", ""),
        ("record.json", "[]"),
        ("record.json", "<script>alert(1)</script>"),
        ("record.json", '{"format": 2}'),
        ("notes.txt", "no record"),
    ],
)
def test_what_is_no_record_gets_a_sentence_and_the_result_stays(
    page: Page, name: str, content: str
) -> None:
    before = page.locator("#verdict").inner_text()
    give(page, content, name)
    told(page, "was expected")
    # What follows on the page must not take the sentence away again.
    page.wait_for_timeout(1500)
    told(page, "was expected")
    assert page.locator("#verdict").inner_text() == before
    assert "/" not in page.locator("#reproduced").inner_text()
