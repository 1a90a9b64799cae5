"""Ends a run once where no result can be written any more: the disk is full, or the output folder is gone."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from gpen_fast.errors import OutputError
from gpen_fast.run.job import Finished, Pasted

# What the system says where no further file can be written, and the words for it.
FULL_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system has become read-only",
}
_REMOVED = "the output folder was removed during the run. Run the same command again."
_KEPT = "What is finished is kept; the same command continues after it."


class OutputGuard:
    """Wraps what writes results: once one meets a full disk, the others are not tried. Several threads may use it."""

    def __init__(
        self,
        write: Callable[[Pasted], Finished],
        target_of: Callable[[Pasted], Path],
        home_of: Callable[[Path], Path | None],
    ) -> None:
        """Writes nothing yet.

        Args:
            write: Writes a restored picture.
            target_of: The file that a picture becomes.
            home_of: The output folder of a result, which was there when the run began; None where that is not known.
        """
        self._write = write
        self._target_of = target_of
        self._home_of = home_of
        self.ended: tuple[Path, str] | None = None
        """The folder and the sentence that ended the run; None while results can be written."""

    def __call__(self, picture: Pasted) -> Finished:
        """Writes the picture.

        Raises:
            OutputError: No result can be written any more.
            Exception: What `write` raises for this picture alone.
        """
        if self.ended:
            raise OutputError(self.ended[1])
        target = self._target_of(picture)
        home = self._home_of(target)
        if home is not None and not home.is_dir():
            raise self._end(home, _REMOVED)
        try:
            return self._write(picture)
        except OSError as error:
            if home is not None and not home.is_dir():
                raise self._end(home, _REMOVED) from error
            if error.errno not in FULL_DISK:
                raise
            folder = home or target.parent
            raise self._end(folder, f"{FULL_DISK[error.errno]}: no more results fit. {_KEPT}") from error

    def _end(self, folder: Path, sentence: str) -> OutputError:
        if self.ended is None:
            self.ended = (folder, sentence)
        return OutputError(sentence)
