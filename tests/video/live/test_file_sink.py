"""Recordings: times kept, whole after close, readable after a kill, closed when the disk is full."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.file_sink import FileSink
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.reader import VideoReader

TIMES = list(itertools.accumulate([0.0, *(0.02 + 0.017 * (number % 5) for number in range(19))]))


def recorded(clip: Path, out: Path, times: list[float] = TIMES) -> Path:
    source = FileSource(clip, paced=False)
    sink = FileSink(str(out), source.facts)
    for arrival, seconds in zip(source, times, strict=True):
        sink.put(arrival.decoded.frame, seconds)
    sink.close()
    sink.close()
    return out


def times_of(path: Path) -> list[float]:
    with VideoReader(path) as reader:
        return [float(each.pts * reader.facts.time_base) for each in reader.frames()]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".ts"])
def test_each_frame_is_shown_at_its_time(clip: Path, tmp_path: Path, suffix: str) -> None:
    got = times_of(recorded(clip, tmp_path / f"out{suffix}"))
    assert [each - got[0] for each in got] == pytest.approx(TIMES, abs=0.0006)


def test_a_closed_mp4_knows_its_length(clip: Path, tmp_path: Path) -> None:
    with VideoReader(recorded(clip, tmp_path / "out.mp4")) as reader:
        assert reader.facts.frames == 20
        assert reader.facts.seconds == pytest.approx(TIMES[-1] + 0.04, abs=0.1)


def test_times_that_do_not_increase_are_moved(clip: Path, tmp_path: Path) -> None:
    got = times_of(recorded(clip, tmp_path / "out.mkv", [0.5] * 20))
    assert got == sorted(set(got)) and len(got) == 20


def test_odd_sides_and_ten_bits_are_kept(clip: Path, tmp_path: Path) -> None:
    facts = FileSource(clip, paced=False).facts
    for layout, sides, expected in (
        ("yuv420p10le", (160, 90), "yuv420p10le"),
        ("yuv420p", (161, 91), "yuv444p"),
        ("gbrp", (160, 90), "yuv420p"),
    ):
        wanted = replace(facts, pixel_format=layout, width=sides[0], height=sides[1])
        out = tmp_path / f"{layout}-{sides[0]}.mp4"
        sink = FileSink(str(out), wanted)
        import av
        import numpy as np

        made = av.VideoFrame.from_ndarray(np.full((sides[1], sides[0], 3), 90, np.uint8), format="rgb24")
        sink.put(made.reformat(format=layout), 0.0)
        sink.close()
        with VideoReader(out) as reader:
            assert reader.facts.pixel_format == expected
            assert (reader.facts.width, reader.facts.height) == sides


def test_what_is_in_the_way(clip: Path, tmp_path: Path) -> None:
    facts = FileSource(clip, paced=False).facts
    (tmp_path / "there.mp4").write_bytes(b"old")
    with pytest.raises(VideoError, match="exists, and a recording is not replaced"):
        FileSink(str(tmp_path / "there.mp4"), facts)
    with pytest.raises(VideoError, match=r"the folder .* does not exist"):
        FileSink(str(tmp_path / "absent" / "a.mp4"), facts)
    with pytest.raises(VideoError, match=r"ends in \.mp4, .*Did you mean '\.mkv'"):
        FileSink("a.mkw", facts)


def test_closing_without_a_frame_leaves_no_file(clip: Path, tmp_path: Path) -> None:
    FileSink(str(tmp_path / "none.mp4"), FileSource(clip, paced=False).facts).close()
    assert list(tmp_path.iterdir()) == []


RECORD = """
import sys, time, resource, signal
from pathlib import Path
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.file_sink import FileSink
clip, out, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
frames = [each.decoded.frame for each in FileSource(clip, paced=False)]
sink = FileSink(out, FileSource(clip, paced=False).facts)
try:
    for number in range(500):
        sink.put(frames[number % 20].reformat(format="yuv420p", width=160, height=90), number / 25)
        if number == 99:
            print("100 frames", flush=True)
            if not limit:
                time.sleep(60)
except Exception as error:
    sink.close()
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_recording_is_readable_after_a_kill(clip: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    command = [sys.executable, "-c", RECORD, str(clip), str(out), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "100 frames\n"
        process.send_signal(signal.SIGKILL)
    got = times_of(out)
    assert 100 - 13 <= len(got) <= 100, "half a second at most is lost"
    assert got == pytest.approx([number / 25 for number in range(len(got))], abs=0.001)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_is_told_and_what_was_written_can_be_played(
    clip: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"out{suffix}"
    command = [sys.executable, "-c", RECORD, str(clip), str(out), "60000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "the disk is full. What was written before is kept and can be played." in done.stdout, done
    assert len(times_of(out)) > 10
