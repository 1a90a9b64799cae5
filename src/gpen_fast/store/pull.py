"""Fetches a catalogued file, once, and stores only what is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from gpen_fast.errors import CheckpointError, DownloadError, HashError, StoreError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import CatalogEntry, entry
from gpen_fast.store.download import download
from gpen_fast.store.folders import OFFLINE_VARIABLE, download_folder, is_offline
from gpen_fast.store.identify import network_in
from gpen_fast.store.locate import copies
from gpen_fast.store.mirror import Source, sources_of
from gpen_fast.store.transfer import DownloadProgress, ExpectedFile, NullProgress, RetryPolicy


@dataclass(frozen=True)
class Pulled:
    """A file that is present after `pull`."""

    path: Path
    """Where it lies."""

    fetched: bool
    """False if it was present before."""


def pull(
    name: str,
    options: WeightsOptions | None = None,
    *,
    accept_licence: bool = False,
    again: bool = False,
    repin: bool = False,
    progress: DownloadProgress | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Pulled:
    """Fetches a catalogued file unless a usable one is present.

    A file for which no hash is published must be a network of the right architecture; its hash is then pinned, and
    later downloads must have the same.

    Args:
        name: The catalog's name.
        options: Where weights are searched and stored, and whether the network may be used.
        accept_licence: The user accepts the licence. It is recorded, so it is needed once for each licence that asks.
        again: Fetch the file even if it is present.
        repin: Accept a file that differs from the pinned one.
        progress: Receives the bytes as they arrive.
        retry_policy: How often and how long a source is tried.

    Returns:
        Where the file lies.

    Raises:
        SettingsError: The name is unknown, or an option is not accepted.
        DownloadError: The file may not be fetched, no source delivered it, or it cannot be stored.
        HashError: The file, or another one in its place, is not the accepted one.
        CheckpointError: The file is not the network that its name promises.
    """
    options, progress = options or WeightsOptions(), progress or NullProgress()
    known = entry(name)
    refetch = again or repin
    existing = None if refetch else _usable(known, options)
    if existing:
        return Pulled(existing, False)
    _check_allowed(known, options, accept_licence, progress)
    final = download_folder(options) / known.file
    with write_lock(final, progress):
        existing = None if refetch else _usable(known, options)
        if existing:  # another process fetched it while this one waited for the lock
            return Pulled(existing, False)
        if final.exists() and not refetch:
            raise HashError(f"{final} exists and is another file. To replace it: {known.get_it} --again")
        _fetch(known, final, repin, progress, retry_policy or RetryPolicy())
    return Pulled(final, True)


def needs_consent(known: CatalogEntry) -> bool:
    """Returns whether the licence must still be shown and accepted."""
    return known.licence.ask and known.licence.key not in records.read_records().licences


def is_declined(known: CatalogEntry) -> bool:
    """Returns whether the user was asked about the licence before and did not accept it."""
    return needs_consent(known) and known.licence.key in records.read_records().declined


def _usable(known: CatalogEntry, options: WeightsOptions) -> Path | None:
    """The file that a run would use."""
    return next((copy.path for copy in copies(known, options) if copy.usable), None)


def _check_allowed(
    known: CatalogEntry, options: WeightsOptions, accept_licence: bool, progress: DownloadProgress
) -> None:
    """Raises DownloadError if the file has no address, the network is forbidden, or the licence is not accepted."""
    if not known.sources:
        if known.embedded:
            raise DownloadError(
                f"{known.name} is part of gpen-fast and is not fetched. To repair it: {known.get_it}"
            )
        raise DownloadError(f"{known.name} has no public address. From a file of your own: {known.get_it}")
    if is_offline(options):
        raise DownloadError(
            f"{known.name} is not here, and --offline or {OFFLINE_VARIABLE} forbids fetching it. "
            "Fetch it elsewhere, then: gpen-fast weights import FILE"
        )
    if needs_consent(known):
        if not accept_licence:
            raise DownloadError(
                f"{known.name}: {known.licence.sentence} To accept and fetch it: {known.get_it} --yes"
            )
        try:
            records.accept_licence(known.licence.key)
        except StoreError as error:  # a home folder that is not writable does not undo the user's consent
            progress.note(f"the accepted licence is not recorded: {error}")


def _fetch(
    known: CatalogEntry, final: Path, repin: bool, progress: DownloadProgress, retry_policy: RetryPolicy
) -> None:
    # What the file must be if no hash is published; a repin accepts anything that is the right network.
    pinned = [] if repin else records.read_records().hashes(known.name)

    def check(path: Path, sha256: str, source: Source) -> None:
        if known.sha256:
            return
        _check_pin(known, sha256, pinned)
        _check_contents(known, path)
        if not pinned:
            records.accept(known.name, sha256, records.PINNED, source.shown, replace=True)

    download(sources_of(known), final, ExpectedFile(known.bytes, known.sha256), progress, retry_policy, check)


def _check_pin(known: CatalogEntry, sha256: str, pinned: list[str]) -> None:
    if pinned and sha256 not in pinned:
        raise HashError(
            f"{known.name} is not the file that was fetched or accepted before.\n"
            f"  came:   {sha256}\n  pinned: {' or '.join(pinned)} ({records.record_file()})\n"
            f"To accept the new one: {known.get_it} --repin"
        )


def _check_contents(known: CatalogEntry, path: Path) -> None:
    """Raises CheckpointError unless the file is the promised network.

    Otherwise the hash of an error page or of a truncated file would be pinned, and the true file refused later.
    """
    found = network_in(path)
    if found != known.name:
        raise CheckpointError(f"{known.name}: the source delivered {found} instead. It is not kept.")


@contextmanager
def write_lock(final: Path, progress: DownloadProgress) -> Iterator[None]:
    """Gives the block the only right, among all processes, to write a weights file.

    It waits for as long as another process holds the lock. The kernel releases the lock when its process ends, even
    if it is killed.

    Args:
        final: The file.
        progress: Receives a note before the wait.

    Raises:
        DownloadError: The folder cannot be created or written.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(final.with_name(f".{final.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.note(f"another process is fetching {final.name}: waiting for it")
            lock.acquire()
    except OSError as cause:
        raise DownloadError(
            f"{final.parent}: {(cause.strerror or str(cause)).lower()}. "
            "Name a writable folder with --weights-dir."
        ) from cause
    try:
        yield
    finally:
        lock.release()
