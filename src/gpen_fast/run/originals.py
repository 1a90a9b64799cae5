"""Originals of the pictures that in-place runs replace, kept for `gpen-fast undo`. Imports no torch.

album/a.jpg                               the result
album/.gpen-fast/originals/a.jpg          the file that the first run found: the same inode, no copy
album/.gpen-fast/originals/2/a.jpg        another file that the user put in its place before a later run
album/.gpen-fast/originals/results.jsonl  what runs wrote: size, time of change and sha256 of each result
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import STATE_FOLDER, copy_file, sha256_of_file, write_file

_ORIGINALS = "originals"
_RECORD = "results.jsonl"
_COPIED = "the originals of this run are copies: this file system refuses hard links, which take no time and no space."


class OriginalsFolder:
    """The originals of the pictures of one folder, and the record of what runs wrote there."""

    def __init__(self, pictures: Path) -> None:
        """Reads and writes nothing yet. pictures: the folder of the pictures."""
        self.pictures = pictures
        self.path = pictures / STATE_FOLDER / _ORIGINALS
        # Sizes with times, and sizes with hashes, of the results read from the record so far, up to this byte.
        self._stamps: set[tuple[int, int]] = set()
        self._hashes: set[tuple[int, str]] = set()
        self._read = 0

    def names(self) -> list[str]:
        """Names of the pictures of which an original is kept, sorted."""
        try:
            found = os.listdir(self.path)  # noqa: PTH208  names, not paths
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(
            name
            for name in found
            if name != _RECORD and not name.startswith(".") and (self.path / name).is_file()
        )

    def versions(self, name: str) -> list[Path]:
        """The files that are kept under a picture's name: the first original, then what later runs found."""
        found, place = [], self.path / name
        while os.path.lexists(place):
            found.append(place)
            place = self._later(len(found) + 1) / name
        return found

    def keep(self, picture: Path) -> bool:
        """Keeps the picture's file as it is now, unless it is kept already or is the result of an earlier run.

        Args:
            picture: A file of this folder, no link.

        Returns:
            Whether it is kept as a copy, because the file system allows no second name for it.

        Raises:
            OSError: The file cannot be kept.
        """
        kept = self.versions(picture.name)
        if kept and (self.is_result(picture) or any(same_content(picture, version) for version in kept)):
            return False
        place = self._later(len(kept) + 1) if kept else self.path
        place.mkdir(parents=True, exist_ok=True)
        return _link_or_copy(picture, place / picture.name)

    def add_result(self, name: str, result: Path, sha256: str) -> None:
        """Records what a run is about to write, so that a later change by the user is recognised.

        Args:
            name: The picture's name.
            result: The file with the result, under whatever name.
            sha256: Hash of its bytes, hexadecimal.
        """
        status = result.stat()
        entry = {"name": name, "bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": sha256}
        # One write to the file's end, begun by a line break: a line that a full disk cut short spoils no other line.
        with (self.path / _RECORD).open("ab", buffering=0) as file:
            file.write(f"\n{json.dumps(entry)}\n".encode())

    def is_result(self, picture: Path) -> bool:
        """Whether a file is, byte for byte, what a run wrote into this folder.

        A file of a recorded size and time is not read. An album that was copied has other times: its files are.
        """
        self._read_on()
        status = picture.stat()
        if (status.st_size, status.st_mtime_ns) in self._stamps:
            return True
        is_size = any(size == status.st_size for size, _ in self._hashes)
        return is_size and (status.st_size, sha256_of_file(picture)) in self._hashes

    def remove_if_empty(self) -> None:
        """Removes the folder with its record once no original is left in it."""
        if not self.path.is_dir() or self.names():
            return
        for left in (self.path / _RECORD, *self.path.glob(".gpen-fast-*.part")):
            left.unlink(missing_ok=True)
        for folder in (*(path for path in self.path.iterdir() if path.is_dir()), self.path, self.path.parent):
            with contextlib.suppress(OSError):  # something else lies in it
                folder.rmdir()

    def _later(self, version: int) -> Path:
        """Where the second and later files of one name are kept. No picture has such a name: it has no suffix."""
        return self.path / str(version)

    def _read_on(self) -> None:
        """Reads what was added to the record since the last call, by this process or another."""
        try:
            with (self.path / _RECORD).open("rb") as file:
                file.seek(self._read)
                added = file.read()
        except FileNotFoundError:
            return
        self._read += len(added)
        for line in added.splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a line that a full disk cut short
                entry = json.loads(line)
                self._stamps.add((entry["bytes"], entry["mtime_ns"]))
                self._hashes.add((entry["bytes"], entry["sha256"]))


class Keeper:
    """Replaces pictures by their results, and keeps their originals. Several threads may use it."""

    def __init__(self, keep: bool = True) -> None:
        """keep: whether an original is kept that is not kept yet. Those of earlier runs stay."""
        self._keep = keep
        self._folders: dict[Path, OriginalsFolder] = {}
        self._lock = threading.Lock()
        self._told = False

    def replace(
        self,
        picture: Path,
        result: bytes,
        before: Callable[[Path], object] | None = None,
        *,
        sha256: str = "",
    ) -> str:
        """Replaces a picture: killed at any moment, it is the old or the new one, and the old one is kept.

        Args:
            picture: The file to replace, no link.
            result: The new file's bytes.
            before: As for `write_file`; called once the original is kept.
            sha256: Hash of the result, where the caller has it already.

        Returns:
            What the user should know, said once a run; "" where there is nothing.

        Raises:
            FileWriteError: The picture is read-only.
            OSError: The original cannot be kept or the result not written. The picture stays as it was.
        """
        sha256 = sha256 or hashlib.sha256(result).hexdigest()
        copied = False

        def keep(temporary: Path) -> None:
            nonlocal copied
            with self._lock:
                folder = self._folders.setdefault(picture.parent, OriginalsFolder(picture.parent))
                if self._keep:
                    copied = folder.keep(picture)
                if folder.versions(picture.name):
                    folder.add_result(picture.name, temporary, sha256)
            if before:
                before(temporary)

        write_file(picture, result, before=keep)
        with self._lock:
            told, self._told = self._told, self._told or copied
        return _COPIED if copied and not told else ""


def bytes_to_keep(pictures: Iterable[Path]) -> int:
    """The space that the originals take once every picture is replaced: those that no earlier run has kept."""
    total = 0
    for picture in pictures:
        if not os.path.lexists(picture.parent / STATE_FOLDER / _ORIGINALS / picture.name):
            with contextlib.suppress(OSError):
                total += picture.stat().st_size
    return total


def cause_against_keeping(picture: Path) -> str | None:
    """Why the original of a picture cannot be kept, as far as that is known before the work; None where nothing is."""
    folder = picture.parent / STATE_FOLDER
    for place in (folder / _ORIGINALS, folder):
        if os.path.lexists(place):
            if place.is_dir() and os.access(place, os.W_OK):
                return None
            return (
                f"its original cannot be kept: {place} is no folder that can be written to. Allow writing or rename "
                "it, or give --no-backup."
            )
    return None


def refuse_state_folder(path: Path) -> None:
    """Raises InputsError for a path inside `STATE_FOLDER`: what lies there is not for the user to name."""
    parts = path.absolute().parts
    if STATE_FOLDER in parts:
        folder = Path(*parts[: parts.index(STATE_FOLDER)])
        raise InputsError(f"{path}: is a record of earlier runs. Name the folder of the pictures: {folder}.")


def same_content(one: Path, other: Path) -> bool:
    """Whether two names lead to the same file, or to files of the same bytes."""
    first, second = one.stat(), other.stat()
    if os.path.samestat(first, second):
        return True
    return first.st_size == second.st_size and sha256_of_file(one) == sha256_of_file(other)


def _link_or_copy(picture: Path, kept: Path) -> bool:
    """Gives the picture's file a second name, or copies it where that is refused. Returns whether it was copied."""
    try:
        os.link(picture, kept)
    except FileExistsError:  # another run kept it at this moment
        return False
    except OSError:
        copy_file(picture, kept)
        shutil.copystat(picture, kept)
        if hasattr(os, "chown"):
            status = picture.stat()
            with contextlib.suppress(OSError):
                os.chown(kept, status.st_uid, status.st_gid)
        return True
    return False
