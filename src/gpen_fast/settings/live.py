"""How `live` reads, steps and shows: its options. Imports no torch."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpen_fast.errors import SettingsError

_SIZE = re.compile(r"(\d+)[xX](\d+)")


@dataclass(frozen=True)
class LiveOptions:
    """How `live` reads its source, what it promises, and where its frames go."""

    out: str = "window"
    """Where frames go: window, virtual (a virtual camera), none, the name of a file, or the address of a stream."""

    target_fps: float = 30.0
    """Frames per second to deliver; never more than the source has."""

    max_latency: float = 100.0
    """Milliseconds from a frame's arrival until it is handed out, at most; quality steps down to keep this."""

    temporal: float = 0.5
    """How much of the frames before a restored face keeps, so that it does not flicker: 0 restores each frame alone."""

    detect_every: int = 5
    """Frames from one detection to the next; faces are followed in between, and detected where that is unsure."""

    camera_size: str | None = None
    """Ask a camera for pictures of this size, such as 1280x720; by default its own choice."""

    camera_fps: float | None = None
    """Ask a camera for so many frames per second; by default its own choice."""

    seconds: float | None = None
    """End after so many seconds; by default at the source's end, or by Ctrl-C."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.target_fps <= 1000:
            raise SettingsError(f"target fps {self.target_fps:g}: accepted is 0.1 to 1000 frames a second.")
        if not self.max_latency > 0:
            raise SettingsError(f"max latency {self.max_latency:g}: accepted is above 0 milliseconds.")
        if not 0.0 <= self.temporal <= 1.0:
            raise SettingsError(f"temporal {self.temporal:g}: accepted is 0 (each frame alone) to 1.")
        if self.detect_every < 1:
            raise SettingsError(f"detect every {self.detect_every}: accepted is 1 frame and up.")
        if self.camera_fps is not None and not self.camera_fps > 0:
            raise SettingsError(f"camera fps {self.camera_fps:g}: accepted is above 0 frames a second.")
        if self.seconds is not None and not self.seconds > 0:
            raise SettingsError(f"seconds {self.seconds:g}: accepted is above 0.")
        _ = self.picture_size

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """`camera_size` as width and height. Raises SettingsError where it is none."""
        if self.camera_size is None:
            return None
        found = _SIZE.fullmatch(self.camera_size.strip())
        if not found or not all(map(int, found.groups())):
            raise SettingsError(
                f"camera size {self.camera_size!r}: accepted is width x height, such as 1280x720."
            )
        width, height = map(int, found.groups())
        return width, height
