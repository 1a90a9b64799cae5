"""The list of sources and attributions that weights/README.md needs once weights trained on the sets are published."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from gpen_fast.training.lite.sets import SetRow

_ATTRIBUTION = re.compile(r"Attribution: (.*?)\.?$")


def source_list(sets: Sequence[Sequence[SetRow]]) -> str:
    """Returns a Markdown table: each source that was trained on, its faces, its licence and its attribution."""
    grouped: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in _trained(sets):
        name = row.repository.removeprefix("github:")
        grouped[(row.licence, name, attribution(row))] += 1
    lines = ["| source | faces | licence | attribution |", "| --- | --- | --- | --- |"]
    for (licence, name, credit), number in sorted(grouped.items()):
        lines.append(f"| {name} | {number} | {licence} | {credit or 'none asked for'} |")
    return "\n".join(lines) + "\n"


def without_attribution(sets: Sequence[Sequence[SetRow]]) -> list[str]:
    """Returns the files under CC BY whose manifest row names no attribution: they must not be trained on."""
    return [
        str(row.file) for row in _trained(sets) if row.licence.startswith("CC-BY") and not attribution(row)
    ]


def attribution(row: SetRow) -> str:
    """Returns the name that a face's manifest row asks to be given; empty where it asks for none."""
    found = _ATTRIBUTION.search(row.basis.strip())
    return found.group(1) if found else ""


def _trained(sets: Sequence[Sequence[SetRow]]) -> Iterable[SetRow]:
    return (row for rows in sets for row in rows if not row.held_out)
