"""Rows of pictures, kept small until their report is written."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator

from gpen_fast.measure.report_rows import PictureRow


class RowStore:
    """Keeps rows compressed in memory: some 50 bytes a picture, 5 MB for a run of 100,000.

    A temporary file would be smaller still, and a full disk would end the run.
    """

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        # Level 1: rows are alike, so that higher levels gain little.
        self._packed = gzip.GzipFile(fileobj=self._bytes, mode="wb", compresslevel=1)

    def add(self, row: PictureRow) -> None:
        """Keeps one more row."""
        self._packed.write(f"{row.as_line()}\n".encode())

    def lines(self) -> Iterator[str]:
        """Every row as one line of JSON, in the order in which they were added. No row can be added after this."""
        self._packed.close()
        self._bytes.seek(0)
        with gzip.GzipFile(fileobj=self._bytes, mode="rb") as unpacked:
            for line in unpacked:
                yield line.decode().rstrip("\n")
