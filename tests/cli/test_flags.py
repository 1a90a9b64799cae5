"""What a run's own flags accept, and how flags look."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gpen_fast.cli.flags import OPTION_FLAGS, OPTION_PARTS, ProfileOptions, RunOptions, Shorthands
from gpen_fast.errors import SettingsError
from gpen_fast.settings import LiveOptions, OutputOptions, VideoOptions


def test_every_look_belongs_to_an_option() -> None:
    kinds = (*OPTION_PARTS, OutputOptions, ProfileOptions, RunOptions, Shorthands, VideoOptions, LiveOptions)
    assert not OPTION_FLAGS.keys() - {field.name for kind in kinds for field in fields(kind)}


def test_a_log_format_without_a_log_is_refused() -> None:
    assert RunOptions(log=Path("a.log"), log_format="json").log_format == "json"
    with pytest.raises(SettingsError):
        RunOptions(log_format="json")
