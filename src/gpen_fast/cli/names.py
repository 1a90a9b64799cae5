"""How file names are printed."""

from __future__ import annotations

from pathlib import Path


def shown(path: Path | str) -> str:
    """The path on one line, with every character that is not printable escaped.

    A name may hold line breaks, terminal control sequences, or bytes that are not text.
    """
    text = str(path)
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
