"""What an error says in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from gpen_fast.errors import (
    CheckpointError,
    PictureError,
    did_you_mean,
    first_line,
    kind_and_line,
    reason,
    summary,
)
from gpen_fast.stages.detect.retina.network import open_retinaface


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("one\ntwo", "one"), ("\n\n  two \nthree", "two"), ("", "ValueError"), (" \n ", "ValueError")],
)
def test_first_line_is_never_empty(text: str, wanted: str) -> None:
    assert first_line(ValueError(text)) == wanted


def test_kind_is_said_once() -> None:
    assert kind_and_line(ValueError("odd\nmore")) == "ValueError: odd"
    assert kind_and_line(MemoryError()) == "MemoryError"
    assert summary(MemoryError()) == reason(MemoryError(), Path("a.jpg")) == "MemoryError"
    assert summary(PictureError("no room\nmore")) == reason(PictureError("no room\n"), Path("a")) == "no room"


def test_checkpoint_whose_error_has_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **options: object) -> None:
        raise EOFError

    monkeypatch.setattr(torch, "load", fails)
    with pytest.raises(CheckpointError, match=r"cannot be read as RetinaFace mobile0\.25 \(EOFError\)"):
        open_retinaface("mobile0.25", tmp_path / "weights.pth", torch.device("cpu"), half=False)


def test_the_nearest_name_is_offered_and_a_far_one_is_not() -> None:
    assert did_you_mean("gpen-bfr-521", ["gpen-bfr-512", "gpen-lite-256"]) == " Did you mean 'gpen-bfr-512'?"
    assert did_you_mean("x", ["gpen-bfr-512"]) == ""
    assert did_you_mean("x", []) == ""


def test_a_result_that_cannot_be_written_is_told_by_its_folder() -> None:
    error = PermissionError(13, "Permission denied", "out/locked/.gpen-fast-a0f1.part")
    assert reason(error, Path("in/a.jpg")) == "permission denied (out/locked)"
