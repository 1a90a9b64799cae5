"""The lines that say what a measurement of rows ran on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import report_of
from rich.console import Console

from gpen_fast.cli.what_ran import print_network
from gpen_fast.measure.report_parts import BetterChoice, WeightsFile


def printed(capsys: pytest.CaptureFixture[str], **changed: object) -> str:
    print_network(Console(width=200), replace(report_of(), **changed))
    return capsys.readouterr().out


def test_device_and_network_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    report = report_of()
    told = printed(capsys, face_size=256)
    assert report.device is not None
    assert told.startswith(f"{report.device.name} | {report.setting('model')}\n")


def test_what_limits_the_figures_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(
        capsys,
        weights=[WeightsFile("gpen-bfr-512", None, random=True)],
        network_note="it cleans.",
        better=[BetterChoice("model", "a", "get it"), BetterChoice("detector", "b", "get that")],
    )
    for line in (
        "random weights: timing only",
        "it cleans.",
        "a better model: get it",
        "a better detector: get that",
    ):
        assert f"\n{line}\n" in told
