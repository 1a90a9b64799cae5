"""What the user asked `profile` for, as its measurements take it. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gpen_fast.cli.flags import ProfileOptions
from gpen_fast.settings import Settings


@dataclass(frozen=True)
class ProfileRequest:
    """The pictures and the flags of one call."""

    images: Sequence[Path]
    """Files."""

    settings: Settings
    """How they are restored."""

    options: ProfileOptions
    """How it is measured."""
