"""Frames sent over the network."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from live_peers import Receiver, free_port

from gpen_fast.errors import VideoError
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.stream_sink import open_stream_sink


def sent(clip: Path, address: str, times: int = 4) -> int:
    source = FileSource(clip, paced=False)
    sink = open_stream_sink(address, source.facts)
    for number in range(times):
        for arrival in FileSource(clip, paced=True):
            sink.put(arrival.decoded.frame, number * 0.8 + arrival.decoded.index * 0.04)
    sink.close()
    return times * 20


def test_a_receiver_of_udp_gets_frames_at_their_times(clip: Path) -> None:
    port = free_port()
    receiver = Receiver(f"udp://127.0.0.1:{port}")
    count = sent(clip, f"udp://127.0.0.1:{port}")
    got = receiver.wait()
    assert count - 10 <= len(got) <= count
    assert [later - one for one, later in itertools.pairwise(got)] == pytest.approx(
        [0.04] * (len(got) - 1), abs=0.001
    )


def test_a_receiver_of_tcp_gets_every_frame(clip: Path) -> None:
    port = free_port()
    receiver = Receiver(f"tcp://127.0.0.1:{port}?listen=1")
    count = sent(clip, f"tcp://127.0.0.1:{port}", 1)
    assert len(receiver.wait()) == count


def test_a_receiver_that_goes_away_is_told(clip: Path) -> None:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        source = FileSource(clip, paced=False)
        sink = open_stream_sink(address, source.facts)
        peer, _ = listening.accept()
        peer.close()
        with pytest.raises(VideoError, match="the receiver is gone"):
            for arrival in source:
                sink.put(arrival.decoded.frame, arrival.decoded.index * 0.04)
        sink.close()


def test_no_receiver_and_no_protocol_are_told(clip: Path) -> None:
    facts = FileSource(clip, paced=False).facts
    with pytest.raises(VideoError, match=r"never there \(connection refused\)"):
        open_stream_sink(f"tcp://127.0.0.1:{free_port()}", facts)
    with pytest.raises(VideoError, match=r"no stream can be sent by gopher\. Accepted are udp, tcp"):
        open_stream_sink("gopher://host", facts)
