"""The other end of a live run: senders as processes of their own, and what a receiver reads."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import av

_SENDER = """
import sys, time, os
from fractions import Fraction
import av, numpy as np
address, count, ending = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for _ in range(300):
    output = av.open(address, "w", format="mpegts", container_options={"flush_packets": "1"})
    stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "tune": "zerolatency", "g": "5"})
    stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
    try:
        output.start_encoding()
        break
    except OSError:  # the receiver does not listen yet
        time.sleep(0.1)
begun = time.monotonic()
for number in range(count):
    frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), number % 250, np.uint8), format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, 25)
    for packet in stream.encode(frame):
        output.mux(packet)
    time.sleep(max(0.0, begun + (number + 1) / 25 - time.monotonic()))
if ending == "close":
    output.close()
elif ending == "silence":
    time.sleep(60)
else:
    os._exit(9)
"""


def free_port() -> int:
    """A port of this machine that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def sender(address: str, count: int, ending: str) -> Iterator[None]:
    """Sends frames of 160x120 at 25 a second, and then ends: by close, silence or kill."""
    process = subprocess.Popen([sys.executable, "-c", _SENDER, address, str(count), ending])
    try:
        yield
    finally:
        process.kill()
        process.wait()


class Receiver:
    """Reads a stream in a thread, and keeps the times of its frames."""

    def __init__(self, address: str) -> None:
        self.seconds: list[float] = []
        self._thread = threading.Thread(target=self._read, args=(address,), daemon=True)
        self._thread.start()
        time.sleep(0.5)

    def _read(self, address: str) -> None:
        with contextlib.suppress(av.error.FFmpegError), av.open(address, timeout=(10, 2)) as given:
            for frame in given.decode(video=0):
                self.seconds.append(float(frame.time))

    def wait(self) -> list[float]:
        """The times, once the stream has ended or nothing has come for two seconds."""
        self._thread.join(15)
        return self.seconds
