"""What is called before the first frame, so that it need not wait for first calls."""

from __future__ import annotations

from live_ends import stream_facts

from gpen_fast.measure.clock import Clock
from gpen_fast.run.live.rehearsal import Rehearsal
from gpen_fast.stages.detect.lite import LandmarkReader
from gpen_fast.video.track import Tracker


def test_every_stage_of_a_frame_is_called_once_and_not_counted(steps, monkeypatch) -> None:
    called: list[str] = []
    opened = Clock.open

    def spy(self, stage, **given):
        called.append(stage)
        return opened(self, stage, **given)

    monkeypatch.setattr(Clock, "open", spy)
    network_at: list[int] = []
    reader = LandmarkReader(steps[0].runtime.settings.weights)

    def network(frame, points):
        network_at.append(len(points))
        return reader(frame, points)

    rehearsal = Rehearsal(steps, 0, Tracker(network, detect_every=5), stream_facts(320, 180), 0.5)
    rehearsal.follow()
    assert {"load", "detect", "crop"} <= set(called)
    assert network_at == [1, 1]
    rehearsal.restore()
    assert called.count("generate") == 2
    assert "paste" in called
