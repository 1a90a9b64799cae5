"""Plug-ins are files: a folder's module names, `_` as `-`, are the values a user may name. Imports no torch."""

from __future__ import annotations

import importlib
import re
from functools import cache
from pathlib import Path
from types import ModuleType

from gpen_fast.errors import PluginError

_ROOT = Path(__file__).parent
# What a plug-in's file offers.
_OFFERS = re.compile(r"^def (create|encode)\(", re.MULTILINE)
_WORDS = {"detect": "detector", "generate": "backend", "save": "format"}


@cache
def names(folder: str) -> list[str]:
    """The plug-ins in `stages/<folder>`, sorted, without importing any; listed once, asked for each picture."""
    files = (_ROOT / "stages" / folder).glob("*.py")
    stems = (file.stem for file in files if _OFFERS.search(file.read_text(encoding="utf-8")))
    return sorted(stem.replace("_", "-") for stem in stems)


def load(folder: str, name: str) -> ModuleType:
    """Imports one plug-in. PluginError where it does not exist or lacks a dependency."""
    word = _WORDS.get(folder, folder)
    if name not in names(folder):
        raise PluginError(f"{word} {name!r} does not exist: there is {', '.join(names(folder))}.")
    try:
        return importlib.import_module(f"gpen_fast.stages.{folder}.{name.replace('-', '_')}")
    except ModuleNotFoundError as missing:
        raise PluginError(
            f"{word} {name!r} needs the package {missing.name}, which is not installed. "
            f"Try: pip install {missing.name}"
        ) from missing
