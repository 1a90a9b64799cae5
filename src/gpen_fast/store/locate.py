"""Which weights a run uses, and where they lie. Imports no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import HashError, SettingsError, StoreError, WeightsNotFoundError
from gpen_fast.settings import RANDOM, WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import Entry, catalog, entry, generators
from gpen_fast.store.folders import FOLDER_VARIABLE, check, searched
from gpen_fast.store.hashes import Hash, sha256_of
from gpen_fast.store.published import PUBLISHED
from gpen_fast.store.shipped import shipped

BEST = "gpen-bfr-512"


@dataclass(frozen=True)
class Choice:
    """The weights of one run.

    path: None for random ones. model: the catalog's name, None where only the file knows. better: the command
    that gets a better model than the one `auto` found; None where this is the best or was asked for.
    """

    path: Path | None
    model: str | None
    better: str | None = None

    @property
    def random(self) -> bool:
        """True shapes, no meaning."""
        return self.path is None

    def sha256(self) -> str | None:
        """Of the file; None for random weights."""
        return None if self.path is None else sha256_of(self.path).sha256


@dataclass(frozen=True)
class Copy:
    """One file on disk under a known name. accepted: hashes that count as right; none where nobody knows one."""

    entry: Entry
    path: Path
    hash: Hash
    accepted: tuple[str, ...]

    @property
    def verified(self) -> bool:
        """Its hash is published, or the user accepted it."""
        return self.hash.sha256 in self.accepted

    @property
    def usable(self) -> bool:
        """Verified; or a network whose hash nobody knows, since a strict load proves a network and no detector."""
        return self.verified or (not self.accepted and self.entry.kind == "generator")


def copies(known: Entry, options: WeightsOptions, *, fresh: bool = False) -> Iterator[Copy]:
    """The files under the entry's names, in search order, hashed; `fresh`: without the memory of hashes."""
    accepted = (*known.sha256, *records.read().hashes(known.name))
    for path in _candidates(known, options):
        if path.is_file():
            yield Copy(known, path, _hash(path, fresh), accepted)


def _hash(path: Path, fresh: bool) -> Hash:
    try:
        return sha256_of(path, fresh=fresh)
    except OSError as cause:
        why = (cause.strerror or str(cause)).lower()
        raise StoreError(f"{path}: cannot be read ({why}). Mend that, or move the file away.") from cause


def _candidates(known: Entry, options: WeightsOptions) -> list[Path]:
    embedded = [shipped(known.file)] if known.embedded else []
    paths = embedded + [folder / file for folder in searched(options) for file in known.files]
    places = [path.absolute() for path in paths]
    # In a checkout ./weights is where the embedded ones lie.
    return [path for i, path in enumerate(paths) if places[i] not in places[:i]]


def present(name: str, options: WeightsOptions) -> Path | None:
    """The first file of that catalogued name that may be used, by the folders' order; None where there is none.

    Detectors' weights are used by their sha256 only, published or accepted by the user. Raises SettingsError for
    an unknown name, StoreError for a damaged record or a file that cannot be read.
    """
    check(options)
    return next((copy.path for copy in copies(entry(name), options) if copy.usable), None)


def refused(name: str, options: WeightsOptions) -> Path | None:
    """The first file of that catalogued name that is another and is not used; None where there is none."""
    return next((copy.path for copy in copies(entry(name), options) if not copy.usable), None)


def required(name: str, options: WeightsOptions) -> Path:
    """As `present`, but WeightsNotFoundError with where it was looked for, HashError for a file that is another."""
    check(options)
    known = entry(name)
    refused = []
    for copy in copies(known, options):
        if copy.usable:
            return copy.path
        refused.append(copy)
    if refused:
        raise _not_accepted(refused[0])
    tried = ", ".join(str(folder.absolute()) for folder in searched(options))
    raise WeightsNotFoundError(
        f"no weights for {name}: looked for {known.file} in {tried}. "
        f"Get it: {known.get_it}{_import_too(known)}"
    )


def _import_too(known: Entry) -> str:
    licence = f" ({known.licence.short})" if known.licence.ask else ""
    return f"{licence}; or from a file of your own: gpen-fast weights import FILE" if known.sources else ""


def _not_accepted(copy: Copy) -> HashError:
    known = copy.entry
    accepted = " or ".join(copy.accepted) or "not known: nobody publishes one"
    # The remedies come first: where one line is all that is shown, they must be in it.
    return HashError(
        f"{copy.path} is not the {known.name} that is expected, and is not used. {_remedies(known, copy.path)}\n"
        f"  its sha256: {copy.hash.sha256}\n  accepted:   {accepted}"
    )


def _remedies(known: Entry, path: Path) -> str:
    if known.embedded:
        return f"It is part of gpen-fast: {known.get_it}"
    fetch = f"Replace it by the right one: {known.get_it} --again. " if known.sources else ""
    without = {"generator": " Or use it unchecked: --weights FILE.", "detector": " Or --detector lite."}
    trust = f"gpen-fast weights import {path} --trust {known.name}."
    return f"{fetch}If you know what it is and trust it: {trust}{without.get(known.kind, '')}"


def choose(options: WeightsOptions) -> Choice:
    """The weights that the options name, or the best that are there. Downloads nothing.

    `auto` is gpen-bfr-512, else another published network that is there, else the embedded one. Raises
    SettingsError for an unknown model, WeightsNotFoundError with where they were looked for, HashError.
    """
    model = None if options.model == "auto" else known(options.model)
    if options.weights is None:
        return Choice(required(model, options), model) if model else _best(options)
    if options.random_weights:
        return _random(options.weights.removeprefix(RANDOM), model)
    path = Path(options.weights)
    if not path.is_file():
        raise WeightsNotFoundError(f"weights {options.weights!r}: no such file.")
    if model is not None and model not in PUBLISHED:
        raise SettingsError(f"--weights {path} cannot be checked to be {model}: leave --model out.")
    return Choice(path, model)


def known(model: str) -> str:
    """`model`, if the catalog has such a network."""
    if model not in generators():
        raise SettingsError(f"model {model!r} is not known: there is {', '.join(generators())}.")
    return model


def _random(named: str, model: str | None) -> Choice:
    if known(named) not in PUBLISHED:
        raise SettingsError(
            f"{RANDOM}{named}: its shapes are not in the catalog. There is {', '.join(PUBLISHED)}."
        )
    if model not in (None, named):
        raise SettingsError(f"--model {model} and --weights {RANDOM}{named} contradict each other.")
    return Choice(None, named)


def _best(options: WeightsOptions) -> Choice:
    """A file that was put there to be the best and is another is an error: it is not passed over in silence."""
    with contextlib.suppress(WeightsNotFoundError):
        return Choice(required(BEST, options), BEST)
    embedded_last = sorted(generators(), key=lambda name: catalog()[name].embedded)
    for name in embedded_last:
        path = present(name, options)
        if path is not None:
            return Choice(path, name, better=entry(BEST).get_it)
    raise _nothing(options)


def _nothing(options: WeightsOptions) -> WeightsNotFoundError:
    files = ", ".join(entry(name).file for name in generators())
    return WeightsNotFoundError(
        f"no weights for any published model: looked for {files} in "
        f"{', '.join(str(folder.absolute()) for folder in searched(options))}. "
        f"Get the best: {entry(BEST).get_it}. Or put one there, name a folder in {FOLDER_VARIABLE}, or give "
        f"--weights FILE. To time a machine without any: gpen-fast profile IMAGE --weights {RANDOM}{BEST}"
    )
