"""A run's timeline, read back: every stage of every picture, in threads and in processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers import write_photo
from runs import BatchDetector
from small_runs import Silent, slowed, small_plan
from timelines import ReadTimeline

from gpen_fast.files import GrowingFile
from gpen_fast.measure.export.trace import Timeline
from gpen_fast.measure.report import Report
from gpen_fast.run import enhance as enhance_module
from gpen_fast.run import pipeline as pipeline_module
from gpen_fast.run.enhance import Watchers, run_enhance
from gpen_fast.run.plan import Plan
from gpen_fast.run.profile_run import profile_pictures
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.tracing import counters_on
from gpen_fast.settings import STAGES, OutputOptions


@pytest.fixture(params=[1, 2], ids=["threads", "processes"])
def lanes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(enhance_module, "lanes_for", lambda runtime, pictures: request.param)
    return request.param


@contextmanager
def traced(path: Path, names: list[Path]) -> Iterator[Timeline]:
    file = GrowingFile(path)
    timeline = Timeline(file, lambda index: names[index].name, {})
    try:
        yield timeline
    finally:
        timeline.close()
        file.keep()


def run_traced(runtime: Runtime, work: Plan, folder: Path, *beside: Runtime) -> tuple[Report, ReadTimeline]:
    with traced(folder / "t.json", [item.source for item in work.todo]) as timeline:
        watchers = Watchers(timeline=timeline)
        report = run_enhance(runtime, work, OutputOptions(), Silent(), beside=beside, watchers=watchers)
    return report, ReadTimeline(folder / "t.json")


def test_every_stage_of_every_picture_is_there_and_lanes_do_not_overlap(
    detecting: Runtime, tmp_path: Path, lanes: int
) -> None:
    work = small_plan(tmp_path, 11)
    began = time.perf_counter()
    report, read = run_traced(detecting, work, tmp_path)
    lasted_us = 1e6 * (time.perf_counter() - began)
    assert read.stages() == {item.source.name: set(STAGES) for item in work.todo}
    assert read.overlaps() == []
    assert max(each.end for each in read.slices("stage")) < lasted_us
    by_stage = {stage: [each for each in read.slices("stage") if each.name == stage] for stage in STAGES}
    for row in report.stages:
        calls = by_stage[row.name]
        assert sum(each.about.get("part", "1 of").startswith("1 of") for each in calls) == row.count  # type: ignore[attr-defined]
        # Both are in the report: what is drawn is what was counted.
        assert sum(each.end - each.start for each in calls) / 1e3 == pytest.approx(row.total_ms, abs=0.01)
    processes = {process for process, _ in read.lanes}
    assert processes == ({"gpen-fast"} if lanes == 1 else {"cpu:0", "cpu:1"})
    kinds = {lane.split()[0] for _, lane in read.lanes}
    assert kinds == {"reader", "worker", "writer"}
    counters = read.counters()
    assert max(counters["under way pictures"]) > 0
    assert counters["under way pictures"][-1] == counters["waiting results"][-1] == 0
    assert min(counters["memory host, MiB"]) > 50
    if lanes == 2:
        assert min(counters["memory of processes cpu:1, MiB"]) > 20


def test_a_batch_names_the_pictures_of_its_faces(runtime: Runtime, tmp_path: Path) -> None:
    _, read = run_traced(runtime, small_plan(tmp_path, 7), tmp_path)
    calls = [each for each in read.slices("stage") if each.name == "generate"]
    named = [name for each in calls if each.about["part"] == "1 of 2" for name in each.pictures]
    assert sorted(named) == [f"{number:02d}.png" for number in range(7)]
    assert max(len(each.pictures) for each in calls) > 1
    assert all(each.about["faces"] == len(each.pictures) for each in calls)


@pytest.mark.parametrize(("part", "told"), [("load", "waits for reading"), ("save", "waits for writing")])
def test_the_worker_is_seen_to_wait_for_the_slow_part(
    runtime: Runtime, tmp_path: Path, lanes: int, part: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if part == "load":
        monkeypatch.setattr(pipeline_module, "load", slowed(pipeline_module.load))
    else:
        monkeypatch.setattr(enhance_module.Sink, "__call__", slowed(enhance_module.Sink.__call__))
    report, read = run_traced(runtime, small_plan(tmp_path, 12), tmp_path)
    waited = [each for each in read.slices("wait") if each.name == told]
    assert read.overlaps() == []
    (idle,) = report.idle
    # In seconds, of all workers: what is drawn is what was counted.
    counted = idle.causes[part] * report.wall_ms.mean / 1e3 * lanes
    assert counted > 0.3
    assert sum(each.end - each.start for each in waited) / 1e6 > 0.8 * counted
    last = read.counters()[f"idle time of the network so far {part}, %"][-1]
    assert last == pytest.approx(100 * idle.causes[part], abs=5), "the last sample is nearly the report's"


def test_what_failed_is_marked_and_the_rest_is_there(detecting: Runtime, tmp_path: Path, lanes: int) -> None:
    work = small_plan(tmp_path, 6)
    work.todo[2].source.write_text("no picture")
    report, read = run_traced(detecting, work, tmp_path)
    assert report.outcomes["failed"] == 1
    (mark,) = [event for event in read.events if event["ph"] == "i"]
    assert mark["args"]["picture"].endswith("02.png")
    assert "not a picture" in mark["args"]["error"]
    assert read.stages().keys() == {f"{number:02d}.png" for number in (0, 1, 3, 4, 5)}


def test_an_error_that_ends_the_run_leaves_what_was_traced(
    detecting: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(self: BatchDetector, frames: list[object]) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(BatchDetector, "many", lost)
    with pytest.raises(RuntimeError, match="CUDA error"):
        run_traced(detecting, small_plan(tmp_path, 6), tmp_path)
    read = ReadTimeline(tmp_path / "t.json")
    assert {each.name for each in read.slices("stage")} == {"load"}


def test_profile_shows_its_runs_around_their_stages(detecting: Runtime, tmp_path: Path) -> None:
    class Runs:
        def ran(self, number: int, ms: float) -> None:
            """Not shown."""

        def failed(self, path: Path, why: str) -> None:
            """Not shown."""

    paths = [write_photo(tmp_path / f"{name}.png", seed=ord(name)) for name in "ab"]
    with traced(tmp_path / "t.json", paths) as timeline:
        profile_pictures(
            detecting, paths, runs=2, warmup=1, target_fps=30.0, progress=Runs(), timeline=timeline
        )
    read = ReadTimeline(tmp_path / "t.json")
    assert read.overlaps() == []
    assert [each.name for each in read.slices("run")] == [
        *["first run"] * 2, *["warm-up 1"] * 2, *["run 1"] * 2, *["run 2"] * 2,
    ]  # fmt: skip
    assert read.stages() == {"a.png": set(STAGES), "b.png": set(STAGES)}
    assert "memory host, MiB" in read.counters()


def test_counters_are_sampled_at_start_and_end_and_in_between(tmp_path: Path) -> None:
    values = iter(range(1000))
    with traced(tmp_path / "t.json", []) as timeline, counters_on(
        timeline, [lambda: {"n": {"x": next(values)}}]
    ):  # fmt: skip
        time.sleep(0.35)
    seen = ReadTimeline(tmp_path / "t.json").counters()["n x"]
    assert seen == list(range(len(seen)))
    assert 4 <= len(seen) <= 6
