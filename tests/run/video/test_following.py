"""Frames with their faces: followed from one frame to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import clip_pixels
from videos import Made, write_video

from gpen_fast.errors import GenerateError
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import Cropped, Failed, Restored
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video.following import FollowedFrame, followed_frame, restored_alone
from gpen_fast.run.video.frames import FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.reader import VideoReader
from gpen_fast.video.track import Tracker, TrackState


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = clip_pixels("pan", 40, 180)[:4]
    return write_video(tmp_path_factory.mktemp("clips") / "pan.mkv", frames, Made("ffv1", "bgr0"))


@pytest.fixture
def pipeline(small: Runtime) -> FramePipeline:
    return FramePipeline(small, Clock(Recorder(stages=VIDEO_STAGES)))


def follow(pipeline: FramePipeline, path: Path) -> list[tuple[FollowedFrame, TrackState]]:
    tracker, state, made = (
        Tracker(LandmarkReader(pipeline.runtime.settings.weights), detect_every=5),
        TrackState(),
        [],
    )
    with VideoReader(path) as reader:
        for number, decoded in enumerate(reader.frames()):
            source = FrameSource(number, path, decoded=decoded)
            made.append(followed_frame(pipeline, tracker, source, state, number / 25))
            state = made[-1][1]
    return made


def test_a_face_is_detected_once_and_followed_then(pipeline: FramePipeline, clip: Path) -> None:
    frames = [frame for frame, _ in follow(pipeline, clip)]
    assert [len(frame.picture.crops) for frame in frames] == [1, 1, 1, 1]
    assert [frame.new_tracks for frame in frames] == [1, 0, 0, 0]
    assert {frame.faces[0].number for frame in frames} == {0}
    counts = {name: series.count for name, series in pipeline.clock.recorder.series.items()}
    assert (counts["load"], counts["track"], counts["detect"], counts["crop"]) == (4, 4, 1, 4)


def test_a_frame_that_fails_leaves_the_tracks_as_they_were(
    pipeline: FramePipeline, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, calls = Tracker.look, iter(range(9))

    def failing(self, *given):
        if next(calls) == 2:
            raise ValueError("broken")
        return look(self, *given)

    monkeypatch.setattr(Tracker, "look", failing)
    made = follow(pipeline, clip)
    assert isinstance(made[2][0].picture, Failed)
    assert made[2][1] is made[1][1]
    assert made[3][0].faces[0].number == 0


def test_a_face_that_the_network_spoils_fails_its_frame_only(
    pipeline: FramePipeline, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = follow(pipeline, clip)[0][0].picture
    assert isinstance(picture, Cropped)
    assert isinstance(restored_alone(pipeline, picture), Restored)

    def spoiled(pictures):
        raise GenerateError("one colour")

    monkeypatch.setattr(pipeline, "launch", spoiled)
    given = restored_alone(pipeline, picture)
    assert isinstance(given, Failed)
    assert str(given.error) == "one colour"
    monkeypatch.setattr(pipeline, "launch", lambda pictures: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # not of this frame alone
        restored_alone(pipeline, picture)
