"""The Defences tab, as a visitor uses it."""

import pytest
from playwright.sync_api import Page, expect

from demo.core.analysis import Settings, Toolbox
from demo.core.defences import defences
from demo.core.defending import ask_defences
from tests.browser.driving import PATIENCE, Picture, finished, set_slider

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def open_tab(page: Page) -> None:
    page.get_by_role("tab", name="Defences").click()
    expect(page.locator("#defences-face img")).to_have_count(2)


def test_the_face_on_show_goes_through_plain_and_defended_detectors(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    set_slider(page, "k", 4)
    finished(page, "K = 4")
    open_tab(page)
    expect(page.locator("#defences-face")).to_contain_text("K = 4, restored by EDSR")
    page.locator("#ask-defences").click()
    rows = page.locator("#defences-answers tbody tr")
    shipped = defences(toolbox.zoo)
    expect(rows).to_have_count(len(shipped), timeout=4 * PATIENCE)
    found = ask_defences(astronaut, Settings(k=4.0), shipped, toolbox)
    for row, one in zip(rows.all(), found.scores, strict=True):
        expect(row.get_by_role("rowheader")).to_have_text(f"{one.defence.title} {one.defence.kind}")
        expect(row).to_contain_text(f"{one.score.clean:.3f}")
        expect(row).to_contain_text(f"{one.score.attacked:.3f}")
        if one.plain is not None:
            expect(row).to_contain_text(f"{one.plain.clean:.3f} → {one.plain.attacked:.3f}")
        if one.actions:
            expect(row).to_contain_text(f"{one.actions[0]} clean, {one.actions[1]} attacked")
        strong = row.get_by_text("Keeps the verdict that the plain one changed")
        expect(strong).to_have_count(int(one.keeps))
    heard = page.locator("#defences-outcome").get_by_role("status")
    expect(heard).to_contain_text(f"{len(shipped)} defences asked")
    # A kind that is switched off goes, and comes back without being asked again.
    small = page.locator("#defences-kinds").get_by_label("Small network (3)")
    small.uncheck()
    expect(rows).to_have_count(len(shipped) - 3)
    small.check()
    expect(rows).to_have_count(len(shipped))
    # What was said of K = 4 is not shown of K = 2.
    page.get_by_role("tab", name="Analyse").click()
    set_slider(page, "k", 2)
    finished(page, "K = 2")
    open_tab(page)
    expect(heard).to_contain_text("have not been asked about this face")
    expect(rows).to_have_count(0)


def test_a_switch_lets_each_network_be_attacked_along_its_own_gradient(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    open_tab(page)
    kinds = page.locator("#defences-kinds")
    for words in ("Robust training", "Input policy", "Ensemble"):
        kinds.get_by_label(words).uncheck()
    switch = page.locator("#defences-white-box").get_by_role("checkbox")
    expect(switch).not_to_be_checked()
    switch.check()
    page.locator("#ask-defences").click()
    rows = page.locator("#defences-answers tbody tr")
    expect(rows).to_have_count(3, timeout=4 * PATIENCE)
    shipped = [one for one in defences(toolbox.zoo) if one.kind == "small network"]
    found = ask_defences(astronaut, Settings(), shipped, toolbox, white_box=True)
    for row, one in zip(rows.all(), found.scores, strict=True):
        assert one.gradient is not None
        cell = row.get_by_role("cell").nth(3)
        expect(cell).to_contain_text(f"{one.gradient.score.attacked:.3f}")
        expect(cell).to_contain_text(f"PSNR {one.gradient.psnr_db:.2f} dB")
    expect(page.locator("#defences-answers")).to_contain_text("A research figure")
    expect(page.locator("#defences-outcome")).to_contain_text("By its own gradient")
    # Nothing of it is offered as a file, and the switch hides it at once.
    expect(page.locator("#defences a[download], #defences [aria-label=Download]")).to_have_count(0)
    switch.uncheck()
    expect(page.locator("#defences-answers")).not_to_contain_text("gradient")
    expect(rows).to_have_count(3)
