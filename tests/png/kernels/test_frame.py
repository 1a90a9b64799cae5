"""Stored data, chunks and checksums are those of torch operations."""

from __future__ import annotations


def test_chunks_of_stored_data(failures_of: dict[str, str]) -> None:
    assert failures_of["frame"] == ""
