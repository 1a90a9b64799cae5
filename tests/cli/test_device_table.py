"""The devices of a run, and what the network waited for, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import report_of
from rich.console import Console

from gpen_fast.cli.device_table import device_table, idle_sentence
from gpen_fast.measure.report_rows import DeviceRow, IdleRow


def test_one_row_for_each_device(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [DeviceRow("cpu:0", 612, 700, 0.968), DeviceRow("cpu:1", 588, 650, 0.5)]
    Console(width=80, highlight=False).print(device_table(replace(report_of(), devices=rows)))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["device", "pictures", "faces", "busy"],
        ["cpu:0", "612", "700", "97%"],
        ["cpu:1", "588", "650", "50%"],
    ]


def test_what_the_network_waited_for_and_what_would_help() -> None:
    row = IdleRow("network", 0.41, {"detect": 0.36, "load": 0.045, "paste": 0.005})
    assert idle_sentence(row) == (
        "the network ran 59% of the wall time; meanwhile: 36% detect, 4% reading "
        "(--detect-device, --landmarks or a lighter --detector would help)"
    )
    assert idle_sentence(IdleRow("network", 0.5, {"save": 0.5})).endswith(
        "50% writing (--png-level fast, --format jpg or a faster disk would help)"
    )
    assert idle_sentence(IdleRow("network", 0.08, {"load": 0.08})) == (
        "the network ran 92% of the wall time; meanwhile: 8% reading"
    )
    assert idle_sentence(IdleRow("network", 0.0, {})) == "the network ran 100% of the wall time"
