"""Live frames restored: the change that is carried along, fades, and what a change of the step forgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import clip_pixels
from live_ends import ListSource

from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.job import Restored
from gpen_fast.run.live import restoring
from gpen_fast.run.live.restoring import LiveFrame, LiveRestorer, carried, in_samples
from gpen_fast.run.video.following import followed_frame
from gpen_fast.run.video.frames import FrameSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.settings import VIDEO_STAGES
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.track import Tracker, TrackState


class Studio:
    """Frames followed and restored one after the other."""

    def __init__(self, steps, temporal: float = 0.0) -> None:
        self.clock = Clock(Recorder(stages=VIDEO_STAGES))
        self.pipelines = [FramePipeline(each.runtime, self.clock) for each in steps]
        self.tracker = Tracker(LandmarkReader(steps[0].runtime.settings.weights), detect_every=5)
        self.restorer = LiveRestorer(steps, self.pipelines, temporal)
        self.state = TrackState()

    def show(self, frames: list[np.ndarray], step: int, missed: int = 0) -> list[tuple[Restored, float]]:
        made = []
        for arrival in ListSource(frames):
            source = FrameSource(arrival.decoded.index, Path("clip"), decoded=arrival.decoded)
            if step == 2:
                made.append(self.restorer.restore(LiveFrame(source, 0.0, 2, 0.0, None, {})))
                self.state = TrackState()
                continue
            seconds = self.state.seconds + 0.04
            followed, self.state = followed_frame(
                self.pipelines[step], self.tracker, source, self.state, seconds
            )
            given = LiveFrame(source, 0.0, step, 0.0, followed, {0: missed})
            made.append(self.restorer.restore(given))
        return made

    @property
    def calls(self) -> int:
        return self.clock.recorder.series["generate"].count


def test_every_second_frame_carries_the_change_of_the_one_before(steps, passing) -> None:
    studio = Studio(steps)
    made = studio.show(passing[:5], 1)
    assert studio.calls == 3
    assert [network > 0 for _, network in made] == [True, False, True, False, True]
    (before, _), (after, _) = made[:2]
    change = before.restored[0].short() - before.crops.pixels[0].short()
    wanted = (after.crops.pixels[0].short() + change).clamp(0, 255)
    assert torch.equal(after.restored[0].short(), wanted)


def test_a_new_face_is_restored_at_once_though_the_network_would_rest(steps) -> None:
    pan, other = clip_pixels("pan", 40, 180)[:1], clip_pixels("zoom", 20, 180)[10:12]
    studio = Studio(steps)
    studio.show(pan, 1)
    studio.show(other, 1)  # a cut: another face
    assert studio.calls == 2


def test_what_is_carried_stays_within_the_samples(steps, passing) -> None:
    picture = Studio(steps).show(passing[:1], 0)[0][0]
    change = torch.full_like(picture.crops.pixels[0], 1).short() * 300
    made = carried(picture, [change])
    assert int(made.restored[0].min()) == 255
    assert made.restored[0].dtype == torch.uint8


def test_a_face_is_whole_in_the_first_frame_and_fades_while_its_track_is_unsure(steps, passing) -> None:
    studio = Studio(steps)
    assert studio.show(passing[:1], 0)[0][0].fades == (1.0,)
    assert studio.show(passing[1:2], 0, missed=1)[0][0].fades == pytest.approx((0.8,))
    assert studio.show(passing[2:3], 0, missed=4)[0][0].fades == pytest.approx((0.2,))
    assert studio.show(passing[3:4], 0)[0][0].fades == (1.0,)


def test_after_passing_through_faces_fade_in(steps, passing) -> None:
    studio = Studio(steps)
    studio.show(passing[:2], 0)
    assert studio.show(passing[2:4], 2) == [(None, 0.0), (None, 0.0)]
    fades = [picture.fades[0] for picture, _ in studio.show(passing[4:10], 0)]
    assert fades == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])


def test_faces_are_averaged_along_their_track(steps) -> None:
    frames = clip_pixels("still", 5, 180, noise=8.0)

    def shaking(temporal: float) -> float:
        made = [picture.restored[0].float() for picture, _ in Studio(steps, temporal).show(frames, 0)]
        return float((made[-1] - made[-2]).abs().mean())

    assert shaking(0.5) < 0.75 * shaking(0.0)


def test_another_networks_memory_is_not_mixed_in(steps, passing, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[set[int]] = []
    averaged = restoring.averaged_faces

    def spy(picture, faces, memories, *rest):
        given.append(set(memories))
        return averaged(picture, faces, memories, *rest)

    monkeypatch.setattr(restoring, "averaged_faces", spy)
    studio = Studio(steps, 0.5)
    studio.show(passing[:2], 0)
    studio.restorer._size = 512  # the frames before had a network of this size
    studio.show(passing[2:4], 0)
    assert given == [set(), {0}, set(), {0}]


def test_a_frame_comes_back_in_its_own_samples(steps, passing) -> None:
    studio = Studio(steps)
    (picture, _), arrival = studio.show(passing[:1], 0)[0], next(iter(ListSource(passing)))
    done = in_samples(studio.pipelines[0], replace(picture, fades=None), picture.source)
    assert (done.faces, done.index) == (1, 0)
    assert not np.array_equal(done.frame.to_ndarray(format="rgb24"), passing[0])
    source = FrameSource(0, Path("clip"), decoded=arrival.decoded)
    through = in_samples(studio.pipelines[0], None, source)
    assert np.array_equal(through.frame.to_ndarray(format="rgb24"), passing[0])
