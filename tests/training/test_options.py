"""Both trainings take the same options, and refuse the same values."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gpen_fast.training.__main__ import app


@pytest.mark.parametrize("network", [[], ["landmarks"]])
def test_train_takes_data_out_config_processes_and_device(network: list[str]) -> None:
    told = CliRunner().invoke(app, [*network, "train", "--help"], env={"COLUMNS": "200"}).output
    for name in ("--data", "--out", "--config", "--processes", "--device"):
        assert name in told, name


@pytest.mark.parametrize("network", [[], ["landmarks"]])
def test_fewer_processes_than_one_are_refused(network: list[str]) -> None:
    ran = CliRunner().invoke(
        app, [*network, "train", "--data", "d", "--out", "o", "--processes", "0"], env={"COLUMNS": "200"}
    )
    assert ran.exit_code == 2
    assert "Invalid value for '--processes'" in ran.output
