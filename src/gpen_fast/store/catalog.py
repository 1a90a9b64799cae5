"""The catalog of known weights, read from `weights/catalog.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gpen_fast.errors import SettingsError, StoreError
from gpen_fast.store.shipped import shipped

KINDS = ("generator", "detector", "landmarks", "parser")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MB = 1_000_000


@dataclass(frozen=True)
class Licence:
    """Terms of a file. short: for a table. sentence: what follows for who uses it. ask: before the first download."""

    key: str
    short: str
    sentence: str
    ask: bool = False


@dataclass(frozen=True)
class Entry:
    """One known weights file.

    file: its name on disk. also: names it may have instead. beside: files that belong to it. sources: addresses
    in the order they are tried. bytes: exact size; about: a rough one. sha256: every accepted one. figures: of
    a generator, as `gpen.spec` reads them. embedded: part of this project. recommended: the best of its kind.
    """

    name: str
    kind: str
    file: str
    licence: Licence
    also: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    bytes: int | None = None
    about: int | None = None
    sha256: tuple[str, ...] = ()
    template: str | None = None
    config: Mapping[str, Any] | None = field(default=None, hash=False)
    embedded: bool = False
    recommended: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Every name under which it may lie in a folder."""
        return (self.file, *self.also)

    @property
    def size(self) -> int | None:
        """Bytes, exact or rough; None where nobody says."""
        return self.bytes or self.about

    @property
    def shown_size(self) -> str:
        """The size for people: `284 MB`, `~76 MB`, `-`."""
        if self.size is None:
            return "-"
        rounded = f"{self.size / _MB:.0f} MB" if self.size >= _MB else f"{self.size / 1000:.0f} kB"
        return rounded if self.bytes else f"~{rounded}"

    @property
    def get_it(self) -> str:
        """The command that gets it."""
        if self.embedded:
            return "pip install --force-reinstall gpen-fast"
        if self.sources:
            return f"gpen-fast weights pull {self.name}"
        trust = "" if self.sha256 or self.kind == "generator" else f" --trust {self.name}"
        return f"gpen-fast weights import FILE{trust}"


def catalog() -> Mapping[str, Entry]:
    """Every known file by its name."""
    return read(shipped("catalog.toml"))


def entry(name: str) -> Entry:
    """The entry of that name. Raises SettingsError with the names there are."""
    known = catalog()
    if name not in known:
        raise SettingsError(f"weights {name!r} are not known: there is {', '.join(known)}.")
    return known[name]


def generators() -> list[str]:
    """The networks that a user may name, best first."""
    return [name for name, found in catalog().items() if found.kind == "generator"]


@cache
def read(path: Path) -> Mapping[str, Entry]:
    """The catalog in a file. Raises StoreError where it is missing or says what cannot be."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
        licences = {key: Licence(key, **terms) for key, terms in raw["licences"].items()}
        made = {name: _entry(name, told, licences) for name, told in raw["weights"].items()}
    except (OSError, KeyError, TypeError, ValueError) as cause:
        raise StoreError(
            f"{path}: the weights catalog cannot be read ({cause!r}). Reinstall gpen-fast."
        ) from cause
    return made


def _entry(name: str, told: Mapping[str, Any], licences: Mapping[str, Licence]) -> Entry:
    lists = {key: tuple(value) for key, value in told.items() if isinstance(value, list)}
    made = Entry(name, **{**told, **lists, "licence": licences[told["licence"]]})
    if made.kind not in KINDS:
        raise ValueError(f"{name}: kind {made.kind!r}, accepted are {', '.join(KINDS)}")
    wrong = [value for value in made.sha256 if not _SHA256.fullmatch(value)]
    if wrong:
        raise ValueError(f"{name}: {wrong[0]!r} is no sha256")
    return made
