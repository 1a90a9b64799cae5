"""The user's own record: hashes pinned at the first download, files that the user trusts, answers about licences."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gpen_fast.errors import StoreError, first_line
from gpen_fast.files import locked, write_file
from gpen_fast.store.folders import user_data

SCHEMA = 1
PINNED, IMPORTED, TRUSTED = "pinned", "imported", "trusted"


@dataclass(frozen=True)
class AcceptedHash:
    """A hash that this user accepts for a catalogued name."""

    sha256: str
    """64 hexadecimal digits in lower case."""

    how: str
    """Why it is accepted: `PINNED`, `IMPORTED` or `TRUSTED`."""

    origin: str
    """The address or the path that the file came from."""

    when: str
    """Time of the acceptance, ISO 8601, UTC."""


@dataclass
class Records:
    """The content of the record file."""

    accepted: dict[str, list[AcceptedHash]] = field(default_factory=dict)
    """The accepted hashes of each catalogued name, oldest first."""

    licences: dict[str, str] = field(default_factory=dict)
    """The accepted licences by their keys, and the time of each acceptance."""

    declined: dict[str, str] = field(default_factory=dict)
    """The licences that the user did not accept when asked, by their keys, and the time of each answer."""

    def hashes(self, name: str) -> list[str]:
        """Returns the hashes that the user accepts for a name, oldest first."""
        return [one.sha256 for one in self.accepted.get(name, [])]


def record_file() -> Path:
    """Returns the path of the record."""
    return user_data() / "weights-lock.json"


def read_records() -> Records:
    """Reads the record; it is empty if there is no file.

    Raises:
        StoreError: The file is damaged. It is never overwritten then.
    """
    path = record_file()
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError(f"schema {content['schema']!r}, accepted is {SCHEMA}")
        accepted = {
            name: [AcceptedHash(**one) for one in hashes] for name, hashes in content["accepted"].items()
        }
        # Earlier versions recorded no declined licence.
        return Records(accepted, dict(content["licences"]), dict(content.get("declined", {})))
    except FileNotFoundError:
        return Records()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise StoreError(
            f"{path}: the record of accepted weights cannot be read ({first_line(cause)}). Repair it, or move it "
            "away: files for which no hash is published must then be accepted again."
        ) from cause


def accept(name: str, sha256: str, how: str, origin: str, *, replace: bool = False) -> None:
    """Records an accepted hash.

    Args:
        name: The catalog's name of the file.
        sha256: The hash.
        how: `PINNED`, `IMPORTED` or `TRUSTED`.
        origin: The address or the path that the file came from.
        replace: Remove all hashes that were accepted for the name before.

    Raises:
        StoreError: The record cannot be read or written.
    """

    def add(records: Records) -> None:
        kept = [] if replace else [one for one in records.accepted.get(name, []) if one.sha256 != sha256]
        records.accepted[name] = [*kept, AcceptedHash(sha256, how, origin, _now())]

    _change(add)


def accept_licence(key: str) -> None:
    """Records that the user accepts a licence.

    Raises:
        StoreError: The record cannot be read or written.
    """

    def accept(records: Records) -> None:
        records.licences.setdefault(key, _now())
        records.declined.pop(key, None)

    _change(accept)


def decline_licence(key: str) -> None:
    """Records that the user, asked about a licence, did not accept it.

    Raises:
        StoreError: The record cannot be read or written.
    """
    _change(lambda records: records.declined.setdefault(key, _now()))


def _change(edit: Callable[[Records], object]) -> None:
    path = record_file()
    try:
        with locked(path):
            records = read_records()
            edit(records)
            content = json.dumps({"schema": SCHEMA, **asdict(records)}, indent=2) + "\n"
            write_file(path, content.encode(), durable=True)
    except OSError as cause:
        raise StoreError(
            f"{path}: cannot be written ({cause.strerror or cause}). Make the folder writable."
        ) from cause


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
