"""Bad pictures through the real page: a result or one sentence, and never a place on the server."""

from itertools import islice

from tests.core.bad_pictures import BAD_PICTURES
from tests.core.heavy_pictures import BURDENED_PICTURES, HEAVY_PICTURES
from tests.hostile.calls import Ground
from tests.hostile.pictures import KINDS, outcome


def test_a_bad_picture_gets_one_sentence_on_the_page_too(address: str, where: Ground) -> None:
    for name, make in (*islice(BAD_PICTURES.items(), 0, None, 5), *HEAVY_PICTURES.items()):
        assert (name, outcome(make(), address, where)) == (name, "sentence")


def test_a_burdened_picture_is_analysed_on_the_page_too(address: str, where: Ground) -> None:
    for name, make in islice(BURDENED_PICTURES.items(), 0, None, 4):
        assert (name, outcome(make(), address, where)) == (name, "result")


def test_there_are_sixty_named_kinds() -> None:
    assert len(KINDS) >= 60
