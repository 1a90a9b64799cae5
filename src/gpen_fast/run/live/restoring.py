"""A live frame after its faces were followed: network or carried change, averaging, fading; then paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gpen_fast.run.job import Cropped, Failed, Restored
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.run.verdict import attempt
from gpen_fast.run.video.averaging import averaged_faces
from gpen_fast.run.video.following import FollowedFrame, restored_alone
from gpen_fast.run.video.frames import DoneFrame, FrameSource, as_decoded
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.video.fading import ShownFaces, Visit, fade_now, visits_after
from gpen_fast.video.reader import DecodedFrame
from gpen_fast.video.segment import FrameTime
from gpen_fast.video.steady import FaceMemory, kept_share
from gpen_fast.video.track import TrackedFace


@dataclass(frozen=True, eq=False)
class LiveFrame:
    """A frame whose faces are known, and how it is to be restored."""

    source: FrameSource
    """The frame."""
    arrived: float
    """When it arrived, seconds by `time.perf_counter`."""
    step: int
    """Number of its quality step."""
    beside: float
    """Seconds that the thread which follows faces worked on it."""
    followed: FollowedFrame | None
    """Its faces; None where it passes through."""
    missed: Mapping[int, int]
    """Track -> frames for which it has not been sure."""


class LiveRestorer:
    """Restores frames in their order, each from those before it alone."""

    def __init__(
        self, steps: Sequence[QualityStep], pipelines: Sequence[FramePipeline], temporal: float
    ) -> None:
        """Takes what restores.

        Args:
            steps: The quality steps.
            pipelines: The stages of each.
            temporal: How much of the frames before is kept, 0 to 1.
        """
        self._steps = steps
        self._pipelines = pipelines
        self._temporal = temporal
        self._memories: dict[int, FaceMemory] = {}
        self._visits: dict[int, Visit] = {}
        # Track -> what the network changed in its crop when it ran last, and frames since then.
        self._changes: dict[int, Tensor] = {}
        self._since = 0
        self._seconds: float | None = None
        self._size = 0

    def restore(self, given: LiveFrame) -> tuple[Restored | Failed | None, float]:
        """The frame with restored faces, ready to be pasted.

        Returns:
            The frame, None where it passes through, and the seconds that its network call took.

        Raises:
            GpenError: The network or the device fails.
        """
        frame = given.followed
        if frame is None:
            self._forget()
            self._seconds = self._seconds or 0.0
            return None, 0.0
        step, pipeline = self._steps[given.step], self._pipelines[given.step]
        if frame.is_cut or step.runtime.size != self._size:
            self._forget_looks()
            self._size = step.runtime.size
        before, self._seconds = self._seconds, frame.seconds
        picture, network = self._called(frame, step, pipeline)
        faces = frame.faces if isinstance(picture, Restored) else ()
        shown = ShownFaces(frozenset(face.number for face in faces), frame.is_cut)
        self._visits = visits_after(self._visits, shown, is_first=before is None)
        if isinstance(picture, Failed):
            self._forget_looks()
            return picture, network
        picture = self._averaged(picture, faces, frame.seconds - (before or 0.0), carried=not network)
        fades = tuple(fade_now(self._visits[face.number], given.missed.get(face.number, 0)) for face in faces)
        return replace(picture, fades=fades), network

    def _called(
        self, frame: FollowedFrame, step: QualityStep, pipeline: FramePipeline
    ) -> tuple[Restored | Failed, float]:
        """The frame after the network, or with the last change; and the seconds of the call."""
        picture = frame.picture
        assert not isinstance(picture, Restored), "the network has not run"
        if isinstance(picture, Failed):
            return picture, 0.0
        self._since += 1
        if self._since < step.every and all(face.number in self._changes for face in frame.faces):
            return carried(picture, [self._changes[face.number] for face in frame.faces]), 0.0
        begun = pipeline.clock.now()
        made = restored_alone(pipeline, picture)
        self._since = 0
        if isinstance(made, Restored):
            self._changes = {
                face.number: after.short() - crop.short()
                for face, crop, after in zip(frame.faces, picture.crops.pixels, made.restored, strict=True)
            }
        return made, (pipeline.clock.now() - begun) / 1e9 if frame.faces else 0.0

    def _averaged(
        self, picture: Restored, faces: Sequence[TrackedFace], seconds: float, *, carried: bool
    ) -> Restored:
        if not self._temporal:
            return picture
        kept, known = kept_share(self._temporal, max(0.0, seconds)), self._memories
        options = self._pipelines[0].runtime.settings.paste
        numbers = [face.number for face in faces]
        carries = carried and all(number in known for number in numbers)
        needs = [known[number].need for number in numbers] if carries else None
        steady, self._memories = averaged_faces(picture, faces, known, kept, options, needs)
        return steady

    def _forget(self) -> None:
        self._forget_looks()
        self._visits = {}

    def _forget_looks(self) -> None:
        """Another network, or another scene: nothing of the frames before fits."""
        self._memories, self._changes = {}, {}


@torch.inference_mode()
def carried(picture: Cropped, changes: Sequence[Tensor]) -> Restored:
    """A frame with changes of an earlier one.

    Args:
        picture: The frame.
        changes: (3,S,S) int16 for each face: what the network changed in its crop.
    """
    made = tuple(
        (crop.short() + change).clamp_(0, 255).to(crop.dtype)
        for crop, change in zip(picture.crops.pixels, changes, strict=True)
    )
    return Restored(picture.picture, picture.faces, picture.crops, made)


def in_samples(pipeline: FramePipeline, picture: Restored | Failed | None, source: FrameSource) -> DoneFrame:
    """The frame in its own samples; one that failed stays as it was decoded.

    Args:
        pipeline: The stages.
        picture: What `LiveRestorer.restore` gave.
        source: The frame.
    """
    if picture is None:
        return passed_through(source.decoded)
    pasted = attempt(pipeline.paste, picture)
    return as_decoded(pasted) if isinstance(pasted, Failed) else pipeline.finish(pasted)


def passed_through(decoded: DecodedFrame) -> DoneFrame:
    """A frame as it was decoded."""
    return DoneFrame(decoded.index, decoded.frame, FrameTime(decoded.pts, decoded.duration))
