"""Shares as they are typed: 10% or 0.1. Imports no torch."""

from __future__ import annotations

from gpen_fast.errors import SettingsError


def share_of(flag: str, text: str) -> float:
    """A share above 0, from a percentage or a decimal fraction.

    Args:
        flag: The flag that took it, for the message.
        text: Such as `10%` or `0.1`.

    Raises:
        SettingsError: The text is neither. A whole number without % is refused: 10 may mean either.
    """
    number, percent, rest = text.strip().partition("%")
    try:
        share = float(number) / (100 if percent else 1)
    except ValueError:
        share = 0.0
    if rest or not 0 < share < (float("inf") if percent else 1):
        raise SettingsError(
            f"{flag} {text}: accepted are a percentage such as 10%, or a fraction such as 0.1."
        )
    return share
