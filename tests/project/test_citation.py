"""The citation names this version of the software, and the paper's authors rightly."""

import re
from pathlib import Path

import demo

CITATION = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")


def check_character(digits: str) -> str:
    """What the last place of an ORCID has to be: ISO 7064, MOD 11-2."""
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def test_it_is_of_this_version() -> None:
    assert f"\nversion: {demo.__version__}\n" in CITATION


def test_every_author_of_the_paper_has_an_orcid_that_can_be() -> None:
    found = re.findall(r"orcid\.org/((?:\d{4}-){3}\d{3}[\dX])", CITATION)
    assert len(found) == CITATION.count("family-names") == 5
    for orcid in found:
        digits = orcid.replace("-", "")
        assert digits[-1] == check_character(digits[:-1])
