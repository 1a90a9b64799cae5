"""What is known between two frames, kept as bytes and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from faces_in_motion import POINTS, face_of, shown, similarity

from gpen_fast.run.video.line_state import LineState, read_state, write_state
from gpen_fast.video.cuts import thumbnail
from gpen_fast.video.fading import Visit
from gpen_fast.video.one_track import started
from gpen_fast.video.steady import FaceMemory
from gpen_fast.video.track import TrackState

CPU = torch.device("cpu")


def state() -> LineState:
    frame = shown(similarity())
    track = started(12, frame, face_of(POINTS), POINTS - 1, 1.5)
    memory = FaceMemory(torch.rand(3, 8, 8).half(), torch.rand(3, 8, 8).half(), torch.rand(5), 1.25)
    bare = FaceMemory(memory.crop, memory.restored, None, 0.0)
    film = TrackState((track,), thumbnail(frame), 1.5, 3, 13)
    return LineState(film, {12: memory, 2: bare}, {12: Visit(4, True)})


def test_it_reads_back_as_it_was(tmp_path: Path) -> None:
    given = state()
    write_state(tmp_path, 40, b"older")
    write_state(tmp_path, 100, given.to_bytes())
    assert [each.name for each in tmp_path.iterdir()] == ["0000000100.state"]
    read = read_state(tmp_path, 100, CPU)
    assert read is not None
    assert read.to_bytes() == given.to_bytes()
    assert read.visits == {12: Visit(4, True)}
    (track,), (was,) = read.tracks.tracks, given.tracks.tracks
    assert (track.number, track.box, track.score, track.visible) == (12, was.box, was.score, True)
    assert np.array_equal(track.anchor, was.anchor)
    assert (read.tracks.seconds, read.tracks.since_detected, read.tracks.next_number) == (1.5, 3, 13)
    assert torch.equal(read.faces[12].restored, given.faces[12].restored)
    assert read.faces[2].need is None
    assert LineState.from_bytes(LineState().to_bytes(), CPU).tracks.thumbnail is None


def test_what_is_absent_or_damaged_is_none(tmp_path: Path) -> None:
    assert read_state(tmp_path, 5, CPU) is None
    write_state(tmp_path, 5, state().to_bytes()[:-200])
    assert read_state(tmp_path, 5, CPU) is None
    write_state(tmp_path, 5, b"")
    assert read_state(tmp_path, 5, CPU) is None
