"""Idle time of the network by its cause."""

from __future__ import annotations

import pytest
from reports import recorder_of

from gpen_fast.measure.idle import network_idle

NO_WAITS = {"load": 0.0, "save": 0.0}


def test_each_cause_has_its_share_and_they_add_up() -> None:
    recorder = recorder_of(load=900.0, detect=100.0, crop=50.0, generate=500.0, paste=50.0, save=300.0)
    row = network_idle(recorder, 1000.0, 1, {"load": 150.0, "save": 100.0}, readers_detect=False)
    assert row.resource == "network"
    assert row.share == 0.5
    assert row.causes == {
        "load": 0.15,
        "detect": 0.1,
        "save": 0.1,
        "crop": 0.05,
        "paste": 0.05,
        "other": 0.05,
    }
    assert next(iter(row.causes)) == "load", "the largest first"


def test_a_wait_for_readers_that_detect_is_shared_between_both() -> None:
    recorder = recorder_of(load=100.0, detect=300.0, generate=200.0)
    row = network_idle(recorder, 1000.0, 1, {"load": 800.0, "save": 0.0}, readers_detect=True)
    assert row.causes == {"detect": 0.6, "load": 0.2}


def test_several_workers_share_the_wall_time() -> None:
    row = network_idle(
        recorder_of(generate=1500.0), 1000.0, 2, {"load": 500.0, "save": 0.0}, readers_detect=False
    )
    assert (row.share, row.causes) == (0.25, {"load": 0.25})


def test_stages_that_overlap_the_network_do_not_count_twice() -> None:
    """On a GPU, device time is what the network ran; the host's stages ran meanwhile."""
    recorder = recorder_of(crop=600.0, generate=10.0, paste=200.0)
    recorder.add_device(recorder.series["generate"].spans[0], 800.0)
    row = network_idle(recorder, 1000.0, 1, NO_WAITS, readers_detect=False)
    assert row.share == 0.2
    assert row.causes == {"crop": pytest.approx(0.15), "paste": pytest.approx(0.05)}


def test_a_network_that_ran_all_the_time_waited_for_nothing() -> None:
    row = network_idle(recorder_of(generate=1000.0), 1000.0, 1, NO_WAITS, readers_detect=False)
    assert (row.share, row.causes) == (0.0, {})
