"""Which pictures `profile` is to time: files, folders and patterns. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import nearest_file
from gpen_fast.run.walk import PICTURES, Told, expanded, is_folder, walk
from gpen_fast.settings import suffix_of


def profiled_pictures(inputs: Sequence[Path]) -> list[Path]:
    """The pictures that the inputs name, each once, those of a folder sorted by name.

    Args:
        inputs: Files, folders, which are walked with their subfolders, and patterns.

    Raises:
        InputsError: One names no file, or holds no picture, or cannot be read.
    """
    found: dict[Path, None] = {}
    for name in expanded([str(each) for each in inputs], None):
        found |= dict.fromkeys(_in_folder(name) if is_folder(name) else [_the_file(name)])
    return list(found)


def _the_file(path: Path) -> Path:
    if not path.is_file():
        raise InputsError(f"{path}: no such file.{nearest_file(path)} profile takes pictures and folders.")
    return path


def _in_folder(folder: Path) -> list[Path]:
    failed: Told = []
    pictures = [path for path in walk(folder, None, failed, []) if suffix_of(path) in PICTURES]
    for path, why in failed:
        raise InputsError(f"{path}: {why}.")
    if not pictures:
        raise InputsError(
            f"{folder}: no picture in this folder, nor below it. Name another one, or a picture."
        )
    return pictures
