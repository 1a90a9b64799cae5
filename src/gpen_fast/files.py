"""Files that appear whole or not at all, and locks between processes: for pictures, reports, landmarks and records."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from gpen_fast.errors import FileWriteError, did_you_mean

try:
    import fcntl
except ImportError:  # Windows: there an open file cannot be removed
    fcntl = None  # type: ignore[assignment]

# The folder in which runs keep their own records beside pictures. It is never walked for inputs.
STATE_FOLDER = ".gpen-fast"
# Bytes in a file's name: the limit of ext4, XFS, APFS and NTFS (there in UTF-16 units).
LONGEST_NAME = 255
# How the names of temporary files begin and end.
_PREFIX, _END = f"{STATE_FOLDER}-", ".part"
# Seconds to wait for a lock on a small file. Its holder needs milliseconds to rewrite the file.
_LOCK_TIMEOUT_S = 10.0
# Seconds. A temporary file that is younger may not be locked by its writer yet.
_YOUNG_S = 1.0
# Seconds. Where files cannot be locked, a temporary file of this age has no writer any more.
_OLD_S = 86400.0


def write_file(
    path: Path,
    data: bytes,
    *,
    durable: bool = False,
    before: Callable[[Path], object] | None = None,
    home: Path | None = None,
) -> None:
    """Writes a file so that `path` never holds half of it.

    The bytes go to a temporary name beside `path`, which is then renamed. A file that is replaced passes its
    permissions on, and its owner where the system allows it. A symbolic link at `path` is itself replaced.

    Args:
        path: The file to write. Missing parent folders are created.
        data: The whole content.
        durable: The bytes reach the disk before the rename (fsync), so that even a power cut leaves the old file or
            the new one. It costs milliseconds: for records that cannot be made again.
        before: Called with the complete temporary file just before the rename. If it raises, `path` stays as it was.
        home: A folder above the file that must be there: only those below it are created. None: none need be there.

    Raises:
        FileWriteError: The file to be replaced is read-only.
        OSError: The file cannot be written. The temporary file is removed.
    """
    _write_atomically(path, lambda file: file.write(data), durable=durable, before=before, home=home)


def fill_file(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Lets `fill` write a file of any size, as atomically as `write_file`.

    Args:
        path: The file to write. Missing parent folders are created.
        fill: Writes into the temporary file, which it may also read and seek in.

    Raises:
        FileWriteError, OSError: As for `write_file`.
        Exception: What `fill` raises. The temporary file is removed.
    """
    _write_atomically(path, fill)


def copy_file(
    source: Path, path: Path, *, before: Callable[[Path], object] | None = None, home: Path | None = None
) -> None:
    """Copies a file's bytes and the time of its last change, as atomically as `write_file`.

    Args:
        source: The file to copy.
        path: The copy. Missing parent folders are created.
        before: As for `write_file`.
        home: As for `write_file`.

    Raises:
        FileWriteError: The file to be replaced is read-only.
        OSError: `source` cannot be read or `path` cannot be written.
    """
    with source.open("rb") as original:
        status = os.fstat(original.fileno())
        times = (status.st_atime_ns, status.st_mtime_ns)
        _write_atomically(
            path, lambda file: shutil.copyfileobj(original, file), times=times, before=before, home=home
        )


class GrowingFile:
    """A file that is written while its content comes, and that gets its name once it is complete.

    Until then its bytes are in a hidden temporary file beside it. A process that is killed leaves that one, which
    `remove_leftovers` removes.
    """

    def __init__(self, path: Path) -> None:
        """Creates the temporary file, in the folder of `path`.

        Raises:
            FileWriteError: The file to be replaced is read-only.
            OSError: No file can be created there.
        """
        _refuse_read_only(path)
        self.path = path
        self._temporary = path.parent / f"{_PREFIX}{secrets.token_hex(6)}{_END}"
        # Without a buffer: a forked child must not hold bytes that are still to be written.
        self._file = self._temporary.open("xb", buffering=0)
        _claim(self._file)

    def write(self, data: bytes) -> None:
        """Appends bytes. Raises OSError where they cannot be written, such as on a full disk."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]

    def keep(self) -> None:
        """Gives the file its name; it replaces what was there. Raises OSError where that cannot be."""
        self._file.close()
        try:
            _inherit_permissions(self.path, self._temporary)
            self._temporary.replace(self.path)
        except BaseException:  # an interrupt leaves no temporary file either
            self.discard()
            raise

    def discard(self) -> None:
        """Removes the file; what was at its path stays."""
        self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink()


def remove_leftovers(folder: Path) -> int:
    """Removes the temporary files of writers that were killed; those of living writers stay.

    Args:
        folder: Where they are searched, not below it. It need not exist.

    Returns:
        How many files were removed.
    """
    try:
        with os.scandir(folder) as entries:
            found = [
                Path(each.path)
                for each in entries
                if each.name.startswith(_PREFIX) and each.name.endswith(_END)
            ]
    except OSError:
        return 0
    removed = 0
    for path in found:
        with contextlib.suppress(OSError):  # another run has removed it, or may not be disturbed
            if _is_left(path):
                path.unlink()
                removed += 1
    return removed


def sha256_of_file(path: Path) -> str:
    """The sha256 of a file's bytes, 64 hexadecimal digits. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def nearest_file(path: Path) -> str:
    """Names the file or folder beside a missing path whose name is nearest.

    Args:
        path: What was named.

    Returns:
        A sentence with a space before it; "" if `path` exists, no name in its folder is near, or that cannot be read.
    """
    try:
        names = [] if os.path.lexists(path) else [each.name for each in path.parent.iterdir()]
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return ""
    return did_you_mean(path.name, names)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the only right, among all processes, to change the small file `path` inside the block.

    Args:
        path: The file to change. Missing parent folders are created; the lock is a hidden file beside `path`.

    Raises:
        TimeoutError: Another process holds the lock for more than 10 seconds.
        OSError: The lock file cannot be created.
    """
    from filelock import FileLock, Timeout  # not at the top: --help imports this module

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The kernel owns the lock and releases it when the process ends, even if it is killed.
        with FileLock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            yield
    except Timeout:
        raise TimeoutError(f"{path}: another process has held it for {_LOCK_TIMEOUT_S:.0f} s") from None


def _make_folders(folder: Path, home: Path | None) -> None:
    """Creates a folder with those above it; only those below `home` if there is one."""
    if home is None or home not in (folder, *folder.parents):
        folder.mkdir(parents=True, exist_ok=True)
        return
    for missing in reversed((folder, *folder.parents)):
        if home in missing.parents:
            missing.mkdir(exist_ok=True)


def _write_atomically(
    path: Path,
    fill: Callable[[BinaryIO], object],
    *,
    times: tuple[int, int] | None = None,
    durable: bool = False,
    before: Callable[[Path], object] | None = None,
    home: Path | None = None,
) -> None:
    """Lets `fill` write a temporary file and renames it to `path`. times: access and change, nanoseconds."""
    _make_folders(path.parent, home)
    # The name is short because the final one may already be as long as the file system allows, and random because a
    # killed run may have left its own temporary file behind.
    temporary = path.parent / f"{_PREFIX}{secrets.token_hex(6)}{_END}"
    try:
        with temporary.open("x+b") as file:
            _claim(file)
            fill(file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _inherit_permissions(path, temporary)
        if times:
            os.utime(temporary, ns=times)
        if before:
            before(temporary)
        temporary.replace(path)
    except BaseException:  # an interrupt leaves no temporary file either
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _claim(file: BinaryIO) -> None:
    """Locks a temporary file as long as it is open, so that no other run takes it for a leftover."""
    if fcntl:
        with contextlib.suppress(OSError):  # a file system without locks: the file's age must do
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_left(path: Path) -> bool:
    """Whether a temporary file has no writer any more."""
    status = path.stat()
    # A copy takes over the time of its source, but not the time of its own last change of status.
    age_s = time.time() - max(status.st_mtime, status.st_ctime)
    if age_s < _YOUNG_S:
        return False
    if fcntl is None:
        return True
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES) and age_s > _OLD_S
    return True


def _inherit_permissions(old: Path, new: Path) -> None:
    """Gives the file that is to replace `old` the permissions and owner of `old`."""
    if old.is_symlink() or not old.is_file():
        return
    _refuse_read_only(old)
    status = old.stat()
    new.chmod(stat.S_IMODE(status.st_mode))
    if hasattr(os, "chown"):
        with contextlib.suppress(PermissionError):
            os.chown(new, status.st_uid, status.st_gid)


def _refuse_read_only(path: Path) -> None:
    """Raises FileWriteError if a file that is to be replaced is read-only."""
    if not path.is_symlink() and path.is_file() and not path.stat().st_mode & 0o222:
        raise FileWriteError(f"{path} is read-only and not replaced. Allow writing, or name another output.")
