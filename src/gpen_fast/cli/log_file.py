"""`--log`: a file with a line for each input, written when the input has come to its end. Imports no torch."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from gpen_fast.cli.names import shown
from gpen_fast.errors import InputsError, SettingsError, reason

if TYPE_CHECKING:
    from gpen_fast.measure.report_rows import PictureRow

LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = get_args(LogFormat)
_WHY = {"skipped": " (done already)", "ignored": " (no picture)", "not_done": " (not done)"}


class LogFile:
    """Adds lines to the end of a file. Each is written at once and whole, so a run that is killed leaves whole lines.

    A line that cannot be written does not end the run: one note says so, and nothing more is logged.
    """

    def __init__(self, path: Path, format: LogFormat) -> None:
        """Opens the file.

        Raises:
            InputsError: It cannot be opened.
        """
        self._path = path
        self._format = format
        self._broken = False
        try:
            # Without a buffer, a line is one system call.
            self._file = path.open("ab+", buffering=0)
            self._mend_last_line()
        except OSError as cause:
            raise InputsError(f"--log {path}: cannot be written: {reason(cause, path)}.") from cause

    def add(self, row: PictureRow) -> None:
        """Adds the line of one input."""
        now = datetime.now().astimezone()
        if self._format == "json":
            self._write(json.dumps({"time": now.isoformat(timespec="milliseconds"), **asdict(row)}))
        else:
            self._write(f"{now:%Y-%m-%d %H:%M:%S} {row_text(row)}")

    def remark(self, text: str) -> None:
        """Adds a line about the run itself, as a comment; only to text: every line of a JSON log is one input's."""
        if self._format == "text":
            self._write(f"# {datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}")

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, line: str) -> None:
        if self._broken:
            return
        try:
            self._file.write(f"{line}\n".encode())
        except OSError as cause:
            self._broken = True
            why = reason(cause, self._path)
            print(
                f"note: --log {shown(self._path)}: {why}. The run goes on without it.",
                file=sys.stderr,
            )

    def _mend_last_line(self) -> None:
        """Ends a line that a full disk cut short in an earlier run."""
        if self._file.seek(0, 2):
            self._file.seek(-1, 2)
            if self._file.read(1) != b"\n":
                self._file.write(b"\n")


def check_log(path: Path | None, format: LogFormat) -> None:
    """Raises SettingsError if the format of `--log` is unknown, or is named without a file."""
    if format not in LOG_FORMATS:
        raise SettingsError(f"log format {format!r}: accepted are {', '.join(LOG_FORMATS)}.")
    if format != "text" and path is None:
        raise SettingsError("--log-format needs --log FILE: name the file, or leave --log-format out.")


@contextlib.contextmanager
def log_file(path: Path | None, format: LogFormat) -> Iterator[LogFile | None]:
    """The log for as long as the block runs; None where none was asked for."""
    if path is None:
        yield None
        return
    log = LogFile(path, format)
    try:
        yield log
    finally:
        log.close()


def row_text(row: PictureRow) -> str:
    """One input as a line of text, its names on one line whatever they hold."""
    result = f" -> {shown(Path(row.output))}" if row.output else ""
    why = f": {row.error}" if row.error else _WHY.get(row.outcome, "")
    return "; ".join([f"{row.outcome} {shown(Path(row.input))}{result}{why}", *_details(row)])


def _details(row: PictureRow) -> Iterator[str]:
    if row.outcome == "restored":
        yield "1 face" if row.faces == 1 else f"{row.faces} faces"
    if row.faces_found and row.faces_found > row.faces:
        yield f"{row.faces_found} faces found"
    if row.times_ms:
        yield " ".join(f"{stage} {ms:.1f}" for stage, ms in row.times_ms.items()) + " ms"
    if row.note:
        yield f"note: {row.note}"
