"""Brings a file of the user's own into the weights folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import DownloadError, HashError, SettingsError, WeightsNotFoundError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import Entry, entry
from gpen_fast.store.folders import target
from gpen_fast.store.hashes import sha256_of
from gpen_fast.store.identify import TENSOR_FILES, by_hash, by_tensors, is_valid
from gpen_fast.store.part import Part
from gpen_fast.store.pull import only_one
from gpen_fast.store.transfer import DownloadProgress, NullProgress

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Imported:
    """What a file was, by what it was known, and where it lies now. copied: False where it lay there already."""

    name: str
    how: str
    path: Path
    sha256: str
    copied: bool


def import_file(
    file: Path,
    options: WeightsOptions | None = None,
    *,
    trust: str | None = None,
    overwrite: bool = False,
    progress: DownloadProgress | None = None,
) -> Imported:
    """Copies a weights file in and records its hash.

    It is known by its hash, else (networks) by its tensors' shapes, else because the user vouches for it: trust is
    the catalog's name. overwrite: replace another file of the same name. Raises WeightsNotFoundError, HashError,
    CheckpointError (damage, NaN, a pickle with code), SettingsError, DownloadError (cannot be stored).
    """
    options = options or WeightsOptions()
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "no such file"
        raise WeightsNotFoundError(f"{file}: {what}. import takes one weights file.")
    sha256 = sha256_of(file, fresh=True).sha256
    known, how = _known_as(file, sha256, trust)
    if known.embedded:
        use = f"Use --weights {file}" if known.kind == "generator" else f"To mend it: {known.get_it}"
        raise SettingsError(f"{known.name} is part of gpen-fast and cannot be replaced. {use}")
    final = target(options) / _name_for(known, file)
    with only_one(final, progress or NullProgress()):
        copied = _bring(file, final, sha256, overwrite)
        for other in known.beside if final.name == known.file else ():
            _bring_beside(file, final.parent / other, overwrite)
        _record(known, sha256, how, file)
    return Imported(known.name, how, final, sha256, copied)


def _known_as(file: Path, sha256: str, trust: str | None) -> tuple[Entry, str]:
    found = by_hash(sha256)
    if trust is not None:
        known = entry(trust)
        if found is not None and found != known:
            raise SettingsError(f"{file} is {found.name}, by its hash: leave --trust {trust} out.")
        if sha256 in known.sha256:
            return known, "hash"
        if file.suffix.lower() in TENSOR_FILES:
            is_valid(file)
        return known, "trust"
    if found is not None:
        return found, "hash"
    known = by_tensors(file, sha256)
    _refuse_another(known, file, sha256)
    return known, "tensors"


def _refuse_another(known: Entry, file: Path, sha256: str) -> None:
    """Right shapes, but a hash is published or pinned, and this is not it."""
    accepted = (*known.sha256, *records.read().hashes(known.name))
    if accepted:
        raise HashError(
            f"{file} has the shapes of {known.name} and is not the file that is accepted under that name.\n"
            f"  its sha256: {sha256}\n  accepted:   {' or '.join(accepted)}\n"
            f"If you know what it is and trust it: --trust {known.name}. "
            f"To use it without importing: --weights {file}"
        )


def _name_for(known: Entry, file: Path) -> str:
    """The name under which it will be found; another kind of file needs another suffix."""
    suffix = file.suffix.lower()
    fitting = [name for name in known.files if Path(name).suffix == suffix]
    same_kind = suffix == ".pt" and Path(known.file).suffix == ".pth"
    if not fitting and not same_kind:
        kinds = ", ".join(sorted({Path(name).suffix for name in known.files}))
        raise SettingsError(
            f"{file}: {known.name} is kept as {kinds}, not as {suffix or 'a file without suffix'}."
        )
    return fitting[0] if fitting else known.file


def _bring(file: Path, final: Path, sha256: str, overwrite: bool) -> bool:
    """Copies unless the same file is there; whether it copied."""
    if final.exists() and sha256_of(final, fresh=True).sha256 == sha256:
        return False
    if final.exists() and not overwrite:
        raise HashError(f"{final} exists and is another file. To replace it: --overwrite.")
    if shutil.disk_usage(final.parent).free < file.stat().st_size:
        raise DownloadError(
            f"{final.parent}: not enough free space for {file}. Name another by --weights-dir."
        )
    try:
        _copy(file, final, sha256)
    except OSError as cause:
        if isinstance(cause, DownloadError):
            raise
        raise DownloadError(
            f"{file} could not be copied to {final.parent}: {(cause.strerror or str(cause)).lower()}."
        ) from cause
    return True


def _copy(file: Path, final: Path, sha256: str) -> None:
    part = Part(final)
    try:
        part.restart()
        with file.open("rb") as given:
            while data := given.read(_CHUNK):
                part.append(data)
        if part.sha256 != sha256:
            part.restart()
            raise DownloadError(f"{file} changed while it was copied. Try again.")
        part.finish()
    finally:
        part.close()


def _bring_beside(file: Path, final: Path, overwrite: bool) -> None:
    """The file that belongs to `file`: beside it under the final name, or under its own with another suffix."""
    named, alike = file.with_name(final.name), file.with_suffix(final.suffix)
    other = named if named.is_file() else alike
    if not other.is_file():
        raise WeightsNotFoundError(f"{named} is missing: it belongs to the weights and must lie beside them.")
    _bring(other, final, sha256_of(other, fresh=True).sha256, overwrite)


def _record(known: Entry, sha256: str, how: str, file: Path) -> None:
    """A published hash needs no record."""
    if sha256 not in known.sha256:
        told = records.TRUSTED if how == "trust" else records.IMPORTED
        if sha256 not in records.read().hashes(known.name):
            records.accept(known.name, sha256, told, str(file.absolute()))
