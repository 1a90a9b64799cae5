"""What `auto` takes: the best detector whose weights are there and are the right ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from detectors import opened

from gpen_fast import plugins
from gpen_fast.errors import HashError
from gpen_fast.settings import WeightsOptions
from gpen_fast.stages.detect.base import is_fallback, passed_over, pick_detector
from gpen_fast.stages.detect.lazy import NOT_NEEDED
from gpen_fast.store import locate
from gpen_fast.store.catalog import entry

WEIGHTS = WeightsOptions()
BEST_LAST = (
    ("yunet", "yunet"),
    ("retinaface-mobilenet0.25", "retinaface-mobile"),
    ("retinaface-resnet50", "retinaface"),
)


def test_the_best_that_is_there(published_by_name: Path) -> None:
    assert pick_detector(WEIGHTS) == "lite"
    for weights, detector in BEST_LAST:
        (published_by_name / entry(weights).file).write_text(weights)
        assert pick_detector(WEIGHTS) == detector


def test_not_one_that_was_not_asked_for(published_by_name: Path) -> None:
    (published_by_name / entry("yoloface").file).write_text("yoloface")
    assert pick_detector(WEIGHTS) == "lite"


@pytest.mark.parametrize("weights", [weights for weights, _ in BEST_LAST])
def test_wrong_file_is_not_passed_over_in_silence(published_by_name: Path, weights: str) -> None:
    path = published_by_name / entry(weights).file
    path.write_text("other anchors")
    with pytest.raises(
        HashError, match=rf"is not the expected {weights} .*pull {weights} --again.*--detector lite\."
    ):
        pick_detector(WEIGHTS)


def test_damaged_file_of_the_package_is_mended_by_pip(
    published_by_name: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / entry("landmarks-lite").file).write_text("torn")
    monkeypatch.setattr(locate, "shipped", lambda name: tmp_path / name)
    with pytest.raises(HashError, match=r"is not used\. It is part of .*--force-reinstall gpen-fast\n"):
        opened("lite")
    assert pick_detector(WEIGHTS) == "haar"
    assert list(passed_over(WEIGHTS, "haar")) == ["landmarks-lite"]


def test_wrong_file_keeps_no_right_one_from_being_used(published_by_name: Path) -> None:
    (published_by_name / entry("retinaface-resnet50").file).write_text("other anchors")
    (published_by_name / entry("yunet").file).write_text("yunet")
    assert pick_detector(WEIGHTS) == "yunet"


def test_wrong_files_of_better_detectors_are_named(published_by_name: Path) -> None:
    wrong = published_by_name / entry("retinaface-resnet50").file
    wrong.write_text("other anchors")
    (published_by_name / entry("yunet").file).write_text("other anchors")
    assert passed_over(WEIGHTS, "yunet") == {"retinaface-resnet50": wrong}
    assert passed_over(WEIGHTS, "retinaface") == {}
    assert passed_over(WEIGHTS, NOT_NEEDED) == {}


def test_without_the_embedded_network_the_cascade_alone(
    without_embedded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # away from ./weights
    assert pick_detector(WEIGHTS) == "haar"


def test_a_better_one_than_a_fallback_may_be_downloaded() -> None:
    assert [name for name in (*plugins.names("detect"), NOT_NEEDED) if is_fallback(name)] == ["lite", "haar"]
