"""The seconds before the first picture."""

from __future__ import annotations

import logging
import re

import pytest

from gpen_fast.cli.loading import loading


def test_each_step_is_a_line_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("gpen_fast")
    before = (logger.level, list(logger.handlers))
    with loading(quiet=False):
        logging.getLogger("gpen_fast.run.runtime").info("reading %s", "w.pth")
        logging.getLogger("gpen_fast.run.runtime").debug("a detail")
        logging.getLogger("another").info("not ours")
    lines = capsys.readouterr().err.splitlines()
    assert [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in lines] == ["loading PyTorch", "reading w.pth"]
    assert (logger.level, list(logger.handlers)) == before


def test_in_a_terminal_one_line_is_replaced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with loading(quiet=False):
        logging.getLogger("gpen_fast.run.runtime").info("reading %s", "w.pth")
    said = capsys.readouterr().err
    assert "reading w.pth" in said
    assert said.endswith("\x1b[2K"), "nothing of it stays"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with loading(quiet=True):
        logging.getLogger("gpen_fast.run.runtime").info("reading")
    assert capsys.readouterr() == ("", "")
