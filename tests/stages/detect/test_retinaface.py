"""The plug-in `retinaface`: which network it opens, from which file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from detectors import opened

from gpen_fast.errors import CheckpointError, WeightsNotFoundError
from gpen_fast.stages.detect.retina.network import build_retinaface
from gpen_fast.store import records
from gpen_fast.store.catalog import entry
from gpen_fast.store.hashes import sha256_of


def accept(name: str, folder: Path, state: object) -> Path:
    """A file of that catalogued name that the user has accepted."""
    path = folder / entry(name).file
    torch.save(state, path)
    records.accept(name, sha256_of(path, fresh=True).sha256, records.TRUSTED, str(path))
    return path


def test_it_opens_the_resnet_and_keeps_upstreams_threshold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))
    path = accept("retinaface-resnet50", tmp_path, build_retinaface("resnet50").state_dict())
    detector = opened("retinaface")
    assert (detector.name, detector.weights, detector.threshold) == ("retinaface", path, 0.9)
    assert detector.bound == 1600
    assert opened("retinaface", detect_threshold=0.3, detect_size="full").threshold == 0.3


def test_files_that_are_absent_or_of_the_other_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))
    with pytest.raises(
        WeightsNotFoundError,
        match=r"no weights for retinaface-resnet50: detection_Resnet50_Final\.pth is not in ",
    ):
        opened("retinaface")
    accept("retinaface-resnet50", tmp_path, build_retinaface("mobile0.25").state_dict())
    with pytest.raises(CheckpointError, match=r"cannot be read as RetinaFace resnet50"):
        opened("retinaface")
