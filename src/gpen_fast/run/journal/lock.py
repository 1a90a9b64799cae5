"""The right to write into a folder of results, held by one run at a time. Imports no torch."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock, Timeout

from gpen_fast.errors import InputsError, reason
from gpen_fast.files import STATE_FOLDER

_LOCK = "run.lock"


class RunLock:
    """Held from the plan to the end of a run. The kernel frees it when the process ends, even if it is killed."""

    def __init__(self, home: Path) -> None:
        """Takes nothing yet. home: the folder of the results."""
        self._home = home
        self._lock: FileLock | None = None

    @property
    def held(self) -> bool:
        """Whether this run has the folder to itself."""
        return self._lock is not None

    def take(self) -> str:
        """Takes the lock, unless it is held by this run already.

        Returns:
            "" once it is held; else why this place has no locks: the run goes on without.

        Raises:
            InputsError: Another run holds it.
        """
        if self._lock:
            return ""
        path = self._home / STATE_FOLDER / _LOCK
        lock = FileLock(path, timeout=0, thread_local=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise InputsError(
                f"{self._home}: another run of gpen-fast writes into this folder. "
                "Wait until it has ended, or name another output."
            ) from None
        except NotImplementedError:  # filelock raises it where the file system has no locks
            return "the file system has no locks"
        except OSError as error:
            return reason(error, path)
        self._lock = lock
        return ""

    def free(self) -> None:
        """Frees the lock, and removes the folder of records if the run left nothing in it."""
        if self._lock:
            self._lock.release()
            self._lock = None
            folder = self._home / STATE_FOLDER
            if not any(name.name != _LOCK for name in folder.glob("*")):
                with contextlib.suppress(OSError):
                    (folder / _LOCK).unlink(missing_ok=True)
                    folder.rmdir()
