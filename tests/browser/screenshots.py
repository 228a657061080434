"""Takes the README's screenshots of the real page: ``python -m tests.browser.screenshots``.

Two widths in two themes, of the example as a visitor finds it, of its sweep and its heat maps, of
the examples compared, of the defences, of a study, of K = 4, and of a picture without a face. The
program serves the shipped weights unless DEMO_WEIGHTS and DEMO_CARDS say otherwise.
"""

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.driving import (
    CHROMIUM_FLAGS,
    PATIENCE,
    Picture,
    choose,
    chromium,
    finished,
    open_tab,
    png,
    set_slider,
    upload,
)
from tests.browser.serving import ROOT, served

FOLDER = ROOT / "assets" / "screenshots"
SIZES = {1280: 900, 390: 844}
THEMES = ("light", "dark")


def main() -> None:
    """Writes every screenshot."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for width in SIZES:
            for theme in THEMES:
                take(browser, address, width, theme)
        browser.close()


def take(browser: Browser, address: str, width: int, theme: str) -> None:
    """Takes the states of the page at one width in one theme."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme="dark" if theme == "dark" else "light",
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(address)
    finished(page, "K = 2")
    shoot(page, f"analyse-{width}-{theme}")
    page.locator("#run-sweep").click()
    expect(page.locator(".sweep .charts")).to_have_count(2, timeout=4 * PATIENCE)
    page.locator("#studio").screenshot(path=FOLDER / f"sweep-{width}-{theme}.png")
    page.get_by_role("tab", name="Where they look").click()
    expect(page.locator("#look section")).to_have_count(3)
    page.locator("#studio").screenshot(path=FOLDER / f"looks-{width}-{theme}.png")
    open_tab(page, "Compare", "compare-k")
    page.locator("#take-examples").click()
    expect(page.locator("#get-csv")).to_be_visible(timeout=4 * PATIENCE)
    shoot(page, f"compare-{width}-{theme}")
    page.get_by_role("tab", name="Defences").click()
    page.locator("#ask-defences").click()
    expect(page.locator("#defences-answers table")).to_be_visible(timeout=4 * PATIENCE)
    shoot(page, f"defences-{width}-{theme}")
    page.get_by_role("tab", name="Study").click()
    expect(page.locator("#study-headline p")).to_be_visible()
    shoot(page, f"study-{width}-{theme}")
    page.get_by_role("tab", name="Analyse").click()
    set_slider(page, "k", 4)
    finished(page, "K = 4")
    shoot(page, f"k4-{width}-{theme}")
    upload(page, png(faceless()))
    expect(page.locator("#problem")).to_contain_text("No face", timeout=PATIENCE)
    choose(page, "subject", "My own box")
    finished(page, "your own box")
    shoot(page, f"own-box-{width}-{theme}")
    context.close()


def shoot(page: Page, name: str) -> None:
    """Photographs the whole page, once every picture on it is there."""
    page.mouse.move(0, 0)
    height = page.evaluate("document.documentElement.scrollHeight")
    for place in range(0, height, 400):
        page.evaluate(f"window.scrollTo(0, {place})")
        page.wait_for_timeout(100)
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.wait_for_timeout(800)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=True)


def faceless() -> Picture:
    """Returns a picture of hills, sky and a sun: uint8 RGB, no face in it."""
    down, across = np.mgrid[0:360, 0:540]
    hill = 220 + 30 * np.sin(across / 60)
    sky = np.stack([120 + down / 4, 160 + down / 5, 220 - down / 8], axis=-1)
    ground = np.stack([60 + across / 12, 110 - across / 20, 50 + down / 12], axis=-1)
    sun = (down - 80) ** 2 + (across - 420) ** 2 < 900
    scene = np.where((down > hill)[..., None], ground, sky)
    return np.where(sun[..., None], (250, 225, 140), scene).astype(np.uint8)


if __name__ == "__main__":
    main()
