"""OpenCV's process-wide log level. Imports no OpenCV."""

from __future__ import annotations

import os


def silence_log() -> None:
    """Turns OpenCV's log off unless the user has set its level. Works before OpenCV is imported, and not after."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
