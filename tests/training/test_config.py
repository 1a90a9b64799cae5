"""One TOML file describes a run, and a wrong value in it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import SettingsError
from gpen_fast.training.__main__ import DEFAULT
from gpen_fast.training.config import RestorationConfig, read_restoration_config

NETWORK = "[network]\nsize = 32\nstyle_dim = 16\nn_mlp = 2\nwidths = [8, 8, 8, 8]\n"


def read(tmp_path: Path, text: str) -> RestorationConfig:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return read_restoration_config(path)


def test_the_published_run_can_be_read() -> None:
    config = read_restoration_config(DEFAULT).network
    assert config.size == 256
    assert config.sides[-1] == 256


def test_reads_every_table(tmp_path: Path) -> None:
    text = (
        NETWORK
        + "[run]\nsteps = 9\n[loss]\nscales = 1\n[damage]\nfactor = [2.0, 3.0]\n[variety]\ngrey = 1.0\n"
    )
    config = read(tmp_path, text + "[adversary]\nstart = 5\n[optimiser]\nrate = 0.5\n")
    assert (config.steps, config.loss.scales, config.damage.factor) == (9, 1, (2.0, 3.0))
    assert (config.variety.grey, config.optimiser.rate, config.adversarial) == (1.0, 0.5, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[run]\nsteps = 9\n[los]\nscales = 1\n",
            r"unknown table \[los\]: accepted are run, network, optimiser",
        ),
        ("[run]\nsteps = 9\nspeed = 1\n", r"\[run\] speed: unknown key. Accepted are .*steps"),
        ("[run]\nsteps = 0\n", "steps 0, batch 8: accepted are 1 and up"),
        ("[run]\nbatch = 2\n", r"\[run\]: .*'steps'"),
        (
            "[run]\nsteps = 9\nprecision = 'fp16'\n",
            "precision 'fp16': accepted for training are fp32 and bf16",
        ),
        ("[run]\nsteps = 9\n[optimiser]\ncooling = 0\n", "cooling 0: accepted is above 0"),
        ("steps =\n", "run.toml: Invalid value"),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(tmp_path, NETWORK + text if text.startswith("[") else text)
