"""Opens what a live run reads: a camera, a stream, or a file."""

from __future__ import annotations

import re
from pathlib import Path

from gpen_fast.errors import VideoError
from gpen_fast.video.live.arrival import LiveSource
from gpen_fast.video.live.camera import is_camera, open_camera
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.stream_source import open_stream

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")


def open_source(
    name: str, *, size: tuple[int, int] | None = None, rate: float | None = None, paced: bool = True
) -> LiveSource:
    """Opens a source.

    Args:
        name: A camera's number or device, the address of a stream (`scheme://...`), or a file.
        size: Width and height to ask a camera for; None: as it is set.
        rate: Frames per second to ask a camera for; None: as it is set.
        paced: A file plays at its own speed; else as fast as it decodes.

    Raises:
        VideoError: It cannot be opened.
        OSError: The file cannot be read.
    """
    if _ADDRESS.match(name) and not name.lower().startswith("file://"):
        return open_stream(name)
    if is_camera(name):
        return open_camera(name, size, rate)
    path = Path(name.removeprefix("file://"))
    if path.is_dir():
        raise VideoError(f"{name}: is a folder. Give a camera's number, a stream's address, or a video file.")
    if not path.exists():
        raise VideoError(
            f"{name}: no such file. Accepted are a camera's number (0, 1, ...) or device, the address of a stream "
            "(rtsp://..., udp://..., tcp://...), and a video file."
        )
    return FileSource(path, paced=paced)
