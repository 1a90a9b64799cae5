"""Detectors' weights: by hash, wherever they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import CheckpointError, SettingsError, WeightsNotFoundError
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.base import pick
from gpen_fast.store import detectors
from gpen_fast.store.locate import present, required

SETTINGS = Settings()
FILE = "detection_mobilenet0.25_Final.pth"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def accept(monkeypatch: pytest.MonkeyPatch, name: str, path: Path, data: bytes = b"weights") -> None:
    """Writes a file and lets its hash be the published one."""
    import hashlib

    path.write_bytes(data)
    known = detectors.Published((path.name,), (hashlib.sha256(data).hexdigest(),))
    monkeypatch.setitem(detectors.DETECTORS, name, known)


def test_only_the_published_hash_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "retinaface-mobilenet0.25"
    assert present(name, SETTINGS) is None
    with pytest.raises(
        WeightsNotFoundError, match=rf"no weights for {name}: looked for {FILE} in .*weights pull"
    ):
        required(name, SETTINGS)
    (folder / FILE).write_bytes(b"other anchors")
    assert present(name, SETTINGS) is None
    with pytest.raises(
        CheckpointError, match=rf"{FILE}: is not the published {name}: its sha256 is .*accepted is"
    ):
        required(name, SETTINGS)
    accept(monkeypatch, name, folder / FILE)
    assert required(name, SETTINGS) == present(name, SETTINGS) == Path("weights") / FILE


def test_a_wrong_file_does_not_hide_a_right_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / FILE).write_bytes(b"other anchors")
    monkeypatch.setenv("GPEN_FAST_WEIGHTS", str(tmp_path / "first"))
    accept(monkeypatch, "retinaface-mobilenet0.25", folder / FILE)
    assert required("retinaface-mobilenet0.25", SETTINGS) == Path("weights") / FILE


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(
        SettingsError, match="detector weights 'yolo' are not known: there is retinaface-resnet50"
    ):
        present("yolo", SETTINGS)


def test_auto_takes_the_best_that_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick(SETTINGS) == "haar"
    (folder / "yolov3-tiny_face.weights").write_bytes(b"x")
    (folder / FILE).write_bytes(b"other anchors")
    assert pick(SETTINGS) == "haar", "neither an unasked-for file nor a wrong one"
    for name, file, picked in (
        ("yunet", "face_detection_yunet_2023mar.onnx", "yunet"),
        ("retinaface-mobilenet0.25", FILE, "retinaface-mobile"),
        ("retinaface-resnet50", "detection_Resnet50_Final.pth", "retinaface"),
    ):
        accept(monkeypatch, name, folder / file)
        assert pick(SETTINGS) == picked
