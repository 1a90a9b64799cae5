"""What `auto` takes: the best detector whose weights are there and are the right ones."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from gpen_fast.errors import HashError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.base import open_detector, passed_over, pick
from gpen_fast.stages.detect.lazy import NOT_NEEDED, LazyDetector
from gpen_fast.store import locate
from gpen_fast.store.catalog import CatalogEntry, entry

SETTINGS = Settings()
CPU = torch.device("cpu")
BEST_LAST = (
    ("yunet", "yunet"),
    ("retinaface-mobilenet0.25", "retinaface-mobile"),
    ("retinaface-resnet50", "retinaface"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights are looked for here; every file that says its own name is the published one."""
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path))

    def known(name: str) -> CatalogEntry:
        found = entry(name)
        return found if found.embedded else replace(found, sha256=(sha256(name.encode()).hexdigest(),))

    monkeypatch.setattr(locate, "entry", known)
    return tmp_path


def test_the_best_that_is_there(folder: Path) -> None:
    assert pick(SETTINGS) == "lite"
    for weights, detector in BEST_LAST:
        (folder / entry(weights).file).write_text(weights)
        assert pick(SETTINGS) == detector


def test_not_one_that_was_not_asked_for(folder: Path) -> None:
    (folder / entry("yoloface").file).write_text("yoloface")
    assert pick(SETTINGS) == "lite"


@pytest.mark.parametrize("weights", [weights for weights, _ in BEST_LAST])
def test_wrong_file_is_not_passed_over_in_silence(folder: Path, weights: str) -> None:
    path = folder / entry(weights).file
    path.write_text("other anchors")
    with pytest.raises(
        HashError, match=rf"is not the expected {weights} .*pull {weights} --again.*--detector lite\."
    ):
        pick(SETTINGS)


def test_damaged_file_of_the_package_is_mended_by_pip(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / entry("landmarks-lite").file).write_text("torn")
    monkeypatch.setattr(locate, "shipped", lambda name: tmp_path / name)
    with pytest.raises(HashError, match=r"is not used\. It is part of .*--force-reinstall gpen-fast\n"):
        open_detector(Settings.from_flat(detector="lite"), CPU)
    assert pick(SETTINGS) == "haar"
    assert list(passed_over(SETTINGS, "haar")) == ["landmarks-lite"]


def test_wrong_file_keeps_no_right_one_from_being_used(folder: Path) -> None:
    (folder / entry("retinaface-resnet50").file).write_text("other anchors")
    (folder / entry("yunet").file).write_text("yunet")
    assert pick(SETTINGS) == "yunet"


def test_wrong_files_of_better_detectors_are_named(folder: Path) -> None:
    wrong = folder / entry("retinaface-resnet50").file
    wrong.write_text("other anchors")
    (folder / entry("yunet").file).write_text("other anchors")
    assert passed_over(SETTINGS, "yunet") == {"retinaface-resnet50": wrong}
    assert passed_over(SETTINGS, "retinaface") == {}
    assert passed_over(SETTINGS, NOT_NEEDED) == {}


def test_later_is_refused_at_once_for_a_wrong_file_but_not_for_none(folder: Path) -> None:
    named = Settings.from_flat(detector="retinaface")
    assert LazyDetector(named, CPU).name == NOT_NEEDED
    (folder / entry("retinaface-resnet50").file).write_text("other anchors")
    for settings in (named, SETTINGS):
        with pytest.raises(HashError, match="is not the expected retinaface-resnet50"):
            LazyDetector(settings, CPU)
    (folder / entry("yunet").file).write_text("yunet")
    assert LazyDetector(SETTINGS, CPU).name == NOT_NEEDED


def test_without_the_embedded_network_the_cascade_alone(
    without_embedded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # away from ./weights
    assert pick(SETTINGS) == "haar"
