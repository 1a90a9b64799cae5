"""Where weights are looked for, and where they are put."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from gpen_fast.errors import SettingsError
from gpen_fast.settings import WeightsOptions

FOLDER_VARIABLE = "GPEN_FAST_WEIGHTS"
OFFLINE_VARIABLE = "GPEN_FAST_OFFLINE"
_APP = "gpen-fast"
_NO = {"", "0", "no", "off", "false"}


@dataclass(frozen=True)
class Folder:
    """A place where weights may lie. why: what names it, for the eye. path: None where nothing does."""

    why: str
    path: Path | None

    def __str__(self) -> str:
        """The absolute path, with a word where there is no such folder."""
        if self.path is None:
            return "not set"
        return f"{self.path.absolute()}{'' if self.path.is_dir() else ' (no such folder)'}"


def places(options: WeightsOptions) -> list[Folder]:
    """Every place in the order it is searched, those that nothing names too."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [
        Folder("--weights-dir", _expanded(options.weights_dir)),
        Folder(FOLDER_VARIABLE, _expanded(named)),
        Folder("./weights", Path("weights")),
        Folder("user cache", user_cache() / "weights"),
        Folder("facexlib", facexlib_folder()),
    ]


def searched(options: WeightsOptions) -> list[Path]:
    """The folders to search, in order."""
    return [place.path for place in places(options) if place.path is not None]


def check(options: WeightsOptions) -> None:
    """Raises SettingsError where the folder that --weights-dir names is none."""
    chosen = _expanded(options.weights_dir)
    if chosen is not None and not chosen.is_dir():
        what = "is a file" if chosen.exists() else "no such folder"
        raise SettingsError(f"--weights-dir {chosen}: {what}. Name a folder that holds weights.")


def target(options: WeightsOptions) -> Path:
    """Where a new file goes: the folder that the user named, else the user's cache."""
    chosen = _expanded(options.weights_dir) or _expanded(os.environ.get(FOLDER_VARIABLE))
    return chosen or user_cache() / "weights"


def user_cache() -> Path:
    """The user's own folder for what can be fetched or computed again."""
    return platformdirs.user_cache_path(_APP, appauthor=False)


def user_data() -> Path:
    """The user's own folder for what must not be lost."""
    return platformdirs.user_data_path(_APP, appauthor=False)


def facexlib_folder() -> Path | None:
    """Where facexlib keeps what it fetched; found without importing it."""
    found = importlib.util.find_spec("facexlib")
    folders = found.submodule_search_locations if found else None
    return Path(folders[0]) / "weights" if folders else None


def is_offline(options: WeightsOptions) -> bool:
    """Whether the network must not be touched: --offline, or GPEN_FAST_OFFLINE set to anything but no."""
    return options.offline or os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in _NO


def _expanded(name: str | None) -> Path | None:
    return Path(name).expanduser() if name else None
