"""Where `--csv` and `--markdown` write: files, or standard output, which then holds nothing else. Imports no torch."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gpen_fast.cli.flags import RunOptions
from gpen_fast.cli.json_target import STANDARD_OUTPUT
from gpen_fast.cli.side_files import SideFlag, side_file
from gpen_fast.errors import InputsError, SettingsError, reason
from gpen_fast.files import write_file

if TYPE_CHECKING:
    from gpen_fast.measure.report import Report

_FLAGS: dict[str, SideFlag] = {"csv": "--csv", "markdown": "--markdown"}


@dataclass(frozen=True)
class TableTargets:
    """Where the tables of a command go."""

    files: dict[str, Path]
    """The files by flag, without its dashes; links are followed."""

    streams: dict[str, TextIO]
    """Standard output as it was when the command began, by the flag that names it."""

    @contextlib.contextmanager
    def words_elsewhere(self) -> Iterator[None]:
        """While the block runs, what is printed goes to standard error if a table goes to standard output."""
        with contextlib.redirect_stdout(sys.stderr) if self.streams else contextlib.nullcontext():
            yield

    def write(self, report: Report) -> None:
        """Writes the tables that were asked for.

        Raises:
            InputsError: A file cannot be written.
        """
        for flag, path in self.files.items():
            try:
                write_file(path, _exporter(flag)(report).encode())
            except OSError as cause:
                raise InputsError(f"--{flag} {path}: cannot be written: {reason(cause, path)}.") from cause
        for flag, stream in self.streams.items():
            stream.write(_exporter(flag)(report))
            stream.flush()


def table_targets(run: RunOptions) -> TableTargets:
    """Where the tables of a run go.

    Raises:
        SettingsError: Two of --json, --csv and --markdown mean standard output.
        InputsError: A file cannot be one: see `side_file`.
    """
    named = {"csv": run.csv, "markdown": run.markdown}
    to_stream = [flag for flag, name in {"json": run.json_file, **named}.items() if name == STANDARD_OUTPUT]
    if len(to_stream) > 1:
        raise SettingsError(
            f"--{to_stream[0]} - and --{to_stream[1]} - both mean standard output: name a file for one of them."
        )
    return TableTargets(
        {
            flag: side_file(_FLAGS[flag], Path(name))
            for flag, name in named.items()
            if name is not None and name != STANDARD_OUTPUT
        },
        {flag: sys.stdout for flag, name in named.items() if name == STANDARD_OUTPUT},
    )


def _exporter(flag: str) -> Callable[[Report], str]:
    if flag == "csv":
        from gpen_fast.measure.export.csv import report_csv

        return report_csv
    from gpen_fast.measure.export.markdown import report_markdown

    return report_markdown
