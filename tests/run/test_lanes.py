"""Processes on a CPU's cores: the same results as one process, and what happens when one of them dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lane_runs import NoAside, lanes_of, saved
from runs import error_of, pictures, pipeline_of

from gpen_fast.errors import PictureError
from gpen_fast.run import lanes as lanes_module
from gpen_fast.run.job import Finished, Pasted, PictureSource, numbered
from gpen_fast.run.lanes import lanes_for
from gpen_fast.run.runtime import Runtime
from gpen_fast.settings import GenerateOptions

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="several processes on a CPU need fork")


def test_results_are_those_of_one_process_in_input_order(runtime: Runtime, tmp_path: Path) -> None:
    paths, out = pictures(tmp_path, 21), tmp_path / "out"
    out.mkdir()
    aside = NoAside()
    lanes = lanes_of(runtime, saved(out), aside=aside)
    done = list(lanes.run(numbered(paths)))
    assert [each.source.path for each in done] == paths
    assert [error_of(each) for each in done] == [None] * 21
    assert len(set(aside.processes)) == 2
    assert os.getpid() not in aside.processes
    assert sum(member.pictures for member in lanes.members) == 21
    assert all(member.pictures > 0 and member.worked_ns > 0 for member in lanes.members)
    alone = pipeline_of(runtime)
    for each in done:
        wanted = alone.restore(each.source).result.pixels.numpy().astype(int)
        raw = torch.frombuffer(bytearray((out / f"{each.source.index}.bin").read_bytes()), dtype=torch.uint8)
        assert abs(raw.reshape(wanted.shape).numpy().astype(int) - wanted).max() <= 1
    assert multiprocessing.active_children() == []


def test_a_bad_picture_fails_alone_with_its_own_error(runtime: Runtime, tmp_path: Path) -> None:
    paths = pictures(tmp_path, 9)
    paths[2].write_bytes(b"")
    paths[5].unlink()
    settled = tmp_path / "settled"
    settled.mkdir()
    lanes = lanes_of(runtime, saved(tmp_path), settle=lambda each: (settled / str(each.source.index)).touch())
    errors = [error_of(each) for each in lanes.run(numbered(paths))]
    assert [type(error) for error in errors] == [
        *[type(None)] * 2, PictureError, *[type(None)] * 2, FileNotFoundError, *[type(None)] * 3,
    ]  # fmt: skip
    assert str(errors[2]) == "the file is empty."
    assert sorted(path.name for path in settled.iterdir()) == ["2", "5"]


def test_a_process_that_is_killed_is_replaced_and_nothing_is_lost(runtime: Runtime, tmp_path: Path) -> None:
    once, write = tmp_path / "once", saved(tmp_path)

    def dies_once(picture: Pasted) -> Finished:
        if picture.source.index == 4 and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return write(picture)

    done = list(lanes_of(runtime, dies_once).run(numbered(pictures(tmp_path, 20))))
    assert [each.source.index for each in done] == list(range(20))
    assert [error_of(each) for each in done] == [None] * 20
    assert once.exists()
    assert multiprocessing.active_children() == []


def test_a_picture_that_kills_its_process_twice_fails_alone(runtime: Runtime, tmp_path: Path) -> None:
    write = saved(tmp_path)

    def dies(picture: Pasted) -> Finished:
        if picture.source.index == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(picture)

    settled: list[int] = []
    lanes = lanes_of(runtime, dies, settle=lambda each: settled.append(each.source.index))
    errors = [error_of(each) for each in lanes.run(numbered(pictures(tmp_path, 14)))]
    assert [index for index, error in enumerate(errors) if error] == [4]
    assert str(errors[4]) == (
        "the process that restored it ended by signal 9 (SIGKILL), twice. If memory is short, try --devices cpu:1."
    )
    assert settled == [4], "in the parent: its child is dead"


def test_an_error_that_ends_the_run_ends_all_processes(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(crops: object) -> None:
        raise RuntimeError("library lost")

    monkeypatch.setattr(runtime.generator, "launch_no_sync", lost)
    with pytest.raises(RuntimeError, match="library lost"):
        list(lanes_of(runtime, saved(tmp_path)).run(numbered(pictures(tmp_path, 9))))
    assert multiprocessing.active_children() == []


def test_stop_finishes_what_the_processes_have_and_takes_no_more(runtime: Runtime, tmp_path: Path) -> None:
    stopped, done = threading.Event(), []
    for each in lanes_of(runtime, saved(tmp_path), stopped=stopped).run(numbered(pictures(tmp_path, 90))):
        done.append(each.source.index)
        stopped.set()
    assert 1 <= len(done) < 70
    assert done == list(range(len(done)))
    assert multiprocessing.active_children() == []


def test_sources_are_taken_a_few_at_a_time(runtime: Runtime, tmp_path: Path) -> None:
    (path,) = pictures(tmp_path, 1)
    taken: list[int] = []
    endless = (PictureSource(taken.append(index) or index, path) for index in range(10**9))
    run = lanes_of(runtime, saved(tmp_path)).run(endless)
    for _ in range(5):
        next(run)
    run.close()
    assert len(taken) < 100
    assert multiprocessing.active_children() == []


def test_how_many_processes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(pictures: int = 100, **options: object) -> int:
        generate = GenerateOptions(**options)
        return lanes_for(replace(runtime, settings=replace(runtime.settings, generate=generate)), pictures)

    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert chosen() == 6
    assert chosen(3) == 1, "one after the other on all cores"
    assert chosen(5) == 5
    assert chosen(devices="cpu:3") == 3
    assert chosen(deterministic=True) == 1, "as many threads as always"
    assert chosen(deterministic=True, devices="cpu:2") == 2
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert chosen() == 16
    monkeypatch.setattr(lanes_module, "can_fork", lambda: False)
    assert chosen() == 1
