"""The overlapped run: order, bounds, failures and stopping."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import write_photo
from PIL import Image

from gpen_fast.errors import DeviceError, GenerateError, PictureError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run import engine as engine_module
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run.engine import Engine
from gpen_fast.run.pipeline import Job, Pipeline
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.settings import LoadOptions, Settings
from gpen_fast.types import Face, Frame


@pytest.fixture
def runtime(tiny_weights: Path) -> Runtime:
    return load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="none", precision="fp32", batch_size=3)
    )


def engine_of(runtime: Runtime, flying: int = 0) -> Engine:
    engine = Engine(Pipeline(runtime, Clock(Recorder())), readers=2, writers=2)
    engine._most_flying = flying
    return engine


def pictures(folder: Path, count: int) -> list[Path]:
    return [write_photo(folder / f"{i:02d}.png", seed=i) for i in range(count)]


def nothing(job: Job) -> None: ...


@pytest.mark.parametrize("flying", [0, 1])
def test_jobs_come_in_input_order_and_equal_single_runs(
    runtime: Runtime, tmp_path: Path, flying: int
) -> None:
    paths = pictures(tmp_path, 8)

    def dawdle(job: Job) -> None:
        time.sleep(0.02 if job.source.stem in {"00", "03"} else 0)

    jobs = list(engine_of(runtime, flying).run(paths, dawdle))
    assert [job.source for job in jobs] == paths
    alone = Pipeline(runtime, Clock(Recorder()))
    for job in jobs:
        assert job.error is None
        assert torch.equal(job.result.pixels, alone.restore(job.source).result.pixels)
        assert set(job.timing) == {"load", "crop", "generate"}


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
    assert not any(job.error for job in engine_of(runtime).run(pictures(tmp_path, 2), nothing))
    assert seen == [asked, asked]


def test_memory_of_large_pictures_is_given_back(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(engine_module, "_LARGE", 100 * 100)
    monkeypatch.setattr(engine_module, "give_back_freed_memory", lambda: given.append("back"))
    paths = [*pictures(tmp_path, 2), write_photo(tmp_path / "large.png", height=100, width=100)]
    assert not any(job.error for job in engine_of(runtime).run(paths, Job.release))
    assert given == ["back"]


@pytest.mark.parametrize("flying", [0, 1])
def test_one_bad_picture_fails_alone(runtime: Runtime, tmp_path: Path, flying: int) -> None:
    paths = pictures(tmp_path, 6)
    paths[0].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    paths[5].unlink()
    jobs = list(engine_of(runtime, flying).run(paths, nothing))
    assert [type(job.error) for job in jobs] == [
        PictureError,
        *[type(None)] * 2,
        PictureError,
        type(None),
        FileNotFoundError,
    ]


def test_failing_writer_and_failing_face_stay_with_their_picture(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = pictures(tmp_path, 4)
    settle = runtime.generator.settle

    def breaks_second(launched: object) -> list[object]:
        faces = settle(launched)
        return [faces[0], GenerateError("no finite face"), *faces[2:]] if len(faces) == 3 else faces

    monkeypatch.setattr(runtime.generator, "settle", breaks_second)

    def full_disk(job: Job) -> None:
        if job.source == paths[2]:
            raise OSError(28, "No space left on device")

    errors = [job.error for job in engine_of(runtime).run(paths, full_disk)]
    assert errors[0] is None
    assert isinstance(errors[1], GenerateError)
    assert isinstance(errors[2], OSError)
    assert errors[3] is None


@pytest.mark.parametrize("flying", [0, 1])
def test_batch_that_does_not_fit_is_tried_picture_by_picture(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flying: int
) -> None:
    launch = runtime.generator.launch_no_sync

    def little_memory(crops: list[torch.Tensor]) -> object:
        if len(crops) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if crops[0].float().mean() > 200:
            raise GenerateError("not enough device memory for one face")
        return launch(crops)

    monkeypatch.setattr(runtime.generator, "launch_no_sync", little_memory)
    paths = pictures(tmp_path, 7)
    Image.new("RGB", (60, 60), (250, 240, 230)).save(paths[4])
    jobs = list(engine_of(runtime, flying).run(paths, nothing))
    assert [type(job.error) for job in jobs] == [type(None)] * 4 + [GenerateError] + [type(None)] * 2


def test_failed_pictures_are_let_go(runtime: Runtime, tmp_path: Path) -> None:
    """An exception's traceback would hold its picture, on CUDA its device memory, until a rare collection."""
    frames = []

    def full_disk(job: Job) -> None:
        held = job.frame  # a local of a frame that the traceback keeps
        frames.append(weakref.ref(held))
        raise OSError(28, "No space left on device")

    gc.disable()
    try:
        errors = [job.error for job in engine_of(runtime).run(pictures(tmp_path, 6), full_disk)]
        assert len(errors) == len(frames) == 6
        assert [frame() for frame in frames] == [None] * 6
    finally:
        gc.enable()


def test_failure_that_is_its_own_cause() -> None:
    error = ValueError("odd")
    try:
        raise error from error
    except ValueError:
        job = Job("a.png")
        job.fail(error)
    assert job.error is error
    assert error.__traceback__ is None


def test_anything_else_stops_all(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(crops: object) -> None:
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(runtime.generator, "launch_no_sync", lost)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="device lost"):
        list(engine_of(runtime).run(pictures(tmp_path, 9), nothing))
    assert threading.active_count() <= before, "threads were left behind"


def test_reading_ahead_is_bounded(runtime: Runtime, tmp_path: Path) -> None:
    asked = 0

    def sources() -> Iterator[Path]:
        nonlocal asked
        for path in pictures(tmp_path, 60):
            asked += 1
            yield path

    engine = engine_of(runtime)
    run = engine.run(sources(), nothing)
    next(run)
    assert asked <= 20
    run.close()


def test_stop_finishes_what_is_in_the_network_and_takes_no_more(runtime: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 40)
    engine = engine_of(runtime, flying=1)
    done = []
    for job in engine.run(paths, nothing):
        done.append(job.source)
        engine.stop()
    assert 1 <= len(done) < 20, "what is read ahead, in a group, in flight and being written is fewer"
    assert done == paths[: len(done)]


def test_faces_of_many_pictures_share_a_batch(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    launch = runtime.generator.launch_no_sync
    monkeypatch.setattr(
        runtime.generator, "launch_no_sync", lambda crops: sizes.append(len(crops)) or launch(crops)
    )
    list(engine_of(runtime).run(pictures(tmp_path, 7), nothing))
    assert sizes == [3, 3, 1]


def test_pictures_without_faces_do_not_wait_for_ever(tiny_weights: Path, tmp_path: Path) -> None:
    runtime = load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", batch_size=50)
    )
    for i in range(20):
        write_photo(tmp_path / f"{i:02d}.png", height=40, width=40, seed=i)
    jobs = list(engine_of(runtime).run(sorted(tmp_path.iterdir()), nothing))
    assert len(jobs) == 20
    assert all(job.faces == [] and job.result is not None for job in jobs)


class BatchDetector:
    """Finds one face in each picture, several at once, on the device's side; refuses those of one width."""

    name, on_host, threshold, bound, weights = "batch", False, 0.5, None, None
    box_points = np.full((5, 2), 0.5) + np.array(
        [[-0.2, -0.2], [0.2, -0.2], [0, 0], [-0.15, 0.2], [0.15, 0.2]]
    )
    batch_size = 4

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, frame: Frame) -> list[Face]:
        return self.many([frame])[0]

    def many(self, frames: Sequence[Frame]) -> list[list[Face]]:
        self.calls.append(len(frames))
        if any(frame.width == 50 for frame in frames):
            raise PictureError("no room")
        return [[Face((5.0, 5.0, 45.0, 45.0), 0.9)] for _ in frames]


@pytest.fixture
def detecting(tiny_weights: Path) -> Runtime:
    made = load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", batch_size=3)
    )
    return replace(made, detector=BatchDetector())


def test_pictures_share_a_detectors_call(detecting: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 10)
    engine = engine_of(detecting)
    jobs = list(engine.run(paths, nothing))
    assert [job.source for job in jobs] == paths
    assert detecting.detector.calls == [4, 4, 2]
    assert all(len(job.restored) == 1 and job.timing["detect"] > 0 for job in jobs)
    assert engine._pipeline.clock.recorder.series["detect"].items == 10


def test_picture_that_cannot_be_searched_fails_alone(detecting: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 6)
    write_photo(paths[2], width=50)
    paths[4].write_bytes(b"")
    errors = [job.error for job in engine_of(detecting).run(paths, nothing)]
    assert [str(error) if error else "" for error in errors] == [
        "",
        "",
        "no room",
        "",
        "the file is empty.",
        "",
    ]


LOST = "CUDA error: an illegal memory access was encountered\nCompile with ..."


def test_a_failure_of_the_device_in_the_detector_ends_the_run_at_once(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def lost(frames: Sequence[Frame]) -> list[list[Face]]:
        calls.append(len(frames))
        raise RuntimeError(LOST)

    monkeypatch.setattr(detecting.detector, "many", lost)
    before = threading.active_count()
    with pytest.raises(DeviceError) as told:
        list(engine_of(detecting).run(pictures(tmp_path, 12), nothing))
    assert calls == [4]
    assert str(told.value) == (
        "the GPU failed in detect (CUDA error: an illegal memory access was encountered). Try --device cpu."
    )
    assert threading.active_count() <= before, "threads were left behind"


@pytest.mark.parametrize(("stage", "verb"), [("load", "load"), ("crop", "crop"), ("paste", "paste")])
def test_a_failure_of_the_device_in_any_stage_ends_the_run(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str, verb: str
) -> None:
    def lost(*given: object, **options: object) -> None:
        # As a stage that takes every error for the picture's tells it.
        raise PictureError("damaged.") from RuntimeError(LOST)

    monkeypatch.setattr(pipeline_module, verb, lost)
    with pytest.raises(
        DeviceError, match=rf"failed in {stage} \(CUDA error: .*encountered\)\. Try --device cpu"
    ):
        list(engine_of(detecting).run(pictures(tmp_path, 12), nothing))


def test_a_failure_of_the_device_in_a_writer_ends_the_run(runtime: Runtime, tmp_path: Path) -> None:
    engine, done = engine_of(runtime), []

    def lost(job: Job) -> None:
        done.append(job.source)
        raise RuntimeError(LOST)

    with pytest.raises(DeviceError, match="failed in save"):
        list(engine.run(pictures(tmp_path, 40), lambda job: engine._pipeline.save(job, lost)))
    assert len(done) < 20


def test_a_failure_of_the_device_between_stages_is_named(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(device: torch.device) -> None:
        raise RuntimeError(LOST)

    monkeypatch.setattr(engine_module, "mark", lost)
    with pytest.raises(DeviceError, match="failed in the run"):
        list(engine_of(runtime).run(pictures(tmp_path, 3), nothing))


def test_no_memory_to_search_many_pictures_is_no_failure_of_any(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = detecting.detector.many

    def little_memory(frames: Sequence[Frame]) -> list[list[Face]]:
        if len(frames) > 1:
            raise RuntimeError("CUDA error: out of memory")
        return many(frames)

    monkeypatch.setattr(detecting.detector, "many", little_memory)
    assert [job.error for job in engine_of(detecting).run(pictures(tmp_path, 6), nothing)] == [None] * 6


def test_few_large_pictures_wait_for_a_detectors_call(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_MOST_PIXELS_IN_GROUP", 60 * 80 * 2)
    list(engine_of(detecting).run(pictures(tmp_path, 4), nothing))
    assert detecting.detector.calls == [2, 2]


def test_files_are_written_while_the_next_pictures_are_worked_on(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, worked_on = engine_of(runtime, flying=1), threading.Event()
    paste = engine._pipeline.paste

    def note(job: Job) -> None:
        paste(job)
        if job.source.stem == "03":
            worked_on.set()

    def write(job: Job) -> None:
        assert job.source.stem != "00" or worked_on.wait(120)

    monkeypatch.setattr(engine._pipeline, "paste", note)
    assert [job.error for job in engine.run(pictures(tmp_path, 8), write)] == [None] * 8


def test_a_file_is_made_on_a_stream_of_its_own_after_its_picture_is_done(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With streams that are names and marks that are how many pictures had been pasted."""
    engine, here, pasted = engine_of(runtime, flying=1), threading.local(), []
    paste = engine._pipeline.paste

    @contextlib.contextmanager
    def own_stream(device: torch.device, serving: str) -> Iterator[None]:
        assert serving == "the worker's"
        here.stream, here.after = "its own", None
        yield
        here.stream = None

    def write(job: Job) -> None:
        assert here.stream == "its own"
        assert job.source in pasted[: here.after]

    monkeypatch.setattr(engine_module, "own_stream", own_stream)
    monkeypatch.setattr(engine_module, "worker_stream", lambda device: "the worker's")
    monkeypatch.setattr(engine_module, "record_event", lambda device: len(pasted))
    monkeypatch.setattr(engine_module, "wait_event", lambda point, device: setattr(here, "after", point))
    monkeypatch.setattr(engine._pipeline, "paste", lambda job: (paste(job), pasted.append(job.source)))
    assert [job.error for job in engine.run(pictures(tmp_path, 6), write)] == [None] * 6
