"""What a link asks of the page: ``?k=3&method=lanczos&example=2``. It never holds a picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.core.errors import SettingsError
from demo.core.restoring import check_choice
from demo.core.settings import Settings
from demo.examples import EXAMPLES


@dataclass(frozen=True)
class Link:
    """An example, by its place from 0, and the settings that it is to be shown under."""

    example: int
    settings: Settings


def read_link(query: Mapping[str, str], methods: Sequence[str]) -> Link | None:
    """Read the part of an address behind the question mark.

    Args:
        query: name -> value; ``k``, ``method``, ``kernel``, ``scope`` and ``example`` (from 1)
            count, what is absent stays as the page has it, other names are left alone.
        methods: the restoring methods that the page offers.

    Returns:
        What is asked for; None where the link asks for nothing.

    Raises:
        SettingsError: a value is none that the page has.
    """
    words = {name: query[name] for name in ("method", "kernel", "scope") if name in query}
    if not words and not {"k", "example"} & set(query):
        return None
    default = Settings()
    method = words.get("method", default.method)
    check_choice("restoring method", method, tuple(methods))
    return Link(
        example=_example(query.get("example", "1")),
        settings=Settings(
            k=_number(query["k"]) if "k" in query else default.k,
            method=method,
            kernel=words.get("kernel", default.kernel),
            scope=words.get("scope", default.scope),
        ),
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(
            f"The link's K must be a number, but {text[:40]!r} came. Correct it, or open the page "
            "without it."
        ) from None


def _example(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= len(EXAMPLES):
        return int(text) - 1
    raise SettingsError(
        f"The link's example must be a number from 1 to {len(EXAMPLES)}, but {text[:40]!r} came. "
        "Correct it, or open the page without it."
    )
