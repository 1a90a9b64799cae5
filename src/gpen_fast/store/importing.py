"""Copies a weights file that the user already has into the weights folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.errors import DownloadError, HashError, SettingsError, WeightsNotFoundError
from gpen_fast.files import nearest_file
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import CatalogEntry, entry
from gpen_fast.store.folders import download_folder
from gpen_fast.store.hashes import sha256_of
from gpen_fast.store.identify import TENSOR_FILES, by_hash, by_tensors, check_tensors
from gpen_fast.store.part import Part
from gpen_fast.store.pull import write_lock
from gpen_fast.store.transfer import DownloadProgress, NullProgress

# Bytes that are read and written at a time.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Imported:
    """An imported file."""

    name: str
    """The catalog's name for it."""

    how: str
    """What identified it: `hash`, `tensors` or `trust`."""

    path: Path
    """Where it lies in the weights folder."""

    sha256: str
    """Its hash."""

    copied: bool
    """False if the same file was already there."""


def import_file(
    file: Path,
    options: WeightsOptions | None = None,
    *,
    trust: str | None = None,
    overwrite: bool = False,
    progress: DownloadProgress | None = None,
) -> Imported:
    """Identifies a weights file, copies it into the weights folder and records its hash.

    A file is identified by its hash, else (networks only) by the shapes of its tensors, else by the user's word.

    Args:
        file: The file. It is not changed.
        options: Where weights are stored.
        trust: The catalog's name that the user gives the file.
        overwrite: Replace another file that has the same name in the weights folder.
        progress: Receives a note if another process holds the file.

    Returns:
        What the file is and where it lies.

    Raises:
        WeightsNotFoundError: There is no such file, or a file that must lie beside it is missing.
        HashError: The file cannot be identified, differs from the accepted one, or would replace another.
        CheckpointError: The file is damaged or holds NaN or code.
        SettingsError: `trust` contradicts what the file is, or the file's suffix does not fit.
        DownloadError: The file cannot be stored.
    """
    options = options or WeightsOptions()
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "no such file"
        raise WeightsNotFoundError(f"{file}: {what}.{nearest_file(file)} import takes one weights file.")
    sha256 = sha256_of(file, fresh=True).sha256
    known, how = _identified(file, sha256, trust)
    if known.embedded:
        use = f"Use --weights {file}" if known.kind == "generator" else f"To repair it: {known.get_it}"
        raise SettingsError(f"{known.name} is part of gpen-fast and cannot be replaced. {use}")
    final = download_folder(options) / _name_for(known, file)
    with write_lock(final, progress or NullProgress()):
        copied = _bring(file, final, sha256, overwrite)
        for other in known.beside if final.name == known.file else ():
            _bring_beside(file, final.parent / other, overwrite)
        _record(known, sha256, how, file)
    return Imported(known.name, how, final, sha256, copied)


def _identified(file: Path, sha256: str, trust: str | None) -> tuple[CatalogEntry, str]:
    """What the file is, and what says so: `hash`, `tensors` or `trust`."""
    found = by_hash(sha256)
    if trust is not None:
        known = entry(trust)
        if found is not None and found != known:
            raise SettingsError(f"{file} has the hash of {found.name}: leave --trust {trust} out.")
        if sha256 in known.sha256:
            return known, "hash"
        if file.suffix.lower() in TENSOR_FILES:
            check_tensors(file)
        return known, "trust"
    if found is not None:
        return found, "hash"
    known = by_tensors(file, sha256)
    _refuse_another(known, file, sha256)
    return known, "tensors"


def _refuse_another(known: CatalogEntry, file: Path, sha256: str) -> None:
    """Raises HashError for a file of the right shapes if another hash is published or pinned for its name."""
    accepted = (*known.sha256, *records.read_records().hashes(known.name))
    if accepted:
        raise HashError(
            f"{file} has the shapes of {known.name}, but not an accepted hash.\n"
            f"  its sha256: {sha256}\n  accepted:   {' or '.join(accepted)}\n"
            f"If you trust this file: --trust {known.name}. "
            f"To use it without importing: --weights {file}"
        )


def _name_for(known: CatalogEntry, file: Path) -> str:
    """The file name under which the search finds it: the catalog's name with the file's suffix."""
    suffix = file.suffix.lower()
    fitting = [name for name in known.files if Path(name).suffix == suffix]
    # torch.save writes both .pt and .pth.
    same_kind = suffix == ".pt" and Path(known.file).suffix == ".pth"
    if not fitting and not same_kind:
        kinds = ", ".join(sorted({Path(name).suffix for name in known.files}))
        raise SettingsError(
            f"{file}: {known.name} is stored as {kinds}, not as {suffix or 'a file without suffix'}."
        )
    return fitting[0] if fitting else known.file


def _bring(file: Path, final: Path, sha256: str, overwrite: bool) -> bool:
    """Copies a file unless the same one is already there; returns whether it copied."""
    if final.exists() and sha256_of(final, fresh=True).sha256 == sha256:
        return False
    if final.exists() and not overwrite:
        raise HashError(f"{final} exists and is another file. To replace it: --overwrite.")
    if shutil.disk_usage(final.parent).free < file.stat().st_size:
        raise DownloadError(
            f"{final.parent}: not enough free space for {file}. Name another folder with --weights-dir."
        )
    try:
        _copy(file, final, sha256)
    except OSError as cause:
        if isinstance(cause, DownloadError):
            raise
        raise DownloadError(
            f"{file} cannot be copied to {final.parent}: {(cause.strerror or str(cause)).lower()}. "
            "Name a writable folder with --weights-dir."
        ) from cause
    return True


def _copy(file: Path, final: Path, sha256: str) -> None:
    part = Part(final)
    try:
        part.restart()
        with file.open("rb") as source:
            while data := source.read(_CHUNK):
                part.append(data)
        if part.sha256 != sha256:
            part.restart()
            raise DownloadError(f"{file} changed while it was copied. Try again.")
        part.finish()
    finally:
        part.close()


def _bring_beside(file: Path, final: Path, overwrite: bool) -> None:
    """Copies the file that belongs to `file`: it has the final name, or the name of `file` with another suffix."""
    named, alike = file.with_name(final.name), file.with_suffix(final.suffix)
    other = named if named.is_file() else alike
    if not other.is_file():
        raise WeightsNotFoundError(f"{named} is missing: it belongs to the weights and must lie beside them.")
    _bring(other, final, sha256_of(other, fresh=True).sha256, overwrite)


def _record(known: CatalogEntry, sha256: str, how: str, file: Path) -> None:
    """Records an accepted hash, unless it is published or recorded already."""
    if sha256 not in (*known.sha256, *records.read_records().hashes(known.name)):
        label = records.TRUSTED if how == "trust" else records.IMPORTED
        records.accept(known.name, sha256, label, str(file.absolute()))
