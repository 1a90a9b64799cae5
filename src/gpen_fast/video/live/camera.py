"""A camera as a live source."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer

from gpen_fast.errors import VideoError
from gpen_fast.video.live.feed import FedSource, Feed

# Seconds without a picture after which a camera is lost: drivers start a camera within three.
_PATIENCE_S = 5.0
_Options = dict[str, str]


@dataclass(frozen=True)
class CameraSystem:
    """How an operating system's cameras are opened."""

    format: str
    """FFmpeg's name of its devices."""
    address: Callable[[str], str]
    """What FFmpeg opens for a number or a name."""
    listed: Callable[[], list[str]]
    """The cameras that are there, for a sentence."""
    tries: Callable[[_Options], Sequence[_Options]]
    """Options to try one after the other, from those that the user asked for."""


def open_camera(
    name: str,
    size: tuple[int, int] | None = None,
    rate: float | None = None,
    system: CameraSystem | None = None,
) -> FedSource:
    """Opens a camera.

    Args:
        name: Its number from 0, or its name in the system, such as /dev/video0.
        size: Width and height to ask for; None: as the camera is set.
        rate: Frames per second to ask for; None: as the camera is set.
        system: How it is opened; None: as this operating system does.

    Raises:
        VideoError: There is no such camera, or it cannot be opened.
    """
    system = system or this_system()
    asked: _Options = {}
    if size:
        asked["video_size"] = f"{size[0]}x{size[1]}"
    if rate:
        asked["framerate"] = f"{rate:g}"
    label = f"camera {name}"
    return FedSource(Feed(label, lambda: _opened(name, system, asked), "the camera", _PATIENCE_S))


def this_system() -> CameraSystem:
    """How this operating system's cameras are opened."""
    return _SYSTEMS.get(sys.platform, _SYSTEMS["linux"])


def is_camera(name: str) -> bool:
    """Whether a name is a camera's: a number, a device, or DirectShow's `video=...`."""
    return name.isdecimal() or name.startswith("video=") or Path(name).is_char_device()


def _opened(name: str, system: CameraSystem, asked: _Options) -> InputContainer:
    known = {each for names in av.formats_available for each in names.split(",")}
    if system.format not in known:
        raise VideoError(
            f"this build of FFmpeg reads no cameras ({system.format} is missing). Install PyAV's own wheel: "
            "pip install --force-reinstall av"
        )
    address = system.address(name)
    failure: Exception | None = None
    for options in system.tries(asked):
        try:
            return av.open(address, "r", format=system.format, options=options)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            failure = error
    raise VideoError(_why(address, asked, failure, system.listed())) from failure


def _why(address: str, asked: _Options, error: Exception | None, cameras: list[str]) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EBUSY:
        return f"{address} is in use by another program. End that program, or choose another camera."
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"{address} may not be opened by this user. Allow it (on Linux: sudo usermod -aG video $USER, then log in "
            "again; on macOS: Settings, Privacy, Camera)."
        )
    there = f"Cameras that are there: {', '.join(cameras)}." if cameras else "No camera was found."
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return f"there is no {address}. {there}"
    wish = " with " + ", ".join(f"{key} {value}" for key, value in asked.items()) if asked else ""
    words = str(getattr(error, "strerror", None) or error).lower()
    advice = " Try without --camera-size and --camera-fps." if asked else ""
    return f"{address} cannot be opened{wish}: {words}. {there}{advice}"


def _linux_address(name: str) -> str:
    return f"/dev/video{name}" if name.isdecimal() else name


def _linux_cameras() -> list[str]:
    found = []
    for device in sorted(Path("/dev").glob("video*")):
        said = Path("/sys/class/video4linux") / device.name / "name"
        found.append(f"{device} ({said.read_text().strip()})" if said.is_file() else str(device))
    return found


def _linux_tries(asked: _Options) -> list[_Options]:
    """JPEG first where a size or a rate is asked for: raw pictures of that size rarely fit through USB at full rate."""
    return [{**asked, "input_format": "mjpeg"}, asked] if asked else [{}]


def _devices(format: str) -> list[str]:
    """Names of the video devices, where PyAV can tell them (18 and later)."""
    listing = getattr(av, "enumerate_input_devices", None)
    if listing is None:
        return []
    try:
        found = listing(format)
    except (av.error.FFmpegError, OSError, ValueError):
        return []
    return [str(each.description) for each in found if not each.media_types or "video" in each.media_types]


def _windows_address(name: str) -> str:
    if not name.isdecimal():
        return name if name.startswith("video=") else f"video={name}"
    cameras = _devices("dshow")
    if int(name) >= len(cameras):
        there = f"Cameras that are there: {', '.join(cameras)}." if cameras else "No camera was found."
        raise VideoError(f"there is no camera of this number. {there} A camera can be named too: video=NAME.")
    return f"video={cameras[int(name)]}"


def _mac_tries(asked: _Options) -> list[_Options]:
    """AVFoundation refuses rates that a camera does not have, and its own default is 29.97."""
    if "framerate" in asked:
        return [asked]
    return [{**asked, "framerate": rate} for rate in ("30", "60", "25", "15")]


_SYSTEMS = {
    "linux": CameraSystem("v4l2", _linux_address, _linux_cameras, _linux_tries),
    "darwin": CameraSystem(
        "avfoundation", lambda name: name, lambda: _devices("avfoundation"), _mac_tries
    ),
    # A buffer of 64 MB: DirectShow's own holds one raw picture of 1080p.
    "win32": CameraSystem(
        "dshow", _windows_address, lambda: _devices("dshow"), lambda asked: [{**asked, "rtbufsize": "67108864"}]
    ),
}  # fmt: skip
