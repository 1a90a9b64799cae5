"""Reports, and the benchmarks' own results, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from gpen_fast.errors import InputsError, reason
from gpen_fast.files import write_file
from gpen_fast.measure.report import Report, json_text

_NO_ROWS = '"pictures": []'


def write_report(report: Report, path: Path) -> None:
    """Writes a report by the published schema (docs/report-schema.md).

    Raises:
        InputsError: The file cannot be written.
    """
    write_json(report.to_dict(), path)


def write_json(document: Mapping[str, object], path: Path) -> None:
    """Writes a document of strings, numbers, lists and dicts, whole or not at all.

    Raises:
        InputsError: The file cannot be written.
    """
    write_json_text(json_text(document), path)


def write_json_text(text: str, path: Path) -> None:
    """Writes the text of a JSON file, whole or not at all.

    Raises:
        InputsError: The file cannot be written.
    """
    try:
        write_file(path, text.encode())
    except OSError as cause:
        raise InputsError(f"--json {path}: cannot be written: {reason(cause, path)}.") from cause


def text_with_rows(document: Mapping[str, object], rows: Iterable[str]) -> str:
    """A document as the text of a JSON file, with rows that are JSON already, one to a line.

    Args:
        document: Strings, numbers, lists and dicts.
        rows: What the list `pictures` of the document holds, each as one line of JSON.
    """
    text = json_text({**document, "pictures": []})
    # In a string the quotes would be escaped, so this text can only be the key.
    head, _, tail = text.rpartition(_NO_ROWS)
    listed = ",\n".join(f"    {row}" for row in rows)
    return f'{head}"pictures": [\n{listed}\n  ]{tail}' if listed else text
