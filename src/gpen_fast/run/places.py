"""What the paths of one plan are, from one listing of each folder instead of a question for each file.

Imports no torch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is known of a folder."""

    real: str
    """Its real path, with a separator at the end."""

    unusual: frozenset[str] | None
    """The names in it that are no plain files, in lower case; None where they are unknown."""


class Places:
    """Real paths, links and folders. Belongs to one plan: what changes on disk after the first question is not seen."""

    def __init__(self) -> None:
        self._listings: dict[str, _Listing] = {}

    def real(self, path: str) -> str:
        """The path with its links followed; a loop of links is accepted."""
        folder, name = os.path.split(path)
        listing = self._listed(folder)
        if _may_be_unusual(name, listing):
            return os.path.realpath(path)
        return listing.real + name

    def is_folder(self, path: str) -> bool:
        """Whether a folder, or a link to one, is there."""
        folder, name = os.path.split(path)
        return _may_be_unusual(name, self._listed(folder)) and os.path.isdir(path)  # noqa: PTH112

    def is_link(self, path: str) -> bool:
        """Whether the path itself is a link."""
        folder, name = os.path.split(path)
        return _may_be_unusual(name, self._listed(folder)) and os.path.islink(path)  # noqa: PTH114

    def _listed(self, folder: str) -> _Listing:
        found = self._listings.get(folder)
        if found is None:
            real = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118
            found = self._listings[folder] = _Listing(real, _unusual(folder or os.curdir))
        return found


def _may_be_unusual(name: str, listing: _Listing) -> bool:
    """Whether the system has to be asked. Lower case: some file systems take names of any case for the same."""
    if listing.unusual is None or not name or name in (os.curdir, os.pardir):
        return True
    return bool(listing.unusual) and name.casefold() in listing.unusual


def _unusual(folder: str) -> frozenset[str] | None:
    try:
        with os.scandir(folder) as entries:
            return frozenset(
                entry.name.casefold() for entry in entries if not entry.is_file(follow_symlinks=False)
            )
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, ValueError):
        return None
