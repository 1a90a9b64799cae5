"""Names of files as they are printed."""

from __future__ import annotations

from pathlib import Path


def shown(path: Path) -> str:
    """The path on one line: what is no text, and what would move a terminal's cursor, made visible."""
    text = str(path)
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
