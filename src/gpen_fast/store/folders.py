"""The folders that are searched for weights, and the folder that new ones are stored in."""

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
# Values of GPEN_FAST_OFFLINE, in lower case, that leave the network allowed.
_NO = {"", "0", "no", "off", "false"}


@dataclass(frozen=True)
class SearchPlace:
    """A place that is searched for weights."""

    why: str
    """What names the folder, for people: an option, a variable, or a word."""

    path: Path | None
    """The folder; None if nothing names one."""

    def __str__(self) -> str:
        """The absolute path, with a note if there is no such folder."""
        if self.path is None:
            return "not set"
        return f"{self.path.absolute()}{'' if self.path.is_dir() else ' (no such folder)'}"


def search_places(options: WeightsOptions) -> list[SearchPlace]:
    """Returns every place in search order, including those that name no folder."""
    return [
        SearchPlace("--weights-dir", _expanded(options.weights_dir)),
        SearchPlace(FOLDER_VARIABLE, _expanded(os.environ.get(FOLDER_VARIABLE))),
        SearchPlace("./weights", Path("weights")),
        SearchPlace("user cache", user_cache() / "weights"),
        SearchPlace("facexlib", facexlib_folder()),
    ]


def search_folders(options: WeightsOptions) -> list[Path]:
    """Returns the folders to search, in order. A folder may not exist."""
    return [place.path for place in search_places(options) if place.path is not None]


def check_weights_dir(options: WeightsOptions) -> None:
    """Checks that --weights-dir, if given, names a folder.

    Raises:
        SettingsError: It names a file or nothing.
    """
    chosen = _expanded(options.weights_dir)
    if chosen is not None and not chosen.is_dir():
        what = "is a file" if chosen.exists() else "no such folder"
        raise SettingsError(f"--weights-dir {chosen}: {what}. Name a folder that holds weights.")


def download_folder(options: WeightsOptions) -> Path:
    """Returns the folder that stores new files: the one that the user named, else the user's cache."""
    chosen = _expanded(options.weights_dir) or _expanded(os.environ.get(FOLDER_VARIABLE))
    return chosen or user_cache() / "weights"


def user_cache() -> Path:
    """Returns the user's folder for files that can be fetched or computed again."""
    return platformdirs.user_cache_path(_APP, appauthor=False)


def user_data() -> Path:
    """Returns the user's folder for files that must not be lost."""
    return platformdirs.user_data_path(_APP, appauthor=False)


def facexlib_folder() -> Path | None:
    """Returns the folder that facexlib downloads into; None if facexlib is not installed.

    The spec is enough: importing facexlib would import torch and take seconds.
    """
    spec = importlib.util.find_spec("facexlib")
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) / "weights" if locations else None


def is_offline(options: WeightsOptions) -> bool:
    """Returns whether the network is forbidden: --offline, or GPEN_FAST_OFFLINE set to anything but "no"."""
    return options.offline or os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in _NO


def _expanded(name: str | None) -> Path | None:
    return Path(name).expanduser() if name else None
