"""Finds the weights that a run uses. Imports no torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import HashError, SettingsError, StoreError, WeightsNotFoundError, did_you_mean
from gpen_fast.files import nearest_file
from gpen_fast.settings import RANDOM, WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import CatalogEntry, catalog, entry, generators
from gpen_fast.store.folders import FOLDER_VARIABLE, check_weights_dir, search_folders
from gpen_fast.store.hashes import Hash, sha256_of
from gpen_fast.store.published import PUBLISHED
from gpen_fast.store.shipped import shipped

BEST = "gpen-bfr-512"


@dataclass(frozen=True)
class Choice:
    """The weights of one run."""

    path: Path | None
    """The file; None for random weights."""

    model: str | None
    """The catalog's name; None if only the file's tensors can tell."""

    better: str | None = None
    """The command that gets a better model than the one `auto` found; None if the user named one, or it is the best."""

    @property
    def random(self) -> bool:
        """The weights have the true shapes and random values."""
        return self.path is None

    def sha256(self) -> str | None:
        """The file's hash; None for random weights."""
        return None if self.path is None else sha256_of(self.path).sha256


@dataclass(frozen=True)
class Copy:
    """One file on disk that has a catalogued name."""

    entry: CatalogEntry
    """The catalog's entry for that name."""

    path: Path
    """The file."""

    hash: Hash
    """Its hash."""

    accepted: tuple[str, ...]
    """The hashes that are accepted for the name, published or recorded; none if no hash is known."""

    @property
    def verified(self) -> bool:
        """Its hash is published, or the user accepted it."""
        return self.hash.sha256 in self.accepted

    @property
    def usable(self) -> bool:
        """It is verified, or it is a network for whose name no hash is known.

        Loading proves a network, because every tensor of the architecture is checked. It does not prove a detector:
        weights trained for other anchors have the same shapes and detect wrong boxes.
        """
        return self.verified or (not self.accepted and self.entry.kind == "generator")


def copies(known: CatalogEntry, options: WeightsOptions, *, fresh: bool = False) -> Iterator[Copy]:
    """Yields the files that have the entry's names.

    Args:
        known: The catalog's entry.
        options: Where weights are searched.
        fresh: Compute every hash anew instead of taking it from the cache.

    Yields:
        The files in search order, with their hashes.

    Raises:
        StoreError: A file or the user's record cannot be read.
    """
    accepted = (*known.sha256, *records.read_records().hashes(known.name))
    for path in _candidates(known, options):
        if path.is_file():
            yield Copy(known, path, _hash(path, fresh), accepted)


def _hash(path: Path, fresh: bool) -> Hash:
    try:
        return sha256_of(path, fresh=fresh)
    except OSError as cause:
        why = (cause.strerror or str(cause)).lower()
        raise StoreError(
            f"{path}: cannot be read ({why}). Make it readable, or move the file away."
        ) from cause


def _candidates(known: CatalogEntry, options: WeightsOptions) -> list[Path]:
    """Every path that could hold the file, in search order, each once."""
    embedded = [shipped(known.file)] if known.embedded else []
    paths = embedded + [folder / file for folder in search_folders(options) for file in known.files]
    # In a checkout, ./weights is also the folder of the embedded weights, so a path may come twice.
    absolute = [path.absolute() for path in paths]
    return [path for i, path in enumerate(paths) if absolute[i] not in absolute[:i]]


def present(name: str, options: WeightsOptions) -> Path | None:
    """Returns the first usable file of a catalogued name; None if there is none.

    Args:
        name: The catalog's name.
        options: Where weights are searched.

    Raises:
        SettingsError: The name is unknown, or --weights-dir is no folder.
        StoreError: A file or the user's record cannot be read.
    """
    check_weights_dir(options)
    return next((copy.path for copy in copies(entry(name), options) if copy.usable), None)


def refused(name: str, options: WeightsOptions) -> Path | None:
    """Returns the first file that has a catalogued name but not an accepted hash; None if there is none."""
    return next((copy.path for copy in copies(entry(name), options) if not copy.usable), None)


def required(name: str, options: WeightsOptions) -> Path:
    """Returns the first usable file of a catalogued name.

    Args:
        name: The catalog's name.
        options: Where weights are searched.

    Raises:
        WeightsNotFoundError: There is no file of that name. The message says where it was searched.
        HashError: Files of that name exist, but none has an accepted hash.
        SettingsError: The name is unknown, or --weights-dir is no folder.
        StoreError: A file or the user's record cannot be read.
    """
    check_weights_dir(options)
    known = entry(name)
    wrong = []
    for copy in copies(known, options):
        if copy.usable:
            return copy.path
        wrong.append(copy)
    if wrong:
        raise _not_accepted(wrong[0])
    raise WeightsNotFoundError(
        f"no weights for {name}: {known.file} is not in {_searched(options)}. "
        f"To get it: {known.get_it}{_import_too(known)}"
    )


def _searched(options: WeightsOptions) -> str:
    return ", ".join(str(folder.absolute()) for folder in search_folders(options))


def _import_too(known: CatalogEntry) -> str:
    licence = f" ({known.licence.short})" if known.licence.ask else ""
    return f"{licence}; or from a file of your own: gpen-fast weights import FILE" if known.sources else ""


def _not_accepted(copy: Copy) -> HashError:
    known = copy.entry
    accepted = " or ".join(copy.accepted) or "not known: no hash is published"
    # The remedies come first, because some callers show the first line only.
    return HashError(
        f"{copy.path} is not the expected {known.name} and is not used. {_remedies(known, copy.path)}\n"
        f"  its sha256: {copy.hash.sha256}\n  accepted:   {accepted}"
    )


def _remedies(known: CatalogEntry, path: Path) -> str:
    if known.embedded:
        return f"It is part of gpen-fast: {known.get_it}"
    fetch = f"To replace it by the right one: {known.get_it} --again. " if known.sources else ""
    without = {"generator": " Or use it unchecked: --weights FILE.", "detector": " Or --detector lite."}
    trust = f"gpen-fast weights import {path} --trust {known.name}."
    return f"{fetch}If you trust this file: {trust}{without.get(known.kind, '')}"


def choose_weights(options: WeightsOptions) -> Choice:
    """Returns the weights that the user named, or the best that are present. Downloads nothing.

    `auto` is gpen-bfr-512, else another published network that is present, else the embedded one.

    Args:
        options: The model, the weights, and where they are searched.

    Raises:
        SettingsError: The model is unknown, or the options contradict each other.
        WeightsNotFoundError: There are no weights. The message says where they were searched.
        HashError: A file that has the name of the wanted weights has another hash.
    """
    model = None if options.model == "auto" else _checked_model(options.model)
    if options.weights is None:
        return Choice(required(model, options), model) if model else _best(options)
    if options.random_weights:
        return _random(options.weights.removeprefix(RANDOM), model)
    path = Path(options.weights)
    if not path.is_file():
        raise WeightsNotFoundError(f"weights {options.weights!r}: no such file.{nearest_file(path)}")
    if model is not None and model not in PUBLISHED:
        raise SettingsError(f"--weights {path} cannot be checked to be {model}: leave --model out.")
    return Choice(path, model)


def _checked_model(model: str) -> str:
    if model not in generators():
        names = ["auto", *generators()]
        raise SettingsError(
            f"unknown model {model!r}: accepted are {', '.join(names)}.{did_you_mean(model, names)}"
        )
    return model


def _random(named: str, model: str | None) -> Choice:
    if _checked_model(named) not in PUBLISHED:
        raise SettingsError(
            f"{RANDOM}{named}: its shapes are not in the catalog. Accepted are {', '.join(PUBLISHED)}."
        )
    if model not in (None, named):
        raise SettingsError(f"--model {model} and --weights {RANDOM}{named} contradict each other.")
    return Choice(None, named)


def _best(options: WeightsOptions) -> Choice:
    # A wrong file under the best model's name raises HashError instead of being skipped: the user put it there to be
    # used, and would not notice results from a lesser model.
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
        f"no weights for any published model: none of {files} is in {_searched(options)}. "
        f"To get the best: {entry(BEST).get_it}. Or put a file there, name a folder in {FOLDER_VARIABLE}, or give "
        f"--weights FILE. To time a machine without weights: gpen-fast profile IMAGE --weights {RANDOM}{BEST}"
    )
