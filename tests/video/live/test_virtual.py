"""A virtual camera: a module stands in for pyvirtualcam, which needs a driver of the system."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from gpen_fast.errors import InstallError, VideoError
from gpen_fast.video.colour import to_rgb
from gpen_fast.video.live.file_source import FileSource
from gpen_fast.video.live.virtual import VirtualSink


class Camera:
    made: ClassVar[list[Camera]] = []

    def __init__(self, *, width: int, height: int, fps: float) -> None:
        self.shape, self.fps, self.sent, self.closed = (height, width, 3), fps, [], False
        self.made.append(self)

    def send(self, frame: np.ndarray) -> None:
        assert frame.shape == self.shape and frame.dtype == np.uint8
        self.sent.append(frame)

    def close(self) -> None:
        self.closed = True


def install(monkeypatch: pytest.MonkeyPatch, camera: object) -> None:
    module = types.ModuleType("pyvirtualcam")
    module.Camera = camera  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)


def test_the_camera_has_the_streams_size_and_shows_its_frames(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Camera)
    source = FileSource(clip, paced=False)
    sink = VirtualSink(source.facts)
    arrivals = list(source)
    for each in arrivals:
        sink.put(each.decoded.frame, 0.0)
    sink.close()
    (camera,) = Camera.made
    assert camera.fps == 25 and camera.closed
    assert len(camera.sent) == 20
    assert np.array_equal(camera.sent[3], to_rgb(arrivals[3].decoded.frame))


def test_an_absent_package_names_the_extra(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(InstallError, match=r"pip install 'gpen-fast\[virtual-camera\]'"):
        VirtualSink(FileSource(clip, paced=False).facts)


def test_an_absent_driver_says_what_to_load(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise RuntimeError("'v4l2loopback' is not available.\nSee the readme.")

    monkeypatch.setattr("sys.platform", "linux")
    install(monkeypatch, refused)
    with pytest.raises(VideoError, match=r"'v4l2loopback' is not available\. .*sudo modprobe v4l2loopback"):
        VirtualSink(FileSource(clip, paced=False).facts)
