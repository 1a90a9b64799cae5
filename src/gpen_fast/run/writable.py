"""Which results can be written, as far as that is known before the work. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.files import LONGEST_NAME, STATE_FOLDER
from gpen_fast.run.clashes import Pair
from gpen_fast.run.originals import cause_against_keeping
from gpen_fast.run.walk import Told, split_name
from gpen_fast.settings import OutputOptions, suffix_of


def writable(pairs: Iterable[Pair], output: OutputOptions, failed: Told) -> Iterator[Pair]:
    """The pictures whose results can be written, as far as that is known before the work.

    Args:
        pairs: Pictures and the files that they become.
        output: Whether pictures are replaced, and originals kept.
        failed: Is told of the other pictures, with the cause.
    """
    of_folder = cache(lambda folder: _cause_against_folder(Path(folder), output))
    for source, target in pairs:
        folder, name = os.path.split(target)
        if len(name) > LONGEST_NAME // 4 and len(os.fsencode(name)) > LONGEST_NAME:
            cause: str | None = (
                f"its result's name would be longer than {LONGEST_NAME} bytes. Rename the picture."
            )
        else:
            cause = (_cause_against_replacing(target) or of_folder(folder)) if output.in_place else None
        if cause:
            failed.append((Path(source), cause))
        else:
            yield source, target


def _cause_against_replacing(target: str) -> str | None:
    """Why a picture's own file cannot be replaced; None where nothing is known."""
    suffix = split_name(target)[1].lower()
    if suffix_of(Path(target)) not in plugins.names("save"):
        return f"{suffix} can be read but not written, so it cannot be replaced. Name an output folder."
    if not os.stat(target).st_mode & 0o222 or not os.access(target, os.W_OK):  # noqa: PTH116
        return "is read-only. Allow writing, or name an output folder."
    return None


def _cause_against_folder(folder: Path, output: OutputOptions) -> str | None:
    """Why no picture of a folder can be replaced; None where nothing is known."""
    if not os.access(folder, os.W_OK):
        return f"its folder {folder} is read-only. Allow writing, or name an output folder."
    if STATE_FOLDER in folder.absolute().parts:
        return "is the kept original of another picture, which is not replaced. Name an output folder."
    return None if output.no_backup else cause_against_keeping(folder / "picture")
