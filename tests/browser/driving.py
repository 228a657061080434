"""How the tests handle the page: always by what a visitor sees, waiting until it shows."""

import io
import re
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

Picture = npt.NDArray[np.uint8]
PATIENCE = 60_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def chromium() -> str | None:
    """The system's Chromium; None leaves the choice to Playwright's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def finished(page: Page, words: str) -> None:
    """Waits until a verdict with these words is shown and nothing runs any more."""
    expect(page.locator("#verdict")).to_contain_text(words, timeout=PATIENCE)
    expect(page.locator("#progress progress")).to_have_count(0, timeout=PATIENCE)


def png(picture: Picture) -> bytes:
    """A picture as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def upload(page: Page, content: bytes, name: str = "face.png", kind: str = "image/png") -> None:
    """Puts a file in the page's picture, in place of what is there."""
    remove = page.locator("#picture").get_by_label("Remove Image")
    if remove.count():
        remove.click()
    given: FilePayload = {"name": name, "mimeType": kind, "buffer": content}
    page.locator("#picture input[type=file]").set_input_files(given)


def open_tab(page: Page, name: str, control: str) -> None:
    """Opens a tab of the page and waits for one of its controls to take what is set.

    Some frames after a tab first shows, Gradio gives its controls their first values once more,
    and would undo what a test, quicker than any visitor, had set by then.
    """
    page.get_by_role("tab", name=name).click()
    page.locator(f"#{control}").wait_for()
    page.evaluate(
        """async () => {
            for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
        }"""
    )


def set_slider(page: Page, name: str, value: float) -> None:
    """Types a slider's value, as a keyboard user does."""
    field = page.locator(f"#{name} input[type=number]")
    field.fill(f"{value:g}")
    field.press("Tab")


def choose(page: Page, group: str, words: str) -> None:
    """Chooses one of a group of radio buttons."""
    page.locator(f"#{group}").get_by_label(words).check()


def pixels(page: Page, image: Locator) -> Picture:
    """The very pixels of the file behind a picture on the page."""
    image.scroll_into_view_if_needed()
    reply = page.request.get(image.evaluate("image => image.src"))
    assert reply.ok
    assert reply.headers["content-type"] == "image/png"
    return np.asarray(Image.open(io.BytesIO(reply.body())).convert("RGB"))


def readings(page: Page) -> list[tuple[str, str, str]]:
    """Title, probability before and after, as the cards show them."""
    cards = page.locator(".detector")
    return [
        (
            card.locator("h3").inner_text(),
            card.locator(".numbers .before").inner_text(),
            card.locator(".numbers .after").inner_text(),
        )
        for card in cards.all()
    ]


def measured(page: Page) -> dict[str, str]:
    """The readings of the crop by name, without their units."""
    return {
        row.locator("dt").inner_text(): re.split(r"\s+", row.locator("dd").inner_text())[0]
        for row in page.locator(".quality > div").all()
    }


def click_at(page: Page, image: Locator, across: float, down: float) -> None:
    """Clicks in a picture, at fractions of what it shows (letterboxes do not count)."""
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    natural = image.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert box is not None
    scale = min(box["width"] / natural[0], box["height"] / natural[1])
    if image.evaluate("image => getComputedStyle(image).objectFit") == "scale-down":
        scale = min(scale, 1.0)
    wide, high = natural[0] * scale, natural[1] * scale
    left = box["x"] + (box["width"] - wide) / 2
    top = box["y"] + (box["height"] - high) / 2
    page.mouse.click(left + across * wide, top + down * high)


def saved(page: Page, button: str, folder: Path) -> Path:
    """Presses a download button; returns the file that came, under its own name."""
    with page.expect_download(timeout=PATIENCE) as download:
        page.locator(f"#{button}").click()
    path: Path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
