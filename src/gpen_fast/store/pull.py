"""Fetches a catalogued file, once, and only what is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from gpen_fast.errors import CheckpointError, DownloadError, HashError, StoreError
from gpen_fast.settings import WeightsOptions
from gpen_fast.store import records
from gpen_fast.store.catalog import Entry, entry
from gpen_fast.store.download import download
from gpen_fast.store.folders import OFFLINE_VARIABLE, is_offline, target
from gpen_fast.store.identify import network_in
from gpen_fast.store.locate import copies
from gpen_fast.store.mirror import Source, sources_of
from gpen_fast.store.transfer import DownloadProgress, NullProgress, RetryPolicy, Wanted


@dataclass(frozen=True)
class Pulled:
    """Where a file lies now. fetched: False where it was there already."""

    path: Path
    fetched: bool


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
    """Makes sure that the catalogued file `name` is on disk, verified, and says where.

    accept_licence: needed once for weights whose licence asks for it; remembered. again: fetch it although it is
    there. repin: accept a file that differs from the one pinned at the first download. A file that nobody publishes
    a hash of is looked into before it is pinned. Raises SettingsError, DownloadError, HashError, CheckpointError.
    """
    options, progress = options or WeightsOptions(), progress or NullProgress()
    known = entry(name)
    there = None if again or repin else _usable(known, options)
    if there:
        return Pulled(there, False)
    _may_be_fetched(known, options, accept_licence, progress)
    final = target(options) / known.file
    with only_one(final, progress):
        there = None if again or repin else _usable(known, options)
        if there:  # another process was faster
            return Pulled(there, False)
        if final.exists() and not (again or repin):
            raise HashError(f"{final} exists and is another file. To replace it: {known.get_it} --again")
        _fetch(known, final, repin, progress, retry_policy or RetryPolicy())
    return Pulled(final, True)


def needs_consent(known: Entry) -> bool:
    """Whether the licence has still to be shown and accepted."""
    return known.licence.ask and known.licence.key not in records.read().licences


def _usable(known: Entry, options: WeightsOptions) -> Path | None:
    """A copy that a run would take: verified, or a network that nobody knows a hash of."""
    return next((copy.path for copy in copies(known, options) if copy.usable), None)


def _may_be_fetched(
    known: Entry, options: WeightsOptions, accept_licence: bool, progress: DownloadProgress
) -> None:
    if not known.sources:
        if known.embedded:
            raise DownloadError(f"{known.name} is part of gpen-fast, not fetched. To mend it: {known.get_it}")
        raise DownloadError(f"{known.name} has no public address. From a file of your own: {known.get_it}")
    if is_offline(options):
        raise DownloadError(
            f"{known.name} is not here, and --offline or {OFFLINE_VARIABLE} forbids to fetch it. "
            "Fetch it elsewhere and bring it in: gpen-fast weights import FILE"
        )
    if needs_consent(known):
        if not accept_licence:
            raise DownloadError(
                f"{known.name}: {known.licence.sentence} To accept and fetch it: {known.get_it} --yes"
            )
        try:
            records.accept_licence(known.licence.key)
        except StoreError as error:  # a home that cannot be written: accepted is accepted
            progress.note(f"the accepted licence is not remembered: {error}")


def _fetch(
    known: Entry, final: Path, repin: bool, progress: DownloadProgress, retry_policy: RetryPolicy
) -> None:
    mine = [] if repin else records.read().hashes(known.name)

    def check(path: Path, sha256: str, source: Source) -> None:
        if known.sha256:
            return
        _check_pin(known, sha256, mine)
        _look_into(known, path)
        if not mine:
            records.accept(known.name, sha256, records.PINNED, source.shown, instead=True)

    download(sources_of(known), final, Wanted(known.bytes, known.sha256), progress, retry_policy, check)


def _check_pin(known: Entry, sha256: str, mine: list[str]) -> None:
    if mine and sha256 not in mine:
        raise HashError(
            f"{known.name} is not the file that was fetched or accepted before.\n"
            f"  came:   {sha256}\n  pinned: {' or '.join(mine)} ({records.record_file()})\n"
            f"To accept the new one: {known.get_it} --repin"
        )


def _look_into(known: Entry, path: Path) -> None:
    """An error page or a torn file must not become the hash that all later ones are measured by."""
    found = network_in(path)
    if found != known.name:
        raise CheckpointError(f"{known.name}: the source gave {found} instead. It is not kept.")


@contextmanager
def only_one(final: Path, progress: DownloadProgress) -> Iterator[None]:
    """The block alone writes `final`; others wait. The lock is the kernel's and ends with its process."""
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
            "Name a folder that can be written with --weights-dir."
        ) from cause
    try:
        yield
    finally:
        lock.release()
