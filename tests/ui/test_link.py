import pytest

from demo.core.errors import SettingsError
from demo.core.restoring import METHODS
from demo.core.settings import Settings
from demo.ui.link import Link, read_link


def test_a_link_without_a_wish_asks_for_nothing() -> None:
    assert read_link({}, METHODS) is None
    assert read_link({"__theme": "dark", "utm": "k"}, METHODS) is None


def test_what_a_link_leaves_out_stays_as_the_page_has_it() -> None:
    assert read_link({"k": "3"}, METHODS) == Link(0, Settings(k=3.0))
    assert read_link({"example": "2", "__theme": "dark"}, METHODS) == Link(1, Settings())
    whole = {"k": "2.5", "method": "lanczos", "kernel": "bicubic", "scope": "frame", "example": "4"}
    asked = Settings(k=2.5, method="lanczos", kernel="bicubic", scope="frame")
    assert read_link(whole, METHODS) == Link(3, asked)


def test_a_link_may_name_a_method_that_the_operator_added() -> None:
    link = read_link({"method": "sharp"}, (*METHODS, "sharp"))
    assert link == Link(0, Settings(method="sharp"))


@pytest.mark.parametrize(
    "query",
    [
        {"k": "7"},
        {"k": "two"},
        {"k": "nan"},
        {"k": ""},
        {"method": "magic"},
        {"kernel": "../../etc"},
        {"scope": ""},
        {"example": "0"},
        {"example": "5"},
        {"example": "-1"},
        {"example": "²"},
        {"example": "/tmp/face.png"},
    ],
)
def test_anything_else_gets_a_sentence(query: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        read_link(query, METHODS)
    assert str(refused.value).endswith(".")
