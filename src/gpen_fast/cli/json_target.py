"""Where `--json` writes: a file, or standard output, which then holds nothing else. Imports no torch."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TextIO

import typer

from gpen_fast.cli.side_files import side_file

STANDARD_OUTPUT = "-"
JSON_HELP = "Write what is printed, and more, to this file as JSON; - writes it to standard output."
JsonFile = Annotated[str | None, typer.Option("--json", metavar="FILE", help=JSON_HELP)]


@dataclass(frozen=True)
class JsonTarget:
    """Where the JSON of a command goes."""

    path: Path | None = None
    """The file, links followed."""

    stream: TextIO | None = None
    """Standard output as it was when the command began."""

    @property
    def wanted(self) -> bool:
        """Whether --json was given."""
        return bool(self.path or self.stream)

    @contextlib.contextmanager
    def words_elsewhere(self) -> Iterator[None]:
        """While the block runs, what is printed goes to standard error if the JSON goes to standard output."""
        with contextlib.redirect_stdout(sys.stderr) if self.stream else contextlib.nullcontext():
            yield

    def write(self, document: Mapping[str, object], rows: Iterable[str] | None = None) -> None:
        """Writes the document, if --json was given.

        Args:
            document: Strings, numbers, lists and dicts, by the schema of docs/report-schema.md.
            rows: What its list `pictures` holds, each as one line of JSON; None where the document has them itself.

        Raises:
            InputsError: The file cannot be written.
        """
        if not self.wanted:
            return
        from gpen_fast.measure.export.json import text_with_rows, write_json_text
        from gpen_fast.measure.report import json_text

        text = json_text(document) if rows is None else text_with_rows(document, rows)
        if self.path:
            write_json_text(text, self.path)
        elif self.stream:
            self.stream.write(text)
            self.stream.flush()


def json_target(name: str | None) -> JsonTarget:
    """Where `--json` writes.

    Args:
        name: The value of the flag: a file's name, - for standard output, None without the flag.

    Raises:
        InputsError: The file cannot be one: see `side_file`.
    """
    if name == STANDARD_OUTPUT:
        return JsonTarget(stream=sys.stdout)
    return JsonTarget(path=None if name is None else side_file("--json", Path(name)))
