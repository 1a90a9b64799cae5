"""Bringing back the originals of pictures that in-place runs replaced. Imports no torch."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gpen_fast.errors import InputsError, reason
from gpen_fast.files import STATE_FOLDER
from gpen_fast.run.originals import OriginalsFolder, refuse_state_folder, same_content
from gpen_fast.run.walk import Told, expanded, is_folder, real

# brought_back: the original has its name again. unchanged: no run had replaced the picture. changed: the user has
# changed the picture since the run, so it is left alone.
UndoOutcome = Literal["brought_back", "unchanged", "changed", "failed"]
# Bytes in a file's name, as most file systems limit it.
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Undone:
    """What became of one picture of which an original was kept."""

    picture: Path
    """The picture's file."""

    outcome: UndoOutcome
    """What became of it."""

    error: str = ""
    """Why it failed."""

    set_aside: tuple[Path, ...] = ()
    """Where the user's own versions of the picture are now."""


@dataclass
class KeptOriginals:
    """The originals that are kept for what the user named."""

    pictures: list[tuple[OriginalsFolder, str]] = field(default_factory=list)
    """Each picture's folder and name."""

    folders: list[OriginalsFolder] = field(default_factory=list)
    """The folders of these pictures, and those in which a killed run left a folder without originals."""

    failed: Told = field(default_factory=list)
    """Folders that cannot be read."""


def find_originals(inputs: Iterable[str]) -> KeptOriginals:
    """Finds the originals of what the user names; writes nothing.

    Args:
        inputs: Folders, with all below them and links followed as in a run; pictures, also ones deleted since; globs.

    Returns:
        Every picture of which an original is kept, once, in the order of the inputs.

    Raises:
        InputsError: A name is neither a file or folder nor that of a kept original.
    """
    found = KeptOriginals()
    seen: set[Path] = set()
    for name in expanded(inputs, None):
        refuse_state_folder(name)
        for folder, pictures in _below(name, found.failed) if is_folder(name) else _of_file(name):
            found.folders.append(folder)
            for picture in pictures:
                here = real(folder.pictures) / picture
                if here not in seen:
                    seen.add(here)
                    found.pictures.append((folder, picture))
    return found


def undo_all(found: KeptOriginals, *, set_aside: bool = False) -> Iterator[Undone]:
    """Brings back every original that was found, and removes the folders that are empty then.

    Args:
        found: What `find_originals` returned.
        set_aside: See `bring_back`.

    Yields:
        What became of each picture, in the order of `found`.
    """
    try:
        for folder, name in found.pictures:
            yield bring_back(folder, name, set_aside=set_aside)
    finally:
        for folder in found.folders:
            folder.remove_if_empty()


def outlook(folder: OriginalsFolder, name: str) -> UndoOutcome:
    """What `bring_back` would do with a picture, without --set-aside.

    Raises:
        OSError: The picture or a kept file cannot be read.
    """
    picture, versions = folder.pictures / name, folder.versions(name)
    if not os.path.lexists(picture):
        return "brought_back"
    if picture.is_symlink() or not picture.is_file():
        return "changed"
    if len(versions) == 1 and same_content(picture, versions[0]):
        return "unchanged"
    kept = any(same_content(picture, version) for version in versions)
    return "brought_back" if kept or folder.is_result(picture) else "changed"


def bring_back(folder: OriginalsFolder, name: str, *, set_aside: bool = False) -> Undone:
    """Gives a picture's first original its name back. Killed at any moment, it can be called again.

    Files that the user put in the original's place between runs come back beside it as NAME_changed.

    Args:
        folder: The folder's originals.
        name: The picture's name.
        set_aside: A picture that was changed since the last run is renamed to NAME_changed, too, and not left alone.
    """
    picture = folder.pictures / name
    aside: list[Path] = []
    try:
        outcome = outlook(folder, name)
        first, *later = folder.versions(name)
        if outcome == "unchanged":
            first.unlink()
            return Undone(picture, outcome)
        if outcome == "changed":
            if not set_aside:
                return Undone(picture, outcome)
            aside.append(_moved_aside(picture, picture))
        for version in reversed(later):
            aside.append(_moved_aside(version, picture))
        _rename(first, picture)
    except OSError as error:
        return Undone(picture, "failed", reason(error, picture), tuple(aside))
    return Undone(picture, "brought_back", set_aside=tuple(aside))


def _below(folder: Path, failed: Told) -> Iterator[tuple[OriginalsFolder, list[str]]]:
    """What is kept in a folder and all below it, and for pictures that are linked from there."""

    def note(error: OSError) -> None:
        failed.append((Path(error.filename), (error.strerror or "cannot be read").lower()))

    seen: set[Path] = set()
    for here, folders, files in os.walk(folder, onerror=note, followlinks=True):
        place = real(Path(here))
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders[:] = sorted(name for name in folders if name != STATE_FOLDER)
        kept = OriginalsFolder(Path(here))
        if kept.path.is_dir():
            yield kept, kept.names()
        for file in sorted(files):
            if (Path(here) / file).is_symlink():
                yield from _kept_of(real(Path(here) / file))


def _of_file(name: Path) -> list[tuple[OriginalsFolder, list[str]]]:
    """What is kept for one picture, which may be a link, or deleted."""
    kept = _kept_of(real(name) if name.is_symlink() else name)
    if not kept and not os.path.lexists(name):
        raise InputsError(f"{name}: no such file or folder, and no original of that name is kept.")
    return kept


def _kept_of(picture: Path) -> list[tuple[OriginalsFolder, list[str]]]:
    folder = OriginalsFolder(picture.parent)
    return [(folder, [picture.name])] if folder.versions(picture.name) else []


def _moved_aside(file: Path, picture: Path) -> Path:
    """Renames a file to the picture's name with _changed, or with a number after it where that is taken."""
    number = 1
    while True:
        end = f"_changed{number if number > 1 else ''}{picture.suffix}"
        # A cut within a character leaves bytes that are no text, which a file's name may hold.
        stem = os.fsdecode(os.fsencode(picture.stem)[: _LONGEST_NAME - len(os.fsencode(end))])
        free = picture.with_name(f"{stem}{end}")
        if not os.path.lexists(free):
            with contextlib.suppress(FileExistsError):
                _rename_without_replacing(file, free)
                return free
        number += 1


def _rename_without_replacing(file: Path, free: Path) -> None:
    """Raises FileExistsError where the name was taken at this moment."""
    try:
        os.link(file, free, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # no second names here: a folder, or the file system
        file.rename(free)
    else:
        file.unlink()


def _rename(kept: Path, picture: Path) -> None:
    """Gives the kept file the picture's name; rename does nothing where both already are names of one file."""
    with contextlib.suppress(FileNotFoundError):
        if kept.samefile(picture):
            kept.unlink()
            return
    kept.replace(picture)
