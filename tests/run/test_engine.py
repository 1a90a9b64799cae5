"""The overlapped run: order, bounds, failures and stopping."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
from helpers import write_photo
from runs import LOST, engine_of, error_of, kept, pictures, pipeline_of

from gpen_fast.errors import DeviceError, GenerateError, PictureError
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run import workers as workers_module
from gpen_fast.run.job import Pasted, PictureSource, Restored, numbered
from gpen_fast.run.runtime import Runtime
from gpen_fast.types import Face, Frame


@pytest.mark.parametrize("in_flight", [0, 1])
def test_results_come_in_input_order_and_equal_single_runs(
    runtime: Runtime, tmp_path: Path, in_flight: int
) -> None:
    paths = pictures(tmp_path, 8)
    written: list[str] = []

    def dawdle(picture: Pasted) -> Pasted:
        stem = picture.source.path.stem
        time.sleep(0.02 if stem in {"00", "03"} else 0)
        written.append(stem)
        return picture

    done = list(engine_of(runtime, in_flight).run(numbered(paths), dawdle))
    assert [picture.source.path for picture in done] == paths
    assert sorted(written) == [path.stem for path in paths]
    alone = pipeline_of(runtime)
    for picture in done:
        assert error_of(picture) is None
        assert torch.equal(picture.result.pixels, alone.restore(picture.source).result.pixels)
        assert set(picture.timing) == {"load", "crop", "generate"}


def test_results_come_in_input_order_though_the_first_is_written_last(
    runtime: Runtime, tmp_path: Path
) -> None:
    written: list[int] = []
    others_done = threading.Event()

    def write(picture: Pasted) -> int:
        index = picture.source.index
        if index == 0:
            assert others_done.wait(120)
        written.append(index)
        if len(written) == 3:
            others_done.set()
        return index

    assert list(engine_of(runtime).run(numbered(pictures(tmp_path, 4)), write)) == [0, 1, 2, 3]
    assert written == [1, 2, 3, 0]


@pytest.mark.parametrize("in_flight", [0, 1])
def test_one_bad_picture_fails_alone(runtime: Runtime, tmp_path: Path, in_flight: int) -> None:
    paths = pictures(tmp_path, 6)
    paths[0].write_bytes(b"")
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    paths[5].unlink()
    done = list(engine_of(runtime, in_flight).run(numbered(paths), kept))
    assert [type(error_of(each)) for each in done] == [
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

    def full_disk(picture: Pasted) -> Pasted:
        if picture.source.path == paths[2]:
            raise OSError(28, "No space left on device")
        return picture

    errors = [error_of(each) for each in engine_of(runtime).run(numbered(paths), full_disk)]
    assert errors[0] is None
    assert isinstance(errors[1], GenerateError)
    assert isinstance(errors[2], OSError)
    assert errors[3] is None


def test_failed_pictures_are_let_go(runtime: Runtime, tmp_path: Path) -> None:
    """An exception's traceback would hold its picture, on CUDA its device memory, until a rare collection."""
    frames = []

    def full_disk(picture: Pasted) -> None:
        held = picture.frame  # a local of a frame that the traceback keeps
        frames.append(weakref.ref(held))
        raise OSError(28, "No space left on device")

    gc.disable()
    try:
        sources = numbered(pictures(tmp_path, 6))
        errors = [error_of(each) for each in engine_of(runtime).run(sources, full_disk)]
        assert len(errors) == len(frames) == 6
        assert [frame() for frame in frames] == [None] * 6
    finally:
        gc.enable()


def test_anything_else_stops_all(runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(crops: object) -> None:
        raise RuntimeError("CUDA error: device lost")

    monkeypatch.setattr(runtime.generator, "launch_no_sync", lost)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="device lost"):
        list(engine_of(runtime).run(numbered(pictures(tmp_path, 9)), kept))
    assert threading.active_count() <= before, "threads were left behind"


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
        list(engine_of(detecting).run(numbered(pictures(tmp_path, 12)), kept))
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
        list(engine_of(detecting).run(numbered(pictures(tmp_path, 12)), kept))


def test_a_failure_of_the_device_in_a_writer_ends_the_run(runtime: Runtime, tmp_path: Path) -> None:
    engine, done = engine_of(runtime), []

    def lost(picture: Pasted) -> None:
        done.append(picture.source)
        raise RuntimeError(LOST)

    with pytest.raises(DeviceError, match="failed in save"):
        list(
            engine.run(
                numbered(pictures(tmp_path, 40)), lambda picture: engine._pipelines[0].save(picture, lost)
            )
        )
    assert len(done) < 20


def test_a_failure_of_the_device_between_stages_is_named(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(device: torch.device) -> None:
        raise RuntimeError(LOST)

    monkeypatch.setattr(workers_module, "record_event", lost)
    with pytest.raises(DeviceError, match="failed in the run"):
        list(engine_of(runtime).run(numbered(pictures(tmp_path, 3)), kept))


def test_reading_ahead_is_bounded(runtime: Runtime, tmp_path: Path) -> None:
    asked = 0

    def sources() -> Iterator[Path]:
        nonlocal asked
        for path in pictures(tmp_path, 60):
            asked += 1
            yield path

    engine = engine_of(runtime)
    run = engine.run(numbered(sources()), kept)
    next(run)
    assert asked <= 24, "twice what is read ahead, in two batches and being written"
    run.close()


@pytest.mark.parametrize("in_flight", [0, 1])
def test_pictures_in_memory_are_bounded(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    """However long the run, it holds what is read ahead, grouped, in flight and being written, and no more."""
    frames: list[weakref.ref[Frame]] = []
    load = pipeline_module.load

    def counted(*given: object, **options: object) -> Frame:
        frame = load(*given, **options)
        frames.append(weakref.ref(frame))
        return frame

    monkeypatch.setattr(pipeline_module, "load", counted)
    alive: list[int] = []
    gc.disable()
    try:
        for _ in engine_of(runtime, in_flight).run(numbered(pictures(tmp_path, 40)), lambda picture: None):
            alive.append(sum(frame() is not None for frame in frames))
    finally:
        gc.enable()
    read_ahead, grouped, written = 2 + 1, 3 * (1 + in_flight), 2 * 2 + 1
    assert len(alive) == len(frames) == 40
    assert max(alive) <= read_ahead + grouped + written
    assert alive[-1] == 0


def test_stop_finishes_what_is_in_the_network_and_takes_no_more(runtime: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 40)
    engine = engine_of(runtime, in_flight=1)
    done = []
    for picture in engine.run(numbered(paths), kept):
        done.append(picture.source.path)
        engine.stop()
    assert 1 <= len(done) < 24, "what is read ahead, in a group, in flight and being written is fewer"
    assert done == paths[: len(done)]


def test_pictures_that_are_no_files_run_too(runtime: Runtime, tmp_path: Path) -> None:
    (path,) = pictures(tmp_path, 1)
    array = pipeline_of(runtime).load(PictureSource(0, path)).frame.pixels.permute(1, 2, 0).numpy()
    one, two = engine_of(runtime).run(numbered([path, array]), kept)
    assert torch.equal(one.result.pixels, two.result.pixels)
    assert (one.source.is_file, two.source.is_file) == (True, False)
    assert two.source.path is None


def test_files_are_written_while_the_next_pictures_are_worked_on(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, worked_on = engine_of(runtime, in_flight=1), threading.Event()
    paste = engine._pipelines[0].paste

    def note(picture: Restored) -> Pasted:
        pasted = paste(picture)
        if picture.source.path.stem == "03":
            worked_on.set()
        return pasted

    def write(picture: Pasted) -> Pasted:
        assert picture.source.path.stem != "00" or worked_on.wait(120)
        return picture

    monkeypatch.setattr(engine._pipelines[0], "paste", note)
    done = engine.run(numbered(pictures(tmp_path, 8)), write)
    assert [error_of(picture) for picture in done] == [None] * 8


def test_a_file_is_made_on_a_stream_of_its_own_after_its_picture_is_done(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With streams that are names and marks that are how many pictures had been pasted."""
    engine, here, pasted = engine_of(runtime, in_flight=1), threading.local(), []
    paste = engine._pipelines[0].paste

    @contextlib.contextmanager
    def own_stream(device: torch.device, serving: str) -> Iterator[None]:
        assert serving == "the worker's"
        here.stream, here.after = "its own", None
        yield
        here.stream = None

    def write(picture: Pasted) -> None:
        assert here.stream == "its own"
        assert picture.source in pasted[: here.after]

    def noted(picture: Restored) -> Pasted:
        done = paste(picture)
        pasted.append(picture.source)
        return done

    monkeypatch.setattr(workers_module, "own_stream", own_stream)
    monkeypatch.setattr(workers_module, "worker_stream", lambda device: "the worker's")
    monkeypatch.setattr(workers_module, "record_event", lambda device: len(pasted))
    monkeypatch.setattr(workers_module, "wait_event", lambda point, device: setattr(here, "after", point))
    monkeypatch.setattr(engine._pipelines[0], "paste", noted)
    done = engine.run(numbered(pictures(tmp_path, 6)), write)
    assert [error_of(picture) for picture in done] == [None] * 6


def test_memory_of_large_pictures_is_given_back(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[bool] = []
    large: list[weakref.ref[Frame]] = []
    monkeypatch.setattr(workers_module, "_LARGE", 100 * 100)
    monkeypatch.setattr(workers_module, "give_back_freed_memory", lambda: given.append(large[0]() is None))

    def write(picture: Pasted) -> None:
        if picture.frame.width == 100:
            large.append(weakref.ref(picture.frame))

    paths = [*pictures(tmp_path, 2), write_photo(tmp_path / "large.png", height=100, width=100)]
    assert not any(error_of(each) for each in engine_of(runtime).run(numbered(paths), write))
    assert given == [True], "once, and when the picture's pixels are free"
