"""Everybody can use the page: no serious violation that axe-core knows, and no need of a mouse.

axe-core (https://github.com/dequelabs/axe-core) comes inside axe-playwright-python and is run on
the page as a visitor has it, Gradio's own parts included; nothing is left out.
"""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from demo.core.analysis import Settings, Toolbox, analyse
from tests.browser.driving import PATIENCE, Picture, choose, finished, png, upload
from tests.browser.screenshots import faceless

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
State = Callable[[Page, Picture], None]


def open_everything(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")


def first_look(page: Page, two_faces: Picture) -> None:
    open_everything(page)


def sweep(page: Page, two_faces: Picture) -> None:
    page.locator("#run-sweep").click()
    expect(page.locator(".sweep .charts")).to_have_count(2, timeout=8 * PATIENCE)
    open_everything(page)


def looks(page: Page, two_faces: Picture) -> None:
    page.get_by_role("tab", name="Where they look").click()
    expect(page.locator("#look section")).to_have_count(3, timeout=2 * PATIENCE)


def spectrum(page: Page, two_faces: Picture) -> None:
    page.get_by_role("tab", name="What went").click()
    expect(page.locator("#spectrum figure.profile")).to_be_visible()


def one_of_several_faces(page: Page, two_faces: Picture) -> None:
    upload(page, png(two_faces))
    finished(page, "face 1 of 2")


def every_face(page: Page, two_faces: Picture) -> None:
    one_of_several_faces(page, two_faces)
    page.get_by_role("button", name="Attack every face").click()
    finished(page, "attacked: every face")


def flipped(page: Page, two_faces: Picture) -> None:
    page.locator("#k input[type=range]").press("End")
    finished(page, "K = 4")
    expect(page.locator(".detector.flipped")).not_to_have_count(0)


def no_face(page: Page, two_faces: Picture) -> None:
    upload(page, png(faceless()))
    expect(page.locator("#problem")).to_contain_text("No face was found")


def own_box(page: Page, two_faces: Picture) -> None:
    one_of_several_faces(page, two_faces)
    choose(page, "subject", "My own box")
    finished(page, "your own box")


def defences(page: Page, two_faces: Picture) -> None:
    page.get_by_role("tab", name="Defences").click()
    page.locator("#ask-defences").click()
    expect(page.locator("#defences-answers tbody tr")).to_have_count(7, timeout=4 * PATIENCE)


def study(page: Page, two_faces: Picture) -> None:
    page.get_by_role("tab", name="Study").click()
    expect(page.locator("#study-report iframe")).to_be_visible()
    page.get_by_role("button", name="Run a study on this server").click()
    expect(page.locator("#run-study")).to_be_visible()


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical now, with where it is."""
    page.wait_for_function(
        "document.getAnimations().every((moving) => moving.playState === 'finished')"
    )
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def tab_to(page: Page, place: str) -> None:
    """Presses Tab until the focus is on what the selector names; fails when it never is."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("place => document.activeElement.matches(place)", place):
            return
    raise AssertionError(f"Tab never reaches {place}.")


@pytest.mark.parametrize(
    "state",
    [
        first_look,
        sweep,
        looks,
        spectrum,
        one_of_several_faces,
        every_face,
        flipped,
        no_face,
        own_box,
        defences,
        study,
    ],
)
def test_axe_finds_no_serious_violation(page: Page, state: State, two_faces: Picture) -> None:
    state(page, two_faces)
    for theme in THEMES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        expect(page.locator("body.dark")).to_have_count(int(theme == "dark"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not violations(page), f"{width} px, {theme}"


def test_axe_would_find_a_violation(page: Page) -> None:
    page.evaluate("document.querySelector('#frame img').removeAttribute('alt')")
    page.evaluate("document.querySelector('#verdict h2').style.color = '#bbb'")
    found = " ".join(violations(page))
    assert "image-alt" in found
    assert "color-contrast" in found


def test_the_keyboard_alone_changes_k_the_face_and_the_divider(
    page: Page, two_faces: Picture
) -> None:
    tab_to(page, "#k input[type=range]")
    page.keyboard.press("ArrowRight")
    finished(page, "K = 2.5")
    page.keyboard.press("ArrowRight")
    finished(page, "K = 3")
    tab_to(page, "#method input[value=lanczos]")
    page.keyboard.press("Space")
    finished(page, "restored by Lanczos")
    upload(page, png(two_faces))
    finished(page, "face 1 of 2")
    tab_to(page, "#subject input[value='1']")
    page.keyboard.press("Space")
    finished(page, "face 2 of 2")
    tab_to(page, "#divider input[type=range]")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#divider input[type=number]")).to_have_value("49")
    tab_to(page, "[data-scope=faces]")
    page.keyboard.press("Enter")
    finished(page, "attacked: every face")
    tab_to(page, "button[data-face='0']")
    page.keyboard.press("Enter")
    finished(page, "face 1 of 2")
    expect(page.locator("a[data-face='0']")).to_be_focused()


def test_what_the_keyboard_is_on_can_be_seen(page: Page) -> None:
    for place in ("#k input[type=range]", "#method input", "#divider input[type=range]"):
        tab_to(page, place)
        drawn = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert drawn == "solid", place


def test_a_screen_reader_hears_verdict_k_and_each_score(
    page: Page, toolbox: Toolbox, astronaut: Picture
) -> None:
    heard = page.locator("#verdict").get_by_role("status")
    expect(heard).to_have_attribute("aria-live", "polite")
    heard.evaluate("region => { region.same = true; }")
    page.locator("#k input[type=range]").press("End")
    finished(page, "K = 4")
    result = analyse(astronaut, Settings(k=4.0), toolbox).results[0]
    expect(heard).to_contain_text("flipped")
    expect(heard).to_contain_text("K = 4")
    for score in result.scores:
        expect(heard).to_contain_text(score.title)
        expect(heard).to_contain_text(f"{score.clean:.3f}, then {score.attacked:.3f}")
    assert heard.evaluate("region => region.same"), "A live region that is replaced is not heard."


def test_groups_and_pictures_have_names(page: Page) -> None:
    for name in ("Restored by", "Taken as the face", "Attacked", "Shrinking kernel"):
        expect(page.get_by_role("group", name=name, exact=True)).to_be_visible()
    for name in ("The crop before the round trip", "The crop after the round trip"):
        expect(page.get_by_role("img", name=name)).to_have_count(1)
    page.locator("#k input[type=range]").press("End")
    finished(page, "K = 4")
    assert all(image.get_attribute("alt") for image in page.locator("main img").all())
