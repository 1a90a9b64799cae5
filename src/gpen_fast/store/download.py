"""Downloads one file from several sources; an incomplete or wrong file never gets its final name."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from gpen_fast import __version__
from gpen_fast.errors import DownloadError, GpenError
from gpen_fast.store.answers import RefusedError
from gpen_fast.store.mirror import Source
from gpen_fast.store.part import Part
from gpen_fast.store.transfer import DownloadProgress, ExpectedFile, RetryPolicy, Transfer

FileCheck = Callable[[Path, str, Source], None]
"""Called with the complete file under its partial name, its sha256 and its source; raises to refuse it."""

# Redirects that one request follows. The published addresses need one or two.
_MAX_REDIRECTS = 8


def download(
    sources: Sequence[Source],
    final: Path,
    expected: ExpectedFile,
    progress: DownloadProgress,
    retry_policy: RetryPolicy,
    check: FileCheck = lambda path, sha256, source: None,
) -> Source:
    """Downloads a file from the first source that delivers it.

    The bytes of an interrupted download stay beside `final`, and the next call continues them.

    Args:
        sources: Where the file is published, in the order in which they are tried.
        final: The path that the complete file gets. Missing folders are created.
        expected: The file's size and hash, as far as they are known.
        progress: Receives the bytes as they arrive.
        retry_policy: How often and how long a source is tried.
        check: A last check of the complete file. If it raises a GpenError, no other source is tried and the file is
            deleted.

    Returns:
        The source that delivered the file.

    Raises:
        DownloadError: No source delivered the file (the message names each and its cause), or the file cannot be
            stored on this machine.
        GpenError: `check` refused the file.
    """
    failures: list[tuple[Source, str]] = []
    part = _opened(final)
    try:
        with requests.Session() as session:
            session.max_redirects = _MAX_REDIRECTS
            session.headers["User-Agent"] = f"gpen-fast/{__version__}"
            # All sources continue the same part: with a known hash, the bytes of one complete those of another.
            for source in sources:
                try:
                    Transfer(session, source, part, expected, progress, retry_policy).run()
                except RefusedError as cause:
                    failures.append((source, str(cause)))
                    continue
                _apply(check, part, source)
                part.finish()
                return source
    except OSError as cause:
        raise _local(final, cause) from cause
    finally:
        part.close()
    raise _no_source(final, failures)


def _no_source(final: Path, failures: list[tuple[Source, str]]) -> DownloadError:
    lines = [f"  {source}: {cause}" for source, cause in failures]
    error = DownloadError("\n".join([f"no source delivered {final.name}:", *lines]))
    error.failures = tuple((str(source), cause) for source, cause in failures)
    return error


def _apply(check: FileCheck, part: Part, source: Source) -> None:
    part.flush()
    try:
        check(part.path, part.sha256, source)
    except GpenError:
        part.restart()
        raise


def _opened(final: Path) -> Part:
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        return Part(final)
    except OSError as cause:
        raise _local(final, cause) from cause


def _local(final: Path, cause: OSError) -> DownloadError:
    """A fault of this machine as a DownloadError, which is itself an OSError and stays as it is."""
    if isinstance(cause, DownloadError):
        return cause
    if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DownloadError(
            f"{final.parent}: the disk is full. Free some space, or name another folder with --weights-dir; "
            "the bytes received are kept."
        )
    what = (cause.strerror or str(cause)).lower()
    return DownloadError(f"{final.parent}: {what}. Name a writable folder with --weights-dir.")
