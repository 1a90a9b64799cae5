"""Small files that never appear half-written, and locks between processes."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

# Who holds a lock on a small file holds it for milliseconds.
_SMALL_LOCK_S = 10.0


def write_text(path: Path, text: str) -> None:
    """Writes a small file whole or not at all. Raises OSError."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """The block alone may change the small file `path`; its folder is made. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The lock is the kernel's: it ends with its process, however that ends.
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_SMALL_LOCK_S):
            yield
    except Timeout:
        raise TimeoutError(f"{path}: another process has held it for {_SMALL_LOCK_S:.0f} s") from None
