"""One device's work: what shares a call, and what is tried alone."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from helpers import write_photo
from PIL import Image
from runs import ReadyPictures, engine_of, error_of, kept, pictures, pipeline_of

from gpen_fast.errors import GenerateError
from gpen_fast.run import workers as workers_module
from gpen_fast.run.job import PictureSource, numbered
from gpen_fast.run.runtime import Runtime, load_runtime
from gpen_fast.run.workers import Read, Worker
from gpen_fast.settings import Settings
from gpen_fast.types import Face, Frame


def test_faces_of_many_pictures_share_a_batch(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    launch = runtime.generator.launch_no_sync
    monkeypatch.setattr(
        runtime.generator, "launch_no_sync", lambda crops: sizes.append(len(crops)) or launch(crops)
    )
    list(engine_of(runtime).run(numbered(pictures(tmp_path, 7)), kept))
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("in_flight", [0, 1])
def test_the_next_call_is_queued_before_the_one_in_flight_is_waited_for(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_flight: int
) -> None:
    steps: list[str] = []
    launch, settle = runtime.generator.launch_no_sync, runtime.generator.settle
    monkeypatch.setattr(
        runtime.generator, "launch_no_sync", lambda crops: steps.append("launch") or launch(crops)
    )
    monkeypatch.setattr(
        runtime.generator, "settle", lambda launched: steps.append("settle") or settle(launched)
    )
    worker = Worker(pipeline_of(runtime), most_in_flight=in_flight)
    read = [worker.read(source) for source in numbered(pictures(tmp_path, 9))]
    assert len(list(worker.work(ReadyPictures(read)))) == 9
    overlapped = ["launch", "launch", "settle", "launch", "settle", "settle"]
    assert steps == (overlapped if in_flight else ["launch", "settle"] * 3)


@pytest.mark.parametrize("in_flight", [0, 1])
def test_batch_that_does_not_fit_is_tried_picture_by_picture(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_flight: int
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
    done = list(engine_of(runtime, in_flight).run(numbered(paths), kept))
    assert [type(error_of(picture)) for picture in done] == [type(None)] * 4 + [GenerateError] + [
        type(None)
    ] * 2


def test_batch_that_fails_when_it_is_waited_for_is_tried_picture_by_picture(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = runtime.generator.settle

    def little_memory(launched: object) -> object:
        if len(launched.crops) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return settle(launched)

    monkeypatch.setattr(runtime.generator, "settle", little_memory)
    done = list(engine_of(runtime, 1).run(numbered(pictures(tmp_path, 4)), kept))
    assert [len(picture.restored) for picture in done] == [1] * 4


def test_pictures_without_faces_do_not_wait_for_ever(tiny_weights: Path, tmp_path: Path) -> None:
    runtime = load_runtime(
        Settings.from_flat(weights=str(tiny_weights), detector="haar", precision="fp32", batch_size=50)
    )
    for i in range(20):
        write_photo(tmp_path / f"{i:02d}.png", height=40, width=40, seed=i)
    done = list(engine_of(runtime).run(numbered(sorted(tmp_path.iterdir())), kept))
    assert len(done) == 20
    assert all(picture.faces == () and picture.result is not None for picture in done)


def test_pictures_share_a_detectors_call(detecting: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 10)
    engine = engine_of(detecting)
    done = list(engine.run(numbered(paths), kept))
    assert [picture.source.path for picture in done] == paths
    assert detecting.detector.calls == [4, 4, 2]
    assert all(len(picture.restored) == 1 and picture.timing["detect"] > 0 for picture in done)
    assert engine._pipelines[0].clock.recorder.series["detect"].items == 10


def test_picture_that_cannot_be_searched_fails_alone(detecting: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 6)
    write_photo(paths[2], width=50)
    paths[4].write_bytes(b"")
    errors = [error_of(each) for each in engine_of(detecting).run(numbered(paths), kept)]
    assert [str(error) if error else "" for error in errors] == [
        "",
        "",
        "no room",
        "",
        "the file is empty.",
        "",
    ]


def test_no_memory_to_search_many_pictures_is_no_failure_of_any(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = detecting.detector.many

    def little_memory(frames: Sequence[Frame]) -> list[list[Face]]:
        if len(frames) > 1:
            raise RuntimeError("CUDA error: out of memory")
        return many(frames)

    monkeypatch.setattr(detecting.detector, "many", little_memory)
    done = engine_of(detecting).run(numbered(pictures(tmp_path, 6)), kept)
    assert [error_of(each) for each in done] == [None] * 6


def test_few_large_pictures_wait_for_a_detectors_call(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "_MOST_PIXELS_IN_GROUP", 60 * 80 * 2)
    list(engine_of(detecting).run(numbered(pictures(tmp_path, 4)), kept))
    assert detecting.detector.calls == [2, 2]


def test_a_parcel_is_taken_once(runtime: Runtime, tmp_path: Path) -> None:
    worker = Worker(pipeline_of(runtime))
    (parcel,) = worker.work(ReadyPictures(worker.read(each) for each in numbered(pictures(tmp_path, 1))))
    assert parcel.index == parcel.take().source.index == 0
    with pytest.raises(IndexError):
        parcel.take()


@pytest.mark.parametrize("in_flight", [0, 1])
def test_a_picture_is_free_as_soon_as_it_is_handed_on(
    runtime: Runtime, tmp_path: Path, in_flight: int
) -> None:
    """Neither the worker's variables nor its group or batch hold what a writer has dealt with."""
    worker, frames = Worker(pipeline_of(runtime), most_in_flight=in_flight), []

    def read(source: PictureSource) -> Read:
        picture = worker.read(source)
        frames.append(weakref.ref(picture.frame))
        return picture

    gc.disable()
    try:
        for parcel in worker.work(ReadyPictures(map(read, numbered(pictures(tmp_path, 9))))):
            assert parcel.take().source.index == parcel.index
            assert not any(frame() for frame in frames[: parcel.index + 1])
    finally:
        gc.enable()
    assert len(frames) == 9
