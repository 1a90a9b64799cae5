"""The state of every known file, for the commands `list`, `verify` and `doctor`."""

from __future__ import annotations

from dataclasses import dataclass

from gpen_fast.settings import WeightsOptions
from gpen_fast.store.catalog import CatalogEntry, catalog, entry
from gpen_fast.store.folders import check_weights_dir, download_folder
from gpen_fast.store.locate import Copy, copies
from gpen_fast.store.part import part_path
from gpen_fast.store.records import read_records


@dataclass(frozen=True)
class Status:
    """The state of one known file."""

    entry: CatalogEntry
    """The catalog's entry."""

    copies: tuple[Copy, ...]
    """The files on disk that have its names, in search order."""

    partial: int = 0
    """Bytes of an unfinished download."""

    @property
    def used(self) -> Copy | None:
        """The copy that a run uses; None if none is usable."""
        return next((copy for copy in self.copies if copy.usable), None)

    @property
    def is_wrong(self) -> bool:
        """Whether a file is there that is not the one that its name promises."""
        return any(not copy.usable for copy in self.copies)

    @property
    def state(self) -> str:
        """The state for people."""
        shown = self.used or (self.copies[0] if self.copies else None)
        if shown is not None:
            return state_of(shown)
        if self.partial:
            return "partly fetched"
        if self.entry.embedded:
            return "missing"
        return "not here" if self.entry.sources else "not here (import)"

    def as_dict(self) -> dict[str, object]:
        """Returns the state for JSON."""
        known = self.entry
        return {
            "name": known.name,
            "kind": known.kind,
            "state": self.state,
            "path": str(self.used.path.absolute()) if self.used else None,
            "bytes": known.size,
            "licence": known.licence.sentence,
            "accepted_sha256": [*known.sha256, *read_records().hashes(known.name)],
            "files": [
                {
                    "path": str(copy.path.absolute()),
                    "sha256": copy.hash.sha256,
                    "remembered": copy.hash.remembered,
                    "verified": copy.verified,
                    "used": copy is self.used,
                }
                for copy in self.copies
            ],
            "partial_bytes": self.partial,
            "get_it": None if self.used else known.get_it,
        }


def state_of(copy: Copy) -> str:
    """Returns the state of one file for people."""
    if copy.verified:
        return "verified (remembered)" if copy.hash.remembered else "verified"
    if not copy.usable:
        return "WRONG HASH" if copy.accepted else "NOT TRUSTED"
    return "embedded" if copy.entry.embedded else "no hash known"


def statuses(options: WeightsOptions, names: list[str] | None = None, *, fresh: bool = False) -> list[Status]:
    """Returns the state of known files.

    Args:
        options: Where weights are searched and stored.
        names: The files; all known ones if None or empty.
        fresh: Compute every hash anew instead of taking it from the cache.

    Raises:
        SettingsError: A name is unknown, or --weights-dir is no folder.
        StoreError: A file or the user's record cannot be read.
    """
    check_weights_dir(options)
    chosen = [entry(name) for name in names] if names else list(catalog().values())
    return [
        Status(known, tuple(copies(known, options, fresh=fresh)), _partial(known, options))
        for known in chosen
    ]


def _partial(known: CatalogEntry, options: WeightsOptions) -> int:
    path = part_path(download_folder(options) / known.file)
    return path.stat().st_size if path.is_file() else 0
