"""Streams of the network, and how they end."""

from __future__ import annotations

import threading
import time

import pytest
from live_peers import free_port, sender

from gpen_fast.errors import VideoError
from gpen_fast.video.live.stream_source import open_stream


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_a_sender_that_ends_or_dies_ends_the_stream_with_a_sentence(ending: str) -> None:
    port = free_port()
    with sender(f"tcp://127.0.0.1:{port}", 40, ending):
        source = open_stream(f"tcp://127.0.0.1:{port}?listen=1")
        arrivals = list(source)
    assert 25 <= len(arrivals) <= 40, "those that came before anyone asked are left out"
    assert (source.facts.width, source.facts.height) == (160, 120)
    assert source.lost.startswith("the sender ended the stream after 1.") or "was lost" in source.lost
    pts = [each.decoded.pts for each in arrivals]
    assert pts == sorted(set(pts))


def test_a_sender_that_falls_silent_ends_it_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpen_fast.video.live.stream_source._READ_S", 1.0)
    port = free_port()
    with sender(f"tcp://127.0.0.1:{port}", 40, "silence"):
        source = open_stream(f"tcp://127.0.0.1:{port}?listen=1")
        last = [each.arrived for each in source][-1]
        assert time.perf_counter() - last < 3.0
    assert source.lost == "no picture came from the sender for 1 s."


def test_closing_ends_a_read_that_blocks() -> None:
    port = free_port()
    with sender(f"tcp://127.0.0.1:{port}", 40, "silence"):
        source = open_stream(f"tcp://127.0.0.1:{port}?listen=1")
        closed: list[float] = []
        threading.Timer(2.5, lambda: (closed.append(time.perf_counter()), source.close())).start()
        list(source)
        assert time.perf_counter() - closed[0] < 1.0
    assert source.lost == ""


def test_what_does_not_answer_is_refused_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpen_fast.video.live.stream_source._OPEN_S", 0.5)
    with pytest.raises(VideoError, match=r"connection refused\. Check that the sender runs"):
        open_stream(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(VideoError, match="no picture came"):
        open_stream(f"udp://127.0.0.1:{free_port()}")
    with pytest.raises(VideoError, match="no protocol foo"):
        open_stream("foo://somewhere")
