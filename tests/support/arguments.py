"""Arguments of commands that run networks of random weights."""

from __future__ import annotations

from collections.abc import Iterable


def with_random_weights(arguments: Iterable[object]) -> list[str]:
    """Arguments of a command for a network of random weights, whose result `enhance` does not use by default."""
    told = [str(argument) for argument in arguments]
    if told[:1] == ["enhance"] and "--keep-detail" not in told:
        told[1:1] = ["--keep-detail", "0"]
    return told
