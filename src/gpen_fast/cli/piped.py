"""`gpen-fast enhance a.jpg -`: the result goes to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import typer

from gpen_fast import plugins
from gpen_fast.cli.names import shown
from gpen_fast.cli.streams import write_binary
from gpen_fast.errors import FileWriteError, InputsError, SettingsError
from gpen_fast.run.walk import expanded, is_folder
from gpen_fast.settings import SAME, OutputOptions, suffix_of

_FAILED = 1


@contextlib.contextmanager
def to_standard_output(inputs: list[str], format: str | None, output: OutputOptions) -> Iterator[str]:
    """Gives the block a file to write the one result to, and writes that to standard output after it.

    While the block runs, what is printed goes to standard error.

    Args:
        inputs: What the user named before the `-`.
        format: The value of --format; None without it: PNG.
        output: The other options of the output.

    Yields:
        The file's path, in a folder of its own.

    Raises:
        InputsError: The inputs are not exactly one picture, or standard output is a terminal.
        SettingsError: Another option names files that would lie beside the result.
        typer.Exit: Standard output does not take the picture.
    """
    names = expanded(inputs, None)
    if len(names) != 1 or is_folder(names[0]):
        came = f"{names[0]} is a folder" if len(names) == 1 else f"{len(names)} were named"
        raise InputsError(f"- (standard output) takes the result of exactly one picture: {came}.")
    if output.save_faces or output.suffix:
        raise SettingsError(
            "--save-faces and --suffix need an output folder: leave them out, or name a folder."
        )
    if sys.stdout is None or sys.stdout.isatty():
        raise InputsError(
            "- (standard output) is a terminal or closed. Redirect it: gpen-fast enhance IN - > OUT"
        )
    with tempfile.TemporaryDirectory(prefix="gpen-fast-") as folder:
        target = Path(folder) / f"{names[0].stem[:64]}.{_suffix(format, names[0])}"
        with contextlib.redirect_stdout(sys.stderr):
            yield str(target)
        if target.is_file():  # there is none after --dry-run
            _write(target.read_bytes(), names[0])


def _write(data: bytes, source: Path) -> None:
    try:
        write_binary(data)
    except FileWriteError as error:
        print(f"failed {shown(source)}: {error}", file=sys.stderr)
        raise typer.Exit(_FAILED) from None


def _suffix(format: str | None, source: Path) -> str:
    if format != SAME:
        return format or "png"
    own = suffix_of(source)
    return own if own in plugins.names("save") else "png"
