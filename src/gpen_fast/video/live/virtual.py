"""A virtual camera, which other programs read like a real one."""

from __future__ import annotations

import sys
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from gpen_fast.errors import InstallError, VideoError
from gpen_fast.plugins.install import OURS, absent_module
from gpen_fast.video.colour import to_rgb
from gpen_fast.video.facts import StreamFacts

_DRIVERS = {
    "linux": "Load the driver: sudo modprobe v4l2loopback exclusive_caps=1 (Debian, Ubuntu: apt-get install "
    "v4l2loopback-dkms)",
    "darwin": "Install OBS, and start its virtual camera once",
    "win32": "Install OBS, whose virtual camera is used",
}


class _Camera(Protocol):
    """What is used of pyvirtualcam.Camera."""

    def send(self, frame: NDArray[np.uint8]) -> None: ...
    def close(self) -> None: ...


class VirtualSink:
    """Gives frames to a virtual camera."""

    ended = False

    def __init__(self, facts: StreamFacts) -> None:
        """Opens the first virtual camera that is free.

        Args:
            facts: The stream; the camera has its size and rate.

        Raises:
            InstallError: pyvirtualcam is missing.
            VideoError: The system has no virtual camera.
        """
        try:
            import pyvirtualcam
        except ModuleNotFoundError as error:
            raise InstallError(
                f"a virtual camera needs {absent_module(error.name or 'pyvirtualcam', OURS, 'virtual-camera')}"
            ) from None
        try:
            self._camera: _Camera = pyvirtualcam.Camera(
                width=facts.width, height=facts.height, fps=float(facts.rate)
            )
        except RuntimeError as error:
            driver = _DRIVERS.get(sys.platform, _DRIVERS["linux"])
            words = " ".join(str(error).split()).rstrip(".")
            raise VideoError(f"no virtual camera can be opened ({words}). {driver}.") from error

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        """Shows a frame."""
        self._camera.send(to_rgb(frame))

    def close(self) -> None:
        """Gives the camera back."""
        self._camera.close()
