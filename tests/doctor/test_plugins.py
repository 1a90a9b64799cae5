"""Plug-ins as `gpen-fast doctor` lists them."""

from __future__ import annotations

import pytest

from gpen_fast import plugins as known
from gpen_fast.doctor import plugins


def test_each_kind_is_listed_by_name() -> None:
    rows = {one.name: one for one in plugins.listed()}
    assert list(rows) == ["detectors", "backends", "formats"]
    assert rows["backends"].text == "folded, eager, compiled"
    assert all(one.state == "ok" and not one.needed for one in rows.values())


def test_one_that_is_left_out_is_broken_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "problems", lambda kind: [("mine", "no FACTS")] if kind == "save" else [])
    *_, last = plugins.listed()
    assert (last.group, last.name, last.state, last.text) == ("plug-ins", "mine", "broken", "no FACTS")
    assert not last.needed, "pictures can be restored without it"
