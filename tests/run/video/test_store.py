"""Segments beside an output: what an earlier run left is used if it is whole and of the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpen_fast.errors import InputsError
from gpen_fast.run.video.store import SegmentStore
from gpen_fast.video.segment import EncodedPacket, EncodedSegment, FrameTime


def segment(first: int, count: int = 3) -> EncodedSegment:
    times = tuple(FrameTime(10 * (first + at), 10) for at in range(count))
    return EncodedSegment(
        first, times, tuple(EncodedPacket(b"x" * 9, at, at == 0) for at in range(count)), {"faces": 1}
    )


def filled(target: Path, *firsts: int) -> SegmentStore:
    store = SegmentStore(target)
    with store.opened({"a": 1}):
        for first in firsts:
            store.add(segment(first))
    return store


def reopened(target: Path, key: dict[str, object] | None = None, *, afresh: bool = False) -> tuple[int, bool]:
    store = SegmentStore(target)
    with store.opened(key or {"a": 1}, afresh=afresh):
        return store.frames, store.is_complete


def test_whole_segments_are_found_again_and_read_in_order(tmp_path: Path) -> None:
    filled(tmp_path / "o.mp4", 0, 3, 6)
    store = SegmentStore(tmp_path / "o.mp4")
    with store.opened({"a": 1}):
        assert [each.first for each in store.segments] == [0, 3, 6]
        assert [each.first for each in store.read()] == [0, 3, 6]
        assert (store.segments[0].begin, store.segments[-1].end) == (0, 90)
        assert not store.is_complete
        store.complete()
    assert reopened(tmp_path / "o.mp4") == (9, True)


def test_other_settings_or_a_wish_begin_afresh(tmp_path: Path) -> None:
    target = tmp_path / "o.mp4"
    filled(target, 0, 3).complete()
    assert reopened(target) == (6, True)
    assert reopened(target, {"a": 2}) == (0, False)
    filled(target, 0, 3)
    assert reopened(target, afresh=True) == (0, False)


def test_a_damaged_segment_ends_what_is_used(tmp_path: Path) -> None:
    store = filled(tmp_path / "o.mp4", 0, 3, 6)
    store.complete()
    store.segments[1].path.write_bytes(store.segments[1].path.read_bytes()[:-3])
    assert reopened(tmp_path / "o.mp4") == (3, False)
    assert len(list(store.folder.glob("*.segment"))) == 1


def test_two_runs_do_not_write_one_output(tmp_path: Path) -> None:
    one, two = SegmentStore(tmp_path / "o.mp4"), SegmentStore(tmp_path / "o.mp4")
    with (
        one.opened({}),
        pytest.raises(InputsError, match="another run of gpen-fast writes it"),
        two.opened({}),
    ):
        pass


def test_nothing_is_left_when_the_output_is_written(tmp_path: Path) -> None:
    store = filled(tmp_path / "o.mp4", 0)
    store.remove()
    assert list(tmp_path.iterdir()) == []
