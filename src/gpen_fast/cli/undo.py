"""`gpen-fast undo`: bring back the originals of pictures that were restored in place."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gpen_fast import __version__
from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.json_target import JsonFile, json_target
from gpen_fast.cli.names import shown
from gpen_fast.cli.options import option
from gpen_fast.errors import reason
from gpen_fast.run.undo import KeptOriginals, Undone, find_originals, outlook, undo_all

_FAILED = 1


def undo(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="Folders (with their subfolders), pictures or globs that were restored with --in-place.",
        ),
    ],
    *,
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside",
            metavar="",
            help="Bring back also the originals of pictures that were changed after the run; the changed picture "
            "stays beside as NAME_changed. Without it such a picture is left alone.",
        ),
    ] = False,
    dry_run: Annotated[bool, option(RunOptions, "dry_run", panel=False)] = False,
    json_file: JsonFile = None,
    quiet: Annotated[bool, option(RunOptions, "quiet", panel=False)] = False,
) -> None:
    """Bring back the originals of pictures that were restored with --in-place.

    Each original returns byte for byte, with its time and permissions, and the kept files are gone.

    Exit status: 0 all are back (or there are none), 1 some are not (each is named), 2 wrong usage.
    """
    target = json_target(json_file)
    with target.words_elsewhere():
        found = find_originals(paths)
        rows = _outlooks(found) if dry_run else list(undo_all(found, set_aside=set_aside))
        if set_aside and dry_run:
            rows = [replace(row, outcome="brought_back") if row.outcome == "changed" else row for row in rows]
        _tell(rows, found, quiet, dry_run)
        target.write(_report(rows, found, dry_run))
    if found.failed or any(row.outcome in ("failed", "changed") for row in rows):
        raise typer.Exit(_FAILED)


def _outlooks(found: KeptOriginals) -> list[Undone]:
    rows = []
    for folder, name in found.pictures:
        picture = folder.pictures / name
        try:
            rows.append(Undone(picture, outlook(folder, name)))
        except OSError as error:
            rows.append(Undone(picture, "failed", reason(error, picture)))
    return rows


def _tell(rows: list[Undone], found: KeptOriginals, quiet: bool, dry_run: bool) -> None:
    count = Counter[str](row.outcome for row in rows)
    for row in rows:
        if dry_run and row.outcome == "brought_back" and not quiet:
            print(shown(row.picture))
        for path in row.set_aside:
            print(f"note {shown(row.picture)}: your own version of it is now {shown(path)}.", file=sys.stderr)
        if row.outcome == "changed":
            print(
                f"left alone {shown(row.picture)}: it was changed after the run. --set-aside renames it to "
                f"{shown(Path(f'{row.picture.stem}_changed{row.picture.suffix}'))} and brings the original back.",
                file=sys.stderr,
            )
    for path, why in [*((row.picture, row.error) for row in rows if row.error), *found.failed]:
        print(f"failed {shown(path)}: {why}", file=sys.stderr)
    if not quiet:
        print(_summary(count, dry_run))


def _summary(count: Counter[str], dry_run: bool) -> str:
    if not count:
        return "nothing to undo: no originals are kept there (--in-place keeps them, unless --no-backup is given)"
    done = count["brought_back"]
    parts = [f"{done} to bring back" if dry_run else f"{done} brought back"]
    if count["unchanged"]:
        parts.append(f"{count['unchanged']} never replaced (the run ended before)")
    if count["changed"]:
        parts.append(f"{count['changed']} left alone (changed after the run)")
    if count["failed"]:
        parts.append(f"{count['failed']} failed")
    return ", ".join(parts)


def _verdict(count: Counter[str], unreadable: bool, dry_run: bool) -> str:
    if dry_run:
        return "dry_run"
    if unreadable or count["failed"] or count["changed"]:
        return "some_failed"
    return "all_done" if count else "nothing_to_do"


def _report(rows: list[Undone], found: KeptOriginals, dry_run: bool) -> dict[str, object]:
    count = Counter[str](row.outcome for row in rows)
    return {
        "schema": 1,
        "command": "undo",
        "version": __version__,
        "verdict": _verdict(count, bool(found.failed), dry_run),
        "advice": ["--set-aside brings the originals of changed pictures back, too."]
        if count["changed"]
        else [],
        "dry_run": dry_run,
        "outcomes": {name: count[name] for name in ("brought_back", "unchanged", "changed", "failed")},
        "failed": [
            {"path": str(path), "error": why}
            for path, why in [*((row.picture, row.error) for row in rows if row.error), *found.failed]
        ],
        "pictures": [
            {
                "path": str(row.picture),
                "outcome": row.outcome,
                "set_aside": [str(path) for path in row.set_aside],
            }
            for row in rows
        ],
    }
