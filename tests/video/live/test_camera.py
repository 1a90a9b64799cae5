"""Cameras: this machine has none, so FFmpeg's test picture stands in for the driver."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time

import av
import pytest

from gpen_fast.errors import VideoError
from gpen_fast.video.live.camera import CameraSystem, is_camera, open_camera, this_system

PICTURE = "testsrc=size=160x120:rate=25,realtime"


def system(address: str = PICTURE, format: str = "lavfi") -> CameraSystem:
    return CameraSystem(
        format, lambda name: address, lambda: ["/dev/video2 (USB camera)"], lambda asked: [{}]
    )


def test_pictures_come_as_they_are_taken_until_it_is_closed() -> None:
    source = open_camera("0", system=system())
    threading.Timer(1.0, source.close).start()
    arrivals = list(source)
    assert 10 <= len(arrivals) <= 30
    gaps = [later.arrived - one.arrived for one, later in itertools.pairwise(arrivals)]
    assert sum(gaps) / len(gaps) == pytest.approx(0.04, abs=0.01)
    assert source.facts.rate == 25 and source.lost == ""
    assert arrivals[0].decoded.frame.format.name == "gbrp"


def test_a_camera_that_is_unplugged_ends_with_a_sentence() -> None:
    source = open_camera("0", system=system(PICTURE + ",trim=duration=0.5"))
    assert len(list(source)) > 3
    assert source.lost.startswith("the camera ended the stream after 0.5")


def test_the_drivers_error_while_running_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unplugged:
        def __init__(self) -> None:
            self._real = av.open(PICTURE, format="lavfi")
            self.streams, self.duration = self._real.streams, None

        def __enter__(self) -> Unplugged:
            return self

        def __exit__(self, *_: object) -> None:
            self._real.close()

        def demux(self, stream):
            yield from itertools.islice(self._real.demux(stream), 5)
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))

    unplugged = Unplugged()
    monkeypatch.setattr(av, "open", lambda *_, **__: unplugged)
    source = open_camera("0", system=system())
    assert len(list(source)) in (4, 5), "the first one may come before anyone asks"
    assert source.lost == "the camera was lost: no such device."


def test_a_driver_that_stops_answering_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpen_fast.video.live.camera._PATIENCE_S", 0.5)
    source = open_camera(
        "0", system=system(PICTURE + ",setpts='PTS+if(gte(N,10),20/TB,0)',realtime=limit=60")
    )
    begun = time.perf_counter()
    assert 0 < len(list(source)) <= 11
    assert time.perf_counter() - begun < 3.0
    assert source.lost == "no picture came from the camera for 0.5 s."


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOENT, r"there is no lens\. Cameras that are there: /dev/video2 \(USB camera\)\."),
        (errno.EBUSY, "in use by another program"),
        (errno.EACCES, "may not be opened by this user"),
        (errno.EINVAL, r"cannot be opened with video_size 64x48: invalid argument\..* without --camera-size"),
    ],
)
def test_why_it_cannot_be_opened(number: int, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(av, "open", refused)
    with pytest.raises(VideoError, match=says):
        open_camera("3", (64, 48), system=system("lens"))


def test_an_ffmpeg_without_cameras_says_so() -> None:
    with pytest.raises(VideoError, match="reads no cameras"):
        open_camera("0", system=system(format="absent"))


def test_the_names_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    linux = this_system()
    assert linux.address("2") == "/dev/video2" and linux.address("/dev/cam") == "/dev/cam"
    assert linux.tries({}) == [{}]
    asked = {"video_size": "1280x720", "framerate": "30"}
    assert linux.tries(asked) == [{**asked, "input_format": "mjpeg"}, asked]
    assert is_camera("0") and is_camera("/dev/null") and not is_camera("clip.mp4")
