"""Frames sent to a receiver over the network."""

from __future__ import annotations

import threading

from gpen_fast.errors import VideoError
from gpen_fast.video.facts import StreamFacts
from gpen_fast.video.live.encoded import EncodedSink, EncodedTarget

# Seconds that a connection may take, and microseconds after which a receiver that takes nothing is gone.
_OPEN_S = 10.0
_WRITE_US = "5000000"
# Headers are sent four times a second, and a key frame every second: a receiver that comes later begins soon.
# With a frame's length before it, a receiver need not wait for the next frame to know that it is whole.
_TS = {"pat_period": "0.25", "omit_video_pes_length": "0", "flush_packets": "1", "rw_timeout": _WRITE_US}
# Scheme -> format and options of format and protocol.
_FORMATS = {
    "udp": (
        "mpegts",
        {**_TS, "pkt_size": "1316"},
    ),  # seven packets of MPEG-TS, which fit into one of Ethernet
    "tcp": ("mpegts", _TS),
    "srt": ("mpegts", _TS),
    "rtp": ("rtp_mpegts", {"pkt_size": "1316"}),
    "http": ("mpegts", _TS),
    "rtmp": ("flv", {"flvflags": "no_duration_filesize", "flush_packets": "1", "rw_timeout": _WRITE_US}),
    "rtmps": ("flv", {"flvflags": "no_duration_filesize", "flush_packets": "1", "rw_timeout": _WRITE_US}),
    "rtsp": ("rtsp", {"rtsp_transport": "tcp"}),
}
_KEY_S = 1.0


def open_stream_sink(address: str, facts: StreamFacts) -> EncodedSink:
    """Connects to a receiver. With `?listen=1` (tcp, rtmp, http), it waits for one without limit.

    Args:
        address: Such as udp://host:port.
        facts: The stream.

    Raises:
        VideoError: The protocol is not known, or no receiver answers.
    """
    scheme = address.partition("://")[0].lower()
    if scheme not in _FORMATS:
        raise VideoError(f"{address}: no stream can be sent by {scheme}. Accepted are {', '.join(_FORMATS)}.")
    container, options = _FORMATS[scheme]
    sink = EncodedSink(EncodedTarget(address, address, container, options, _KEY_S, is_stream=True), facts)
    _begin(sink, address, None if "listen" in address.partition("?")[2] else _OPEN_S)
    return sink


def _begin(sink: EncodedSink, address: str, limit: float | None) -> None:
    """Connects in a thread, so that Ctrl-C ends the waiting."""
    done, failures = threading.Event(), list[Exception]()

    def work() -> None:
        try:
            sink.begin()
        except Exception as error:  # broad: raised again in the caller's thread
            failures.append(error)
        done.set()

    threading.Thread(target=work, name="gpen-fast-connect", daemon=True).start()
    if not done.wait(limit):
        raise VideoError(
            f"{address}: no receiver answered within {limit:g} s. Check that it runs, and the address."
        )
    if failures:
        raise failures[0]
