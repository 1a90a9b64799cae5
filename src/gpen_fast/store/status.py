"""The state of every known file, for `list`, `verify` and `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpen_fast.settings import WeightsOptions
from gpen_fast.store.catalog import Entry, catalog, entry
from gpen_fast.store.folders import check, target
from gpen_fast.store.locate import Copy, copies
from gpen_fast.store.part import part_path
from gpen_fast.store.records import read


@dataclass(frozen=True)
class Status:
    """One known file. copies: those on disk, in search order. partial: bytes of an unfinished download."""

    entry: Entry
    copies: tuple[Copy, ...]
    partial: int = 0

    @property
    def used(self) -> Copy | None:
        """The copy that a run would take."""
        return next((copy for copy in self.copies if copy.usable), None)

    @property
    def words(self) -> str:
        """The state for people."""
        shown = self.used or (self.copies[0] if self.copies else None)
        if shown is not None:
            return state_of(shown)
        if self.partial:
            return "partly fetched"
        if self.entry.embedded:
            return "missing"
        return "not here" if self.entry.sources else "not here (import)"


def state_of(copy: Copy) -> str:
    """What is known of one file."""
    if copy.verified:
        return "verified (remembered)" if copy.hash.remembered else "verified"
    if not copy.usable:
        return "WRONG HASH" if copy.accepted else "NOT TRUSTED"
    return "embedded" if copy.entry.embedded else "no hash known"


def statuses(options: WeightsOptions, names: list[str] | None = None, *, fresh: bool = False) -> list[Status]:
    """Every known file, or those named. fresh: hashes computed anew. Raises SettingsError for an unknown name."""
    check(options)
    chosen = [entry(name) for name in names] if names else list(catalog().values())
    return [
        Status(known, tuple(copies(known, options, fresh=fresh)), _partial(known, options))
        for known in chosen
    ]


def _partial(known: Entry, options: WeightsOptions) -> int:
    path: Path = part_path(target(options) / known.file)
    return path.stat().st_size if path.is_file() else 0


def as_dict(status: Status) -> dict[str, object]:
    """For `--json`."""
    known = status.entry
    return {
        "name": known.name,
        "kind": known.kind,
        "state": status.words,
        "path": str(status.used.path.absolute()) if status.used else None,
        "bytes": known.size,
        "licence": known.licence.sentence,
        "accepted_sha256": [*known.sha256, *read().hashes(known.name)],
        "files": [
            {
                "path": str(copy.path.absolute()),
                "sha256": copy.hash.sha256,
                "remembered": copy.hash.remembered,
                "verified": copy.verified,
                "used": copy is status.used,
            }
            for copy in status.copies
        ],
        "partial_bytes": status.partial,
        "get_it": None if status.used else known.get_it,
    }
