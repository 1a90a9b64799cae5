"""The user's own record: hashes pinned at the first download, files vouched for, licences accepted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gpen_fast.errors import StoreError, first_line
from gpen_fast.files import locked, write_file
from gpen_fast.store.folders import user_data

SCHEMA = 1
PINNED, IMPORTED, TRUSTED = "pinned", "imported", "trusted"


@dataclass(frozen=True)
class Accepted:
    """A hash that this user accepts for a name. how: pinned, imported or trusted. origin: an address or a path."""

    sha256: str
    how: str
    origin: str
    when: str


@dataclass
class Records:
    """accepted: hashes by the catalog's names. licences: when each was accepted."""

    accepted: dict[str, list[Accepted]] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)

    def hashes(self, name: str) -> list[str]:
        """What the user accepts for `name`, oldest first."""
        return [one.sha256 for one in self.accepted.get(name, [])]


def record_file() -> Path:
    """Where the record lies."""
    return user_data() / "weights-lock.json"


def read() -> Records:
    """The record; empty where there is none. Raises StoreError where it is damaged: it is never overwritten then."""
    path = record_file()
    try:
        raw = json.loads(path.read_text("utf-8"))
        if raw["schema"] != SCHEMA:
            raise ValueError(f"schema {raw['schema']!r}, known is {SCHEMA}")
        accepted = {name: [Accepted(**one) for one in told] for name, told in raw["accepted"].items()}
        return Records(accepted, dict(raw["licences"]))
    except FileNotFoundError:
        return Records()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise StoreError(
            f"{path}: the record of accepted weights cannot be read ({first_line(cause)}). "
            "Mend it, or move it away: files without a published hash must then be accepted anew."
        ) from cause


def accept(name: str, sha256: str, how: str, origin: str, *, instead: bool = False) -> None:
    """Records a hash for `name`; `instead` of all that were there. Raises StoreError."""

    def add(records: Records) -> None:
        before = [] if instead else [one for one in records.accepted.get(name, []) if one.sha256 != sha256]
        records.accepted[name] = [*before, Accepted(sha256, how, origin, _now())]

    _change(add)


def accept_licence(key: str) -> None:
    """Records that the user accepts the licence. Raises StoreError."""
    _change(lambda records: records.licences.setdefault(key, _now()))


def _change(edit: Callable[[Records], object]) -> None:
    path = record_file()
    try:
        with locked(path):
            records = read()
            edit(records)
            made: dict[str, Any] = {"schema": SCHEMA, **asdict(records)}
            write_file(path, (json.dumps(made, indent=2) + "\n").encode(), durable=True)
    except OSError as cause:
        raise StoreError(f"{path}: cannot be written ({cause.strerror or cause}).") from cause


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
