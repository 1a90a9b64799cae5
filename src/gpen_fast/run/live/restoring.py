"""A live frame after its faces were followed: through the network, or with its last change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gpen_fast.run.job import Cropped, Failed, Restored
from gpen_fast.run.live.steps import QualityStep
from gpen_fast.run.video.following import FollowedFrame, restored_alone
from gpen_fast.run.video.frames import FrameSource
from gpen_fast.run.video.pipeline import FramePipeline


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


@dataclass(frozen=True, eq=False)
class LiveMade:
    """A frame with restored faces, which are to be averaged and pasted."""

    given: LiveFrame
    """The frame."""
    picture: Restored | Failed | None
    """After the network; None where it passes through."""
    network: float
    """Seconds of the network's call; 0 where it did not run."""
    cuts: int
    """Scenes that have begun so far."""
    looks: int
    """How often what is known of the frames before was worthless: another scene, or another network."""


class LiveRestorer:
    """Runs the network over frames in their order, or carries its last change along."""

    def __init__(self, steps: Sequence[QualityStep], pipelines: Sequence[FramePipeline]) -> None:
        """Takes what restores.

        Args:
            steps: The quality steps.
            pipelines: The stages of each.
        """
        self._steps = steps
        self._pipelines = pipelines
        # Track -> what the network changed in its crop when it ran last, and frames since then.
        self._changes: dict[int, Tensor] = {}
        self._since = 0
        self._size = self._cuts = self._looks = 0

    def restore(self, given: LiveFrame) -> LiveMade:
        """The frame after the network.

        Raises:
            GpenError: The network or the device fails.
        """
        frame = given.followed
        if frame is None:
            self._changes = {}
            return LiveMade(given, None, 0.0, self._cuts, self._looks)
        step, pipeline = self._steps[given.step], self._pipelines[given.step]
        if frame.is_cut or step.runtime.size != self._size:
            self._changes, self._size = {}, step.runtime.size
            self._cuts += frame.is_cut
            self._looks += 1
        picture, network = self._called(frame, step, pipeline)
        return LiveMade(given, picture, network, self._cuts, self._looks)

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
