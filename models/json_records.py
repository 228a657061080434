"""Strict conversion of parsed JSON into frozen dataclasses.

Understands nested dataclasses, str, int, float, bool, `X | None`, Literal, tuples of fixed or any
length (JSON lists), and dict[str, X] (an object of any fields). Nothing is guessed: a missing,
unknown or ill-typed field is refused.
"""

import dataclasses
import json
import sys
import types
import typing
from typing import Any, Literal, TypeVar

Record = TypeVar("Record")


def record_from_json(value: object, kind: type[Record]) -> Record:
    """Build the dataclass `kind` from what `json.loads` returned.

    Raises:
        ValueError: The value does not fit; the message is a clause that says what was expected
            in which field and what was found. Errors of `__post_init__` pass through.
    """
    return typing.cast(Record, _convert(value, kind, ""))


def _convert(value: Any, kind: Any, place: str) -> Any:
    """`value` as parsed from JSON, as an instance of the annotation `kind`."""
    origin, choices = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _convert_record(value, typing.cast(type[Any], kind), place)
    if origin is types.UnionType:
        inner = next(choice for choice in choices if choice is not types.NoneType)
        return None if value is None else _convert(value, inner, place)
    if origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in choices):
            return value
        raise _unexpected(place, "one of " + ", ".join(map(str, choices)), value)
    if origin is tuple:
        return _convert_sequence(value, choices, place)
    if origin is dict:
        return _convert_fields(value, choices[1], place)
    if kind is float and type(value) in (int, float) and abs(value) <= sys.float_info.max:
        return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    words = {str: "a text", int: "a whole number", float: "a finite number", bool: "true or false"}
    raise _unexpected(place, words[kind], value)


def _convert_record(value: Any, kind: type[Any], place: str) -> Any:
    if not isinstance(value, dict):
        raise _unexpected(place, "an object", value)
    hints = typing.get_type_hints(kind)
    for word, names in (("missing", hints.keys() - value), ("unknown", value.keys() - hints)):
        if names:
            listed = ", ".join(f"{place}{name}" for name in sorted(names))
            raise ValueError(f"expected exactly its known fields, found {word} {listed}")
    return kind(**{name: _convert(value[name], hints[name], f"{place}{name}.") for name in hints})


def _convert_fields(value: Any, kind: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(place, "an object", value)
    return {name: _convert(item, kind, f"{place}{name}.") for name, item in value.items()}


def _convert_sequence(value: Any, choices: tuple[Any, ...], place: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _unexpected(place, "a list", value)
    if choices[-1] is Ellipsis:
        choices = (choices[0],) * len(value)
    if len(value) != len(choices):
        raise _unexpected(place, f"{len(choices)} values", f"{len(value)} values")
    return tuple(
        _convert(item, kind, f"{place}{index}.")
        for index, (item, kind) in enumerate(zip(value, choices, strict=True))
    )


def _unexpected(place: str, expected: str, found: object) -> ValueError:
    shown = found if isinstance(found, str) else json.dumps(found)
    where = place.rstrip(".") or "the record"
    return ValueError(f"expected {expected} in {where}, found {shown[:40]}")
