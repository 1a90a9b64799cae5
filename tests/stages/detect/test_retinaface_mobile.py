"""The plug-in `retinaface-mobile`: which network it opens, from which file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from detectors import opened

from gpen_fast.errors import WeightsNotFoundError
from gpen_fast.stages.detect.retina.network import build_retinaface
from gpen_fast.store import records
from gpen_fast.store.catalog import entry
from gpen_fast.store.hashes import sha256_of


def test_it_opens_the_mobilenet_with_a_threshold_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsNotFoundError, match=r"no weights for retinaface-mobilenet0\.25"):
        opened("retinaface-mobile")
    path = tmp_path / entry("retinaface-mobilenet0.25").file
    torch.save(build_retinaface("mobile0.25").state_dict(), path)
    sha256 = sha256_of(path, fresh=True).sha256
    records.accept("retinaface-mobilenet0.25", sha256, records.TRUSTED, str(path))
    detector = opened("retinaface-mobile")
    assert (detector.name, detector.weights, detector.threshold) == ("retinaface-mobile", path, 0.8)
