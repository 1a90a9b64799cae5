"""Standard streams that cannot end a run: closed ones lead nowhere, and a write that fails is remembered."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

from gpen_fast.errors import FileWriteError

_FAILED = 1


class _Tolerant(io.FileIO):
    """A stream's file that reports every write as done. After the first failure it writes nothing more."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Writes bytes; the first error is kept in `failure` instead of being raised."""
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as failure:
                self.failure = failure
        return memoryview(data).nbytes


@contextlib.contextmanager
def tolerant_streams() -> Iterator[None]:
    """Lets a run end in its own way, whatever becomes of the streams that it prints to.

    A reader that leaves (`| head -1`) changes nothing: the work goes on, unseen. If standard output cannot take what is
    printed for another reason, such as a full disk, one line on standard error says so in the end.

    Raises:
        SystemExit: 1 where the block ends well and standard output was lost.
    """
    # Else the next file that is opened would get the number of a closed stream, and its content what is printed.
    closed = [number for number in (0, 1, 2) if not _is_open(number)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _tolerant(sys.stdout, 1), _tolerant(sys.stderr, 2)
    try:
        yield
    except SystemExit as end:
        if not end.code:
            _end_well()
        raise
    else:
        _end_well()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def write_binary(data: bytes) -> None:
    """Writes bytes to standard output, whole.

    Raises:
        FileWriteError: They cannot be written, or their reader has left.
    """
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
    failure = _failure_of(sys.stdout)
    if failure:
        raise FileWriteError(f"standard output: {_words(failure)}. The picture is not written.")


def _end_well() -> None:
    sys.stdout.flush()
    failure = _failure_of(sys.stdout)
    if failure and failure.errno != errno.EPIPE:
        print(
            f"error: standard output: {_words(failure)}. What was printed there is incomplete.",
            file=sys.stderr,
        )
        raise SystemExit(_FAILED)


def _tolerant(stream: IO[str] | None, number: int) -> Any:
    """The same stream on a tolerant file; itself where it is no plain file descriptor, as under a test."""
    if stream is None:  # it was closed when the interpreter started
        return io.TextIOWrapper(io.BufferedWriter(_Tolerant(number, "w", closefd=False)), "utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    raw = getattr(
        stream.buffer, "raw", stream.buffer
    )  # with PYTHONUNBUFFERED there is no buffer between them
    if not isinstance(raw, io.FileIO):
        # Printing a file name that is not valid text must not end the run.
        stream.reconfigure(errors="backslashreplace")
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Tolerant(raw.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _failure_of(stream: Any) -> OSError | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.failure if isinstance(raw, _Tolerant) else None


def _words(failure: OSError) -> str:
    return (failure.strerror or str(failure)).lower()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
