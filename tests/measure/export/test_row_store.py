"""Rows that wait for their report."""

from __future__ import annotations

import json
import tracemalloc

from gpen_fast.measure.export.row_store import RowStore
from gpen_fast.measure.report_rows import PictureRow
from gpen_fast.settings import STAGES


def test_rows_come_back_in_their_order() -> None:
    rows = [PictureRow(f"in/{number}.jpg", None, "failed", error="torn") for number in range(3)]
    store = RowStore()
    for row in rows:
        store.add(row)
    assert [json.loads(line)["input"] for line in store.lines()] == ["in/0.jpg", "in/1.jpg", "in/2.jpg"]
    assert list(RowStore().lines()) == []


def test_a_hundred_thousand_pictures_take_a_few_megabytes() -> None:
    store, many = RowStore(), 3_000
    tracemalloc.start()
    try:
        for number in range(many):
            # Times that no compression can guess.
            times = {stage: (number * 7919 + at) % 9973 / 7 for at, stage in enumerate(STAGES)}
            times = {stage: round(ms, 4) for stage, ms in times.items()}
            store.add(PictureRow(f"in/{number:06d}.jpg", f"out/{number:06d}.png", "restored", 1, 1, times))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held / many < 250
    assert sum(1 for _ in store.lines()) == many
