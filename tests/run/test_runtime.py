"""Settings made real, and what is refused before the first picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import BACKEND, write_photo
from safetensors.torch import load_file, save_file

from gpen_fast.detections.cache import DetectionWriter
from gpen_fast.errors import CheckpointError, DeviceError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import PictureSource
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import load_runtime
from gpen_fast.settings import Settings
from gpen_fast.stages.detect.lazy import LazyDetector


def settings(weights: Path, **others: object) -> Settings:
    return Settings.from_flat(
        **{"weights": str(weights), "detector": "haar", "precision": "fp32", "device": "cpu"} | others
    )


def test_what_runs_is_known_before_the_first_picture(tiny_weights: Path) -> None:
    runtime = load_runtime(settings(tiny_weights, batch_size=5))
    assert (runtime.device.type, runtime.precision.name, runtime.detector.name) == ("cpu", "fp32", "haar")
    assert (runtime.size, runtime.generator.batch_size) == (64, 5)
    assert runtime.weights.path == tiny_weights
    assert runtime.load_ms is not None
    assert runtime.load_ms > 0
    assert runtime.detection_cache is None


def test_random_weights_have_no_load_time() -> None:
    runtime = load_runtime(Settings.from_flat(weights="random:gpen-bfr-256", detector="none", device="cpu"))
    assert runtime.load_ms is None
    assert (runtime.model, runtime.size, runtime.generator.backend.name) == ("gpen-bfr-256", 256, BACKEND)


@pytest.mark.parametrize(
    ("declared", "named", "wanted"),
    [(None, None, "gpen"), ("ffhq", None, "ffhq"), ("ffhq", "gpen", "gpen"), (None, "ffhq", "ffhq")],
)
def test_the_template_is_the_named_one_then_the_files_own_then_gpens(
    tiny_weights: Path, tmp_path: Path, declared: str | None, named: str | None, wanted: str
) -> None:
    path = tmp_path / "w.safetensors"
    save_file(load_file(tiny_weights), path, metadata={"template": declared} if declared else None)
    assert load_runtime(settings(path, template=named)).template == wanted


def test_weights_of_another_model_than_the_named_one_are_refused(tiny_weights: Path) -> None:
    with pytest.raises(CheckpointError, match=r"tiny\.safetensors holds .*but gpen-bfr-512 was asked for"):
        load_runtime(settings(tiny_weights, model="gpen-bfr-512"))


def test_decoding_on_the_gpu_needs_one(tiny_weights: Path) -> None:
    with pytest.raises(DeviceError, match="--gpu-decode needs CUDA, and this runs on cpu"):
        load_runtime(settings(tiny_weights, gpu_decode=True))


def test_the_detector_is_loaded_when_first_needed_where_faces_are_known(
    tiny_weights: Path, tmp_path: Path
) -> None:
    found = tmp_path / "faces.jsonl"
    writer = DetectionWriter.open(found)
    runtime = load_runtime(settings(tiny_weights))
    Pipeline(runtime, Clock(Recorder()), writer).restore(PictureSource(0, write_photo(tmp_path / "a.png")))
    writer.write()
    known = load_runtime(settings(tiny_weights, landmarks=str(found)))
    assert isinstance(known.detector, LazyDetector)
    other = load_runtime(settings(tiny_weights, landmarks=str(found), detect_size=1000))
    assert other.detection_cache is not None
    assert not isinstance(other.detector, LazyDetector), "no entry is of use: every picture is searched"
