"""What a report says of its run, beside the rows of stages and pictures: the machine, weights, inputs and memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DeviceFacts:
    """What ran the network, as far as times depend on it."""

    type: str
    """cpu or cuda."""
    name: str
    """The GPU's name, or the CPU with its threads."""
    processor: str
    """The host's processor or architecture."""
    threads: int
    """Threads of one torch operation on the host."""
    torch: str
    """Version of torch."""
    cuda: str | None
    """Version of CUDA that torch is built for; None on a CPU."""
    python: str
    """Version of Python."""


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights that was loaded: the network's comes first, then the detector's if it has one."""

    name: str
    """Catalogued name of the network, or the detector's name."""
    sha256: str | None
    """Of the file's bytes; None for random weights."""
    random: bool
    """The weights have the true shapes and random values: for timing only."""


@dataclass(frozen=True)
class FailedInput:
    """An input that failed."""

    path: str
    """The input's path."""
    error: str
    """Why, in one line."""


@dataclass(frozen=True)
class InputNote:
    """What a user may not expect of an input that did not fail."""

    path: str
    """The input's path."""
    note: str
    """One or more sentences."""


@dataclass(frozen=True)
class LandmarksUse:
    """Faces that were read from a file or saved to one. None: that was not asked for."""

    file: str | None = None
    """The file of --landmarks."""
    used: int | None = None
    """Pictures whose faces came from the file."""
    searched: int | None = None
    """Pictures that were searched: the file lacks them, or searched them otherwise."""
    searched_otherwise: int | None = None
    """Those of `searched` that the file has from another detector, size or threshold."""
    of_no_picture: int | None = None
    """Entries of the file that match no picture of the run."""
    saved: int | None = None
    """Pictures whose faces were saved."""
    saved_to: str | None = None
    """The file of --save-landmarks."""


@dataclass(frozen=True)
class BetterChoice:
    """What `auto` would have picked, had its weights been there."""

    kind: Literal["model", "detector"]
    """Which part of the run."""
    ran: str
    """What ran instead."""
    command: str
    """The command that gets the better one."""


@dataclass(frozen=True)
class PassedOverFile:
    """A file that `auto` did not use, because its content is not what its name says."""

    weights: str
    """Catalogued name of the weights that are expected there."""
    path: str
    """The file."""


@dataclass(frozen=True)
class MemoryPeaks:
    """The most memory that was held at once."""

    device_peak_bytes: int | None
    """Device memory allocated by torch during the run; None on a CPU."""
    host_peak_bytes: int | None
    """Resident memory of the process since its start, and of its processes on a CPU, where shared memory counts for
    each; None where the system does not report it."""


@dataclass(frozen=True)
class BeforeAfter:
    """A score of the frames as they were decoded, and as they are written."""

    before: float
    """As they were decoded."""
    after: float
    """As they are written."""


@dataclass(frozen=True)
class VideoFigures:
    """Frames and times of a run of `video`, all its videos together."""

    frames_in: int
    """Frames decoded and restored, by this run or an earlier one that was interrupted."""
    frames_out: int
    """Frames written."""
    duration_s: float
    """How long they are shown, seconds."""
    fps: float | None
    """Frames restored per second of wall time; None where none was."""
    frames_resumed: int = 0
    """Those of the frames that an earlier run had restored."""
    frames_unrestored: int = 0
    """Frames that could not be restored and are as they were."""
    tracks: int | None = None
    """Faces that were followed, each counted once; None where each frame was restored alone, by --temporal 0."""
    flicker: BeforeAfter | None = None
    """Mean absolute difference of a face's pixels from frame to frame once its motion is taken out, grey levels."""
    jitter: BeforeAfter | None = None
    """What landmarks shake by from frame to frame, as measured and as used, in units of the distance of the eyes."""


@dataclass(frozen=True)
class LatencyFigures:
    """Milliseconds from a frame's arrival until it was handed out."""

    p50: float
    """The median."""
    p95: float
    """The 95th percentile."""
    p99: float
    """The 99th percentile."""
    max: float
    """The largest."""


@dataclass(frozen=True)
class LiveFigures:
    """Frames and times of `live`, and of `profile --live`."""

    source_fps: float
    """Frames per second of the source, by its own account."""
    target_fps: float
    """Frames per second that were to be delivered."""
    max_latency_ms: float
    """Milliseconds from a frame's arrival until it is handed out that were allowed."""
    delivered: int
    """Frames handed out."""
    dropped: int
    """Frames that arrived and were not handed out, because a later one was there."""
    fps: float | None
    """Frames handed out per second; None where fewer than two were."""
    latency_ms: LatencyFigures | None
    """From a frame's arrival until it was handed out; None where none was."""
    steps: dict[str, float]
    """Quality step -> seconds on it."""
    verdict: str
    """Whether the target was kept, in one sentence."""
    duration_s: float = 0.0
    """Seconds from the first frame's arrival until the last was handed out."""
    tracks: int = 0
    """Faces that were followed, each counted once until it is lost for some seconds."""
    unrestored: int = 0
    """Frames that could not be restored and were handed out as they were."""
