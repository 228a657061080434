"""Whatever a program sends to the page's server, it gets no more than a page would."""

import json
from pathlib import Path

import pytest

from demo.examples import EXAMPLES
from tests.hostile.calls import CALLS, Ground, is_refused, places_named
from tests.hostile.visiting import API, Visitor, picture

FACE = EXAMPLES[0].path


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_no_page_makes_is_refused_and_learns_nothing(
    name: str, address: str, where: Ground
) -> None:
    answer = CALLS[name](Visitor(address), where)
    assert is_refused(answer)
    assert places_named(answer, where) == []
    assert where.canary.asked == 0


def test_a_program_that_behaves_is_answered(address: str, where: Ground) -> None:
    assert Visitor(address).analyse(picture(where.uploaded)).succeeded


@pytest.mark.parametrize(
    "name",
    ["../../../escaped.png", "..", "/etc/passwd", "..\\..\\escaped.png", "a\0b.png", "", "ä" * 300],
)
def test_an_upload_lands_in_a_folder_of_its_own_whatever_its_name(
    name: str, address: str, where: Ground
) -> None:
    content = FACE.read_bytes() + name.encode()
    answer = Visitor(address).ask("POST", f"{API}/upload", files={"files": (name, content)})
    if answer.status == 200:
        path = Path(json.loads(answer.text)[0])
        assert path.parents[1] == Path(where.uploaded).parents[1]
        assert ".." not in path.parts
    assert not list(Path(where.uploaded).parents[2].glob("escaped*"))


def test_a_visitor_has_no_part_in_what_another_sees(address: str, where: Ground) -> None:
    visitor, look = Visitor(address), (None, 4, 50, 50, 64)
    shown = (picture(where.uploaded), 2, "bicubic", "area", "face", None, None)
    assert visitor.event("start", shown).succeeded
    assert ".png" in visitor.event("look_closer", look).text
    assert ".png" not in Visitor(address).event("look_closer", look).text


def test_a_visitor_ends_nobody_elses_work(address: str, where: Ground) -> None:
    stranger = Visitor(address)
    for body in (
        {"session_hash": stranger.session, "fn_index": 0, "event_id": "guessed"},
        {"session_hash": "", "fn_index": 0, "event_id": ""},
    ):
        assert stranger.ask("POST", f"{API}/cancel", json=body).status == 200
    stranger.event("halt", [])
    shown = [picture(where.uploaded), 3, "bicubic", "area", "face", "0", *[None] * 6]
    assert "K = 3" in where.showing.event("again", shown).text


def test_what_the_page_says_of_itself_holds_no_place_but_its_own_folder(
    address: str, where: Ground
) -> None:
    for path in ("/", "/config", f"{API}/info", f"{API}/app_id", "/health"):
        answer = Visitor(address).ask("GET", path)
        folder = str(Path(where.uploaded).parents[1])
        assert set(places_named(answer, where)) <= {folder}
