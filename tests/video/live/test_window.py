"""The window, on a display of its own where there is Xvfb."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.window import WindowSink

SHOW = """
import sys
from pathlib import Path
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.window import TITLE, WindowSink
import cv2
sink, ending, shown = WindowSink(), sys.argv[2], 0
if ending == "q":
    cv2.pollKey = lambda: ord("q") if shown == 5 else -1
for arrival in FileSource(Path(sys.argv[1]), paced=True):
    sink.put(arrival.decoded.frame, 0.0)
    if shown == 4:
        assert cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) == 1
    if shown == 5 and ending == "closed":
        cv2.destroyWindow(TITLE)
    shown += 1
    if sink.ended:
        break
sink.close()
sink.close()
print(shown, sink.ended)
"""


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run: apt-get install xvfb")
@pytest.mark.parametrize(("ending", "says"), [("end", "20 False"), ("q", "6 True"), ("closed", "7 True")])
def test_frames_are_shown_until_the_file_or_the_user_ends_it(clip: Path, ending: str, says: str) -> None:
    command = ["xvfb-run", "-a", sys.executable, "-c", SHOW, str(clip), ending]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == says, done


def test_no_display_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(VideoError, match=r"no display for a window .* --out FILE\.mp4"):
        WindowSink()


@pytest.mark.skipif(os.name != "posix", reason="displays have numbers on X11 only")
def test_a_display_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":4077")
    with pytest.raises(VideoError, match=r"the display :4077 opens no window"):
        WindowSink()


def test_an_opencv_without_windows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cv2.getBuildInformation", lambda: "  GUI:                           NONE\n")
    with pytest.raises(VideoError, match="opencv-python-headless"):
        WindowSink()
