"""A file that plays at its own speed."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pytest

from gpen_fast.video.live.file_source import FileSource


def test_frames_arrive_when_their_time_has_come(clip: Path) -> None:
    begun = time.perf_counter()
    source = FileSource(clip, paced=True)
    arrivals = []
    for arrival in source:
        assert time.perf_counter() >= arrival.arrived
        arrivals.append(arrival)
    assert time.perf_counter() - begun >= 19 * 0.04
    gaps = [later.arrived - one.arrived for one, later in itertools.pairwise(arrivals)]
    assert gaps == pytest.approx([0.04] * 19, abs=1e-6)
    assert source.lost == ""


def test_a_caller_that_comes_late_gets_frames_that_arrived_before(clip: Path) -> None:
    arrivals = iter(FileSource(clip, paced=True))
    first = next(arrivals)
    time.sleep(0.3)
    second = next(arrivals)
    assert second.arrived - first.arrived == pytest.approx(0.04)


def test_closing_ends_it_from_another_thread_and_before_it_begins(clip: Path) -> None:
    source = FileSource(clip, paced=True)
    threading.Timer(0.2, source.close).start()
    assert 0 < len(list(source)) < 20
    assert source.lost == ""
    closed = FileSource(clip, paced=True)
    closed.close()
    assert list(closed) == []


def test_a_file_that_is_cut_off_says_so(clip: Path, tmp_path: Path) -> None:
    whole = FileSource(clip, paced=False)
    cut = tmp_path / "cut.ts"
    from gpen_fast.video.live.sink import open_sink

    sink = open_sink(str(cut.with_suffix(".mkv")), whole.facts)
    for number in range(10):
        for arrival in FileSource(clip, paced=False):
            sink.put(arrival.decoded.frame, number * 0.8 + arrival.decoded.index * 0.04)
    sink.close()
    data = cut.with_suffix(".mkv").read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(data[: len(data) // 2])
    source = FileSource(cut, paced=False)
    assert 0 < len(list(source)) < 200
    assert "the file ends early" in source.lost
