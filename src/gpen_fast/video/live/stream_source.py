"""A stream of the network as a live source."""

from __future__ import annotations

import av
from av.container import InputContainer

from gpen_fast.errors import VideoError
from gpen_fast.video.live.feed import FedSource, Feed

# Seconds that a connection may take, and as many for the stream's first pictures.
_OPEN_S = 5.0
# The same where the sender is waited for (`?listen=1`).
_LISTEN_S = 60.0
# Seconds without a packet after which a stream is lost.
_READ_S = 5.0
# FFmpeg finds out what a stream holds by reading it: at most so many microseconds of it. What it read is decoded at
# once afterwards, so this costs time at the start and no latency. Its option `nobuffer` would throw these packets away,
# and with them the key frame without which nothing can be decoded until the next one.
_ANALYSE_US = 1_000_000
# Microseconds that packets which come out of order are waited for.
_REORDER_US = 100_000
_OPTIONS = {
    "": {"analyzeduration": f"{_ANALYSE_US}", "max_delay": f"{_REORDER_US}", "flags": "low_delay"},
    # By TCP where the server has it: a packet that UDP loses damages all pictures up to the next key frame.
    "rtsp": {"rtsp_flags": "prefer_tcp"},
    # A burst longer than the buffer costs pictures, not the stream.
    "udp": {"overrun_nonfatal": "1", "fifo_size": "50000"},
}
# A recording on a web server has a length, and plays at its own speed.
_OF_FILES = frozenset({"http", "https", "ftp", "sftp"})

_CHECK = "Check that the sender runs, and the address."


def open_stream(address: str) -> FedSource:
    """Opens a stream.

    Args:
        address: Such as rtsp://host/path. With `?listen=1` (tcp, rtmp, http), it waits a minute for a sender.

    Raises:
        VideoError: It cannot be opened.
    """
    scheme = address.partition("://")[0].lower()
    limit = _LISTEN_S if "listen" in address.partition("?")[2] else _OPEN_S

    def opened() -> InputContainer:
        try:
            return av.open(
                address,
                "r",
                options=_OPTIONS[""] | _OPTIONS.get(scheme, {}),
                timeout=(limit, _READ_S),
                metadata_errors="replace",
            )
        except av.error.ExitError:
            raise VideoError(
                f"no picture came (waited {limit:g} s for an answer, and as long for pictures). {_CHECK}"
            ) from None
        except av.error.ProtocolNotFoundError:
            raise VideoError(
                f"this build of FFmpeg has no protocol {scheme}. Accepted are rtsp, rtmp, udp, rtp, tcp, srt, http "
                "and https, as far as it has them."
            ) from None
        except av.error.InvalidDataError:
            raise VideoError("what comes from there is no video that can be read.") from None
        except av.error.FFmpegError as error:
            raise VideoError(f"{str(error.strerror or error).lower()}. {_CHECK}") from error

    return FedSource(Feed(address, opened, "the sender", _READ_S, paced=scheme in _OF_FILES))
