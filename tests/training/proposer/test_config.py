"""The run's config: what the TOML file says, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.training.proposer.commands import DEFAULT
from gpen_fast.training.proposer.config import CanvasConfig, ProposerConfig, read_proposer_config


def test_the_published_run_is_readable() -> None:
    config = read_proposer_config(DEFAULT)
    assert config.network.widths == (12, 24, 48)
    assert config.canvas == CanvasConfig()


def test_what_is_not_accepted_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[canvas\] side 60: accepted are multiples of 8"):
        CanvasConfig(side=60)
    with pytest.raises(SettingsError, match="steps 0, batch 32: accepted are steps from 1 up"):
        ProposerConfig(steps=0)
    (tmp_path / "x.toml").write_text("[run]\nsteps = 1\n[canvas]\nfaces = 3\n")
    with pytest.raises(SettingsError, match=r"x\.toml: \[canvas\] faces: unknown key"):
        read_proposer_config(tmp_path / "x.toml")
