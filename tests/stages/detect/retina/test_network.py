"""facexlib's networks: files that do not hold one, and the precision that they run in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from detectors import CPU

from gpen_fast.errors import CheckpointError, PluginError
from gpen_fast.stages.detect.retina.network import build_retinaface, open_retinaface, runs_in_half


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(CheckpointError, match=r"weights\.pth: cannot be read as RetinaFace mobile0\.25"):
        open_retinaface("mobile0.25", path, CPU, half=False)
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="cannot be read as RetinaFace resnet50"):
        open_retinaface("resnet50", path, CPU, half=False)


def test_broken_facexlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "facexlib.detection.retinaface", None)
    with pytest.raises(
        PluginError, match=r"pip install --force-reinstall facexlib; or --detector yunet or lite"
    ):
        build_retinaface("mobile0.25")


def test_fp16_only_on_cuda_and_only_where_no_other_precision_is_named() -> None:
    cuda = torch.device("cuda")
    assert runs_in_half("auto", cuda)
    assert runs_in_half("half", cuda)
    assert not runs_in_half("fp32", cuda)
    assert not runs_in_half("auto", CPU)
