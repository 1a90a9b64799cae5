"""JSON values as the dataclasses that they were written from, every type checked."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Kind = TypeVar("Kind")
# How messages name what JSON holds.
_NAMES = {dict: "an object", list: "a list", str: "a string", float: "a number", int: "a whole number",
          bool: "true or false", types.NoneType: "null"}  # fmt: skip


def decoded(kind: type[Kind], value: object, where: str = "") -> Kind:
    """A JSON value as an instance of a dataclass.

    Keys that the dataclass lacks are ignored, and fields with a default may be missing: a later version may have added
    a key, and an earlier one has not written it.

    Args:
        kind: The dataclass. Its fields are str, int, float, bool, None, object, Literal or dataclasses, or lists, dicts
            and unions of these.
        value: What `json.loads` gave.
        where: The path to `value` in its document, for messages; empty for the document itself.

    Raises:
        ValueError: A value is missing or of another type. The message says where, what came and what is accepted.
    """
    given, hints = _of(dict, value, where), get_type_hints(kind)
    values = {}
    for each in fields(kind):  # type: ignore[arg-type]  # the caller passes a dataclass
        place = f"{where}.{each.name}".removeprefix(".")
        if each.name in given:
            values[each.name] = _value(hints[each.name], given[each.name], place)
        elif each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"{place} is missing")
    return kind(**values)


def _value(hint: object, value: object, where: str) -> object:
    """A value as its type hint wants it."""
    origin, of = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        # Every union in a report is of one type and None.
        (other,) = (each for each in of if each is not types.NoneType)
        return None if value is None else _value(other, value, where)
    if origin is Literal:
        if value not in of:
            raise ValueError(f"{where} is {value!r}, accepted are {', '.join(map(str, of))}")
        return value
    if origin is list:
        items = enumerate(_of(list, value, where))
        return [_value(of[0], each, f"{where}[{place}]") for place, each in items]
    if origin is dict:
        return {key: _value(of[1], each, f"{where}.{key}") for key, each in _of(dict, value, where).items()}
    assert isinstance(hint, type), hint
    if hint is object:
        return value
    return decoded(hint, value, where) if is_dataclass(hint) else _of(hint, value, where)


def _of(kind: type[Kind], value: object, where: str) -> Kind:
    """The value, if it is of a JSON type; a whole number is accepted as a number."""
    accepted = (int, float) if kind is float else kind
    if (isinstance(value, bool) and kind is not bool) or not isinstance(value, accepted):
        came = _NAMES.get(type(value), type(value).__name__)
        raise ValueError(f"{where or 'the document'} is {came}, accepted is {_NAMES[kind]}")
    return cast(Kind, value)
