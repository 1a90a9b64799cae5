"""The files that a run writes beside its pictures, checked before the work starts. Imports no torch."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Literal, overload

from gpen_fast.errors import InputsError, SettingsError, reason
from gpen_fast.run.walk import PICTURES
from gpen_fast.settings import DetectOptions, suffix_of

SideFlag = Literal["--json", "--save-landmarks", "--log", "--trace", "--csv", "--markdown"]

# How a file of each flag usually ends: an error proposes it.
_SUFFIXES: dict[SideFlag, str] = {
    "--json": ".json", "--save-landmarks": ".jsonl", "--log": ".log", "--trace": ".json", "--csv": ".csv",
    "--markdown": ".md",
}  # fmt: skip


@overload
def side_file(flag: SideFlag, path: Path) -> Path: ...
@overload
def side_file(flag: SideFlag, path: Path | None) -> Path | None: ...
def side_file(flag: SideFlag, path: Path | None) -> Path | None:
    """Where a flag writes.

    Args:
        flag: The flag.
        path: Its value, None without it.

    Returns:
        The file, links followed; None without the flag.

    Raises:
        InputsError: The name is a picture's or leads to something that is not a plain file, or its folder is missing.
    """
    return None if path is None else _target(flag, path, f"a {_SUFFIXES[flag]} file")


def landmarks_path(path: Path | None, detect: DetectOptions) -> Path | None:
    """Where `--save-landmarks` writes: as `side_file`.

    Args:
        path: The value of the flag, None without it.
        detect: How the run detects faces.

    Raises:
        SettingsError: The run detects no faces, so there is nothing to save.
        InputsError: As for `side_file`.
    """
    if path is not None and detect.aligned:
        raise SettingsError("--save-landmarks has nothing to save without detection: leave one out.")
    return side_file("--save-landmarks", path)


def refuse_one_file(**files: Path | None) -> None:
    """Raises InputsError if two files of a run are one: one would replace the other.

    Args:
        **files: The files by the names of their flags, with _ for -; None where a flag was not given.
    """
    seen: dict[Path, str] = {}
    for name, path in files.items():
        flag = f"--{name.replace('_', '-')}"
        if path is None:
            continue
        other = seen.setdefault(path.resolve(), flag)
        # Faces may be read from the file that new ones are added to.
        if other != flag and {other, flag} != {"--landmarks", "--save-landmarks"}:
            raise InputsError(f"{flag} {path}: is the file of {other} too. Name two files.")


def _target(flag: str, path: Path, wanted: str) -> Path:
    """The file that `flag` writes, links followed. InputsError if it cannot be a plain file."""
    try:
        target = path.resolve() if path.is_symlink() else path
        what = "picture" if suffix_of(target) in PICTURES else _special(path)
        has_folder = target.absolute().parent.is_dir()
    # A loop of links is a RuntimeError.
    except (OSError, RuntimeError) as cause:
        raise InputsError(f"{flag} {path}: {reason(cause, path)}. Name {wanted}.") from cause
    if what:
        raise InputsError(f"{flag} {path}: is a {what}. Name {wanted}.")
    if not has_folder:
        raise InputsError(f"{flag} {path}: there is no folder {target.parent}. Make it first.")
    return target


def _special(path: Path) -> str:
    """What exists there instead of a plain file; "" for a plain file and for nothing."""
    try:
        # By the name as given, not resolved: the target of /dev/stdout may be a pipe, which has no name of its own.
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISREG(mode):
        return ""
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")
