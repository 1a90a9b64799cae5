"""A window on the screen."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import av
import cv2
import numpy as np

from gpen_fast.errors import VideoError
from gpen_fast.video.colour import to_rgb

TITLE = "gpen-fast live (q or Esc ends)"
_END_KEYS = frozenset({ord("q"), ord("Q"), 27})
# The window's largest sides at first; the user may change them.
_FIRST_WIDTH, _FIRST_HEIGHT = 1280, 720
_ELSEWHERE = "Send the frames elsewhere: --out FILE.mp4, --out virtual, or --out none."
# Opening a window on a display that does not answer ends the process, so another one tries it first.
_TRY = "import cv2; cv2.namedWindow('gpen-fast', cv2.WINDOW_NORMAL); cv2.destroyAllWindows()"
_TRY_S = 30


class WindowSink:
    """Shows frames. All calls come from one thread, which on macOS must be the process's first."""

    def __init__(self) -> None:
        """Tries the display.

        Raises:
            VideoError: OpenCV has no windows, or there is no display.
        """
        _check_display()
        self.ended = False
        self._open = False

    def put(self, frame: av.VideoFrame, seconds: float) -> None:
        """Shows a frame; notes whether the user closed the window, or pressed q or Esc."""
        pixels = np.rot90(to_rgb(frame), round(frame.rotation / 90) % 4)
        if not self._open:
            self._create(*pixels.shape[:2])
        if self._is_closed():
            return
        cv2.imshow(TITLE, np.ascontiguousarray(pixels[..., ::-1]))
        key = cv2.pollKey()
        if key >= 0 and key & 0xFF in _END_KEYS:
            self.ended = True
        self._is_closed()

    def close(self) -> None:
        """Closes the window."""
        if self._open and not self._is_closed():
            cv2.destroyWindow(TITLE)
        self._open = False

    def _create(self, height: int, width: int) -> None:
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        scale = min(1.0, _FIRST_WIDTH / width, _FIRST_HEIGHT / height)
        cv2.resizeWindow(TITLE, round(width * scale), round(height * scale))
        self._open = True

    def _is_closed(self) -> bool:
        try:
            closed = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        except cv2.error:
            closed = True
        self.ended = self.ended or closed
        return closed


def _check_display() -> None:
    backend = re.search(r"GUI:\s+(\S+)", cv2.getBuildInformation())
    if backend and backend[1] == "NONE":
        raise VideoError(
            "the installed OpenCV has no windows (opencv-python-headless). "
            "Try: pip uninstall -y opencv-python-headless && pip install --force-reinstall opencv-python. "
            + _ELSEWHERE
        )
    if not sys.platform.startswith("linux"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise VideoError(f"there is no display for a window (DISPLAY is not set). {_ELSEWHERE}")
    try:
        tried = subprocess.run([sys.executable, "-c", _TRY], capture_output=True, text=True, timeout=_TRY_S)
    except subprocess.TimeoutExpired:
        raise VideoError(f"the display did not open a window within {_TRY_S} s. {_ELSEWHERE}") from None
    if tried.returncode:
        words = next((line.strip() for line in tried.stderr.splitlines() if line.strip()), "")
        raise VideoError(
            f"the display {os.environ.get('DISPLAY', '')} opens no window ({words.rstrip('.')}). {_ELSEWHERE}"
        )
