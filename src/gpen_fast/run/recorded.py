"""Results among the inputs of a run in place, recognised by the journals of earlier runs. Imports no torch."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.run.journal.file import JournalFile
from gpen_fast.run.walk import is_folder, real


def refuse_recorded_results(names: list[Path]) -> None:
    """Refuses inputs of --in-place that a journal names as results: of another input, or, the last one, of any picture.

    Args:
        names: The inputs, two or more. The last one stands where a run without --in-place has its output.

    Raises:
        InputsError: One holds results.
    """
    inputs = [real(name) for name in names]
    for at, name in enumerate(names):
        last = at == len(names) - 1
        if not last and not is_folder(name):
            continue  # one of many files: its name is compared, its journal is not read again for each
        others = inputs[:at] + inputs[at + 1 :]
        found = [
            (result, source)
            for result, source in _results_in(inputs[at])
            if not _is_in(source, inputs[at]) and (last or any(_is_in(source, other) for other in others))
        ]
        if found:
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            raise InputsError(
                f"{name}: holds results of an earlier run ({found[0][0]} from {found[0][1]}{more}). With --in-place "
                f"there is no output: every path is an input and is replaced. Leave out {name}; or, to restore it in "
                "place too, give it alone in a run of its own."
            )


def _results_in(place: Path) -> list[tuple[Path, Path]]:
    """Results that exist at or below a real path, with their sources, by the journals there and above."""
    found: dict[Path, Path] = {}
    for home in (place, *place.parents):
        for target, source in _rows(home):
            result = real(home / target)
            if _is_in(result, place) and result != source and os.path.lexists(result):
                found[result] = source
    return list(found.items())


def _rows(home: Path) -> Iterator[tuple[str, Path]]:
    """Target and source of each row that is no failure; a journal that cannot be read has none."""
    journal = JournalFile(home)
    with contextlib.suppress(OSError):
        journal.read()
    for rows in journal.rows.values():
        yield from ((row.target, Path(row.source)) for row in rows if row.outcome != "failed")


def _is_in(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents
