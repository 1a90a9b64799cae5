"""Rows of dataclasses as the cells of a table, for the measurements whose report has no stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from gpen_fast.measure.ladder import LadderRow
from gpen_fast.measure.sweep import SweepRow

Cell = str | float | None


def flat_rows(rows: Sequence[LadderRow] | Sequence[SweepRow]) -> tuple[list[str], list[list[Cell]]]:
    """The names of the columns, which are the keys of the JSON, and the cells of each row.

    A key that holds figures by name, as `shares` does, becomes a column for each: `shares.network`.

    Args:
        rows: Of one kind, one at least.
    """
    flat = [_flat(asdict(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    return names, [[row.get(name) for name in names] for row in flat]


def _flat(row: dict[str, object]) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            cells |= {f"{name}.{key}": figure for key, figure in value.items()}
        else:
            cells[name] = value if isinstance(value, str | int | float) else None
    return cells
