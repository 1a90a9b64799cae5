"""JSON values as dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from gpen_fast.measure.decode import decoded


@dataclass(frozen=True)
class Point:
    x: float
    label: str | None = None


@dataclass(frozen=True)
class Drawing:
    name: str
    count: int
    points: list[Point] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    closed: bool = False
    other: dict[str, object] | None = None
    kind: Literal["line", "area"] = "line"


def test_nested_values_come_back_as_they_were_written() -> None:
    given = {
        "name": "a", "count": 2, "points": [{"x": 1, "label": "p"}, {"x": 0.5}], "sizes": {"s": 3},
        "closed": True, "other": {"any": [1, "x"]}, "kind": "area",
    }  # fmt: skip
    wanted = Drawing("a", 2, [Point(1, "p"), Point(0.5)], {"s": 3}, True, {"any": [1, "x"]}, "area")
    assert decoded(Drawing, given) == wanted


def test_unknown_keys_are_ignored_and_defaults_fill_the_missing() -> None:
    assert decoded(Drawing, {"name": "a", "count": 1, "later": 5}) == Drawing("a", 1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": 3}, "name is a whole number, accepted is a string"),
        ({"name": None}, "name is null, accepted is a string"),
        ({"count": 1.5}, "count is a number, accepted is a whole number"),
        ({"count": True}, "count is true or false, accepted is a whole number"),
        ({"closed": 1}, "closed is a whole number, accepted is true or false"),
        ({"points": {}}, "points is an object, accepted is a list"),
        ({"points": [{"x": 1}, {"x": "1"}]}, r"points\[1\].x is a string, accepted is a number"),
        ({"points": [{}]}, r"points\[0\].x is missing"),
        ({"sizes": {"s": "big"}}, "sizes.s is a string, accepted is a whole number"),
        ({"kind": "dot"}, "kind is 'dot', accepted are line, area"),
        ({"other": []}, "other is a list, accepted is an object"),
    ],
)
def test_another_type_is_named_with_its_place(changed: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        decoded(Drawing, {"name": "a", "count": 1, **changed})


def test_a_document_that_is_no_object_is_named() -> None:
    with pytest.raises(ValueError, match=r"^the document is a list, accepted is an object$"):
        decoded(Drawing, [])
    with pytest.raises(ValueError, match=r"^name is missing$"):
        decoded(Drawing, {})
