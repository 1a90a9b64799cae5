"""Reports, and the benchmarks' own results, as JSON files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gpen_fast.errors import InputsError, reason
from gpen_fast.files import write_file
from gpen_fast.measure.report import Report, json_text


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
    try:
        write_file(path, json_text(document).encode())
    except OSError as cause:
        raise InputsError(f"--json {path}: cannot be written: {reason(cause, path)}.") from cause
