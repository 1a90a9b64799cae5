"""One file from several sources, never half or wrong under its name."""

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
from gpen_fast.store.transfer import DownloadProgress, RetryPolicy, Transfer, Wanted


def download(
    sources: Sequence[Source],
    final: Path,
    wanted: Wanted,
    progress: DownloadProgress,
    retry_policy: RetryPolicy,
    check: Callable[[Path, str, Source], None] = lambda path, sha256, source: None,
) -> Source:
    """Fetches `final` from the first source that gives it, and returns that source.

    check: called with the complete file, still under its partial name, its sha256 and source; a GpenError that it
    raises ends all, and the file is dropped.
    What came of an incomplete file stays beside it and is continued the next time. Raises DownloadError with every
    source and why it failed, or with what is wrong on this machine.
    """
    failures: list[tuple[Source, str]] = []
    part = _opened(final)
    try:
        with requests.Session() as session:
            session.max_redirects = 8
            session.headers["User-Agent"] = f"gpen-fast/{__version__}"
            for source in sources:
                try:
                    Transfer(session, source, part, wanted, progress, retry_policy).run()
                except RefusedError as cause:
                    failures.append((source, str(cause)))
                    continue
                _checked(part, source, check)
                part.finish()
                return source
    except OSError as cause:
        raise _local(final, cause) from cause
    finally:
        part.close()
    error = DownloadError(f"no source gave {final.name}:\n" + "\n".join(map(_line, failures)))
    error.failures = tuple((str(source), cause) for source, cause in failures)
    raise error


def _line(failure: tuple[Source, str]) -> str:
    return f"  {failure[0]}: {failure[1]}"


def _checked(part: Part, source: Source, check: Callable[[Path, str, Source], None]) -> None:
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


def _local(final: Path, cause: OSError) -> Exception:
    """What is wrong on this machine; DownloadError is an OSError, and stays as it is."""
    if isinstance(cause, DownloadError):
        return cause
    if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DownloadError(
            f"{final.parent}: the disk is full. Free some space, or name another folder with --weights-dir; "
            "what came so far is kept."
        )
    what = (cause.strerror or str(cause)).lower()
    return DownloadError(f"{final.parent}: {what}. Name a folder that can be written with --weights-dir.")
