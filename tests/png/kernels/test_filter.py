"""Scanlines are filtered as torch operations filter them, in any strides, depth and number of channels."""

from __future__ import annotations


def test_filtered_rows_lengths_and_channels(failures_of: dict[str, str]) -> None:
    assert failures_of["filter"] == ""
