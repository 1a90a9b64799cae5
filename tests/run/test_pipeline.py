"""The verbs, one picture after another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import EXAMPLES, write_photo
from runs import engine_of, error_of, kept, pictures, pipeline_of

from gpen_fast.detections.cache import DetectionCache, DetectionWriter
from gpen_fast.errors import GenerateError, PictureError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run.job import Detected, Failed, Loaded, PictureSource, numbered
from gpen_fast.run.pipeline import Pipeline
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import DetectOptions, LoadOptions, Settings
from gpen_fast.types import Frame

PORTRAIT = EXAMPLES / "astronaut.png"


@pytest.fixture(scope="module")
def haar(tiny_weights: Path) -> Runtime:
    """A detector on the host."""
    # The result of a network with random weights resembles no face: by default it would not be used.
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", keep_detail=0.0)
    )


def test_a_portrait_passes_every_stage(haar: Runtime) -> None:
    pipeline = pipeline_of(haar)
    picture = pipeline.restore(PictureSource(0, PORTRAIT))
    assert list(picture.timing) == ["load", "detect", "align", "crop", "generate", "paste"]
    assert len(picture.faces) == len(picture.crops) == len(picture.restored) == 1
    assert picture.result.pixels.shape == picture.frame.pixels.shape
    assert not torch.equal(picture.result.pixels, picture.frame.pixels)
    written, times = pipeline.save(picture, lambda given: given.source.index)
    assert (written, [*times]) == (0, [*picture.timing, "save"])
    assert {stage: series.count for stage, series in pipeline.clock.recorder.series.items()} == dict.fromkeys(
        [*picture.timing, "save"], 1
    )


def test_an_aligned_picture_has_no_detect_align_and_paste(runtime: Runtime, tmp_path: Path) -> None:
    picture = pipeline_of(runtime).restore(PictureSource(0, write_photo(tmp_path / "a.png")))
    assert list(picture.timing) == ["load", "crop", "generate"]
    assert len(picture.faces) == 1


def test_a_picture_without_faces_needs_no_network(
    haar: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haar.generator, "launch_no_sync", lambda crops: pytest.fail("the network was called"))
    picture = pipeline_of(haar).restore(PictureSource(0, write_photo(tmp_path / "meadow.png")))
    assert picture.faces == ()
    assert picture.restored_faces() == ()
    assert picture.result is picture.frame
    assert "generate" not in picture.timing


def test_errors_of_one_picture_are_raised(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(PictureError):
        pipeline_of(runtime).restore(PictureSource(0, tmp_path / "text.png"))
    monkeypatch.setattr(runtime.generator, "settle", lambda launched: [GenerateError("no finite face")])
    with pytest.raises(GenerateError, match="no finite face"):
        pipeline_of(runtime).restore(PictureSource(0, write_photo(tmp_path / "a.png")))


def test_a_batchs_time_is_shared_among_its_faces(runtime: Runtime, tmp_path: Path) -> None:
    pipeline = pipeline_of(runtime)
    cropped = [
        pipeline.crop(pipeline.detect_early(pipeline.load(source)))
        for source in numbered(pictures(tmp_path, 3))
    ]
    restored = pipeline.settle(pipeline.launch(cropped))
    series = pipeline.clock.recorder.series["generate"]
    assert (series.count, series.items) == (1, 3)
    assert [picture.timing["generate"] for picture in restored] == [pytest.approx(series.host.first / 3)] * 3


def test_one_invalid_face_fails_its_picture_only(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, settle = pipeline_of(runtime), runtime.generator.settle
    monkeypatch.setattr(
        runtime.generator, "settle", lambda launched: [settle(launched)[0], GenerateError("no finite face")]
    )
    cropped = [
        pipeline.crop(pipeline.detect_early(pipeline.load(source)))
        for source in numbered(pictures(tmp_path, 2))
    ]
    good, bad = pipeline.settle(pipeline.launch(cropped))
    assert len(good.restored) == 1
    assert isinstance(bad, Failed)
    assert list(bad.timing) == ["load", "crop", "generate"]


@pytest.mark.parametrize("verb", ["launch_no_sync", "settle"])
def test_a_call_that_fails_is_not_counted(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    class Event:
        def record(self) -> None: ...
        def query(self) -> bool:
            return True

        def synchronize(self) -> None: ...
        def elapsed_time(self, end: Event) -> float:
            return 1.0

    def fails(*given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    made: list[Event] = []
    clock = Clock(Recorder(), make_event=lambda: made.append(Event()) or made[-1])
    monkeypatch.setattr(runtime.generator, verb, fails)
    for source in numbered(pictures(tmp_path, 3)):
        with pytest.raises(torch.OutOfMemoryError):
            Pipeline(runtime, clock).restore(source)
    assert clock.recorder.series["generate"].count == 0
    assert len(made) == 2, "the events of a failed call are used again"


def test_known_faces_are_not_detected_again(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, found = write_photo(tmp_path / "a.png"), tmp_path / "faces.jsonl"
    writer = DetectionWriter.open(found)
    first = Pipeline(detecting, Clock(Recorder()), writer).restore(PictureSource(0, path))
    writer.write()
    monkeypatch.setattr(detecting.detector, "many", lambda frames: pytest.fail("the picture was searched"))
    known = replace(detecting, detection_cache=DetectionCache(found, DetectOptions()))
    pipeline = pipeline_of(known)
    assert isinstance(pipeline.detect_early(pipeline.load(PictureSource(0, path))), Detected)
    again = pipeline.restore(PictureSource(0, path))
    assert "detect" not in again.timing
    assert [face.box for face in again.faces] == [face.box for face in first.faces]
    assert torch.equal(again.result.pixels, first.result.pixels)


def test_faces_are_kept_whole_whatever_is_restored(detecting: Runtime, tmp_path: Path) -> None:
    settings = replace(detecting.settings, detect=DetectOptions(detector="haar", min_face=1000))
    writer = DetectionWriter.open(tmp_path / "faces.jsonl")
    pipeline = Pipeline(replace(detecting, settings=settings), Clock(Recorder()), writer)
    assert pipeline.restore(PictureSource(0, write_photo(tmp_path / "a.png"))).faces == ()
    (entry,) = writer.entries.values()
    assert len(entry.found.faces) == 1
    assert entry.file == "a.png"


def test_faces_over_the_largest_size_are_left_alone_with_a_note(haar: Runtime) -> None:
    settings = replace(haar.settings, detect=DetectOptions(detector="haar", max_face=20))
    picture = pipeline_of(replace(haar, settings=settings)).restore(PictureSource(0, PORTRAIT))
    assert picture.faces == ()
    assert "larger than --max-face 20 pixels and left alone." in picture.picture.note


@pytest.mark.parametrize("detector", ["haar", "none"])
def test_a_network_that_resembles_no_face_leaves_the_picture(tiny_weights: Path, detector: str) -> None:
    results = {}
    for keep in (0.0, 1.0):
        settings = Settings.from_flat(
            weights=str(tiny_weights), detector=detector, precision="fp32", keep_detail=keep
        )
        results[keep] = pipeline_of(load_runtime(settings)).restore(PictureSource(0, PORTRAIT))
    assert results[0.0].use is None
    assert results[1.0].use is not None
    assert results[1.0].use.kept() == (1, 1)
    if detector == "haar":
        assert results[1.0].result is results[1.0].frame, "nothing is pasted"
    else:
        assert torch.equal(results[1.0].result.pixels, results[1.0].crops.pixels[0])
        assert torch.equal(results[0.0].result.pixels, results[0.0].restored[0])


def test_only_a_detector_on_the_host_detects_early(haar: Runtime, detecting: Runtime, tmp_path: Path) -> None:
    path = write_photo(tmp_path / "a.png")
    for runtime, wanted in ((haar, Detected), (detecting, Loaded)):
        pipeline = pipeline_of(runtime)
        assert type(pipeline.detect_early(pipeline.load(PictureSource(0, path)))) is wanted


@pytest.mark.parametrize("asked", [False, True])
def test_the_gpu_decodes_only_where_that_was_asked_for(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    """Aligned faces too."""
    seen: list[bool] = []
    load = pipeline_module.load

    def note(*given: object, gpu_decode: bool, **options: object) -> Frame:
        seen.append(gpu_decode)
        return load(*given, gpu_decode=gpu_decode, **options)

    monkeypatch.setattr(pipeline_module, "load", note)
    runtime = replace(runtime, settings=replace(runtime.settings, load=LoadOptions(gpu_decode=asked)))
    assert runtime.settings.aligned
    done = engine_of(runtime).run(numbered(pictures(tmp_path, 2)), kept)
    assert not any(error_of(picture) for picture in done)
    assert seen == [asked, asked]


def test_strength_is_the_share_of_the_restoration(haar: Runtime) -> None:
    settings = replace(haar.settings, paste=replace(haar.settings.paste, strength=0.0))
    picture = pipeline_of(replace(haar, settings=settings)).restore(PictureSource(0, PORTRAIT))
    assert len(picture.restored) == 1
    assert np.array_equal(picture.result.pixels.numpy(), picture.frame.pixels.numpy())
