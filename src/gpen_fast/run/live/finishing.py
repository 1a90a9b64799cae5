"""A live frame after the network: averaged with those before, faded, pasted into its own samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gpen_fast.run.job import Failed, Restored
from gpen_fast.run.live.restoring import LiveMade
from gpen_fast.run.verdict import attempt
from gpen_fast.run.video.averaging import averaged_faces
from gpen_fast.run.video.frames import DoneFrame, as_decoded
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.video.fading import ShownFaces, Visit, fade_now, visits_after
from gpen_fast.video.reader import DecodedFrame
from gpen_fast.video.segment import FrameTime
from gpen_fast.video.steady import FaceMemory, kept_share
from gpen_fast.video.track import TrackedFace

# Frames from one measurement of how much of the restoration a face needs to the next: that changes slowly, and is
# averaged along the track.
_NEED_EVERY = 3


class LiveFinisher:
    """Finishes frames in their order, each from those before it alone; some of them may have been left out."""

    def __init__(self, pipelines: Sequence[FramePipeline], temporal: float) -> None:
        """Takes what pastes.

        Args:
            pipelines: The stages of each quality step.
            temporal: How much of the frames before is kept, 0 to 1.
        """
        self._pipelines = pipelines
        self._temporal = temporal
        self._memories: dict[int, FaceMemory] = {}
        self._visits: dict[int, Visit] = {}
        self._cuts = self._looks = 0
        self._seconds: float | None = None
        self._since_need = 0

    def finish(self, made: LiveMade) -> DoneFrame:
        """The frame in its own samples; one that failed stays as it was decoded.

        Raises:
            GpenError: The device fails.
        """
        given, picture, frame = made.given, made.picture, made.given.followed
        if frame is None or picture is None:
            self._memories, self._visits = {}, {}
            self._seconds = self._seconds or 0.0
            return passed_through(given.source.decoded)
        if made.looks != self._looks or isinstance(picture, Failed):
            self._memories = {}
        faces = () if isinstance(picture, Failed) else frame.faces
        shown = ShownFaces(frozenset(face.number for face in faces), made.cuts != self._cuts)
        self._visits = visits_after(self._visits, shown, is_first=self._seconds is None)
        since = frame.seconds - (self._seconds or 0.0)
        self._cuts, self._looks, self._seconds = made.cuts, made.looks, frame.seconds
        if isinstance(picture, Failed):
            return as_decoded(picture)
        averaged = self._averaged(picture, faces, since, carried=not made.network)
        fades = tuple(fade_now(self._visits[face.number], given.missed.get(face.number, 0)) for face in faces)
        pipeline = self._pipelines[given.step]
        pasted = attempt(pipeline.paste, replace(averaged, fades=fades))
        return as_decoded(pasted) if isinstance(pasted, Failed) else pipeline.finish(pasted)

    def _averaged(
        self, picture: Restored, faces: Sequence[TrackedFace], seconds: float, *, carried: bool
    ) -> Restored:
        if not self._temporal:
            return picture
        kept, known = kept_share(self._temporal, max(0.0, seconds)), self._memories
        options = self._pipelines[0].runtime.settings.paste
        numbers = [face.number for face in faces]
        self._since_need += 1
        is_known = all(number in known for number in numbers)
        carries = is_known and (carried or self._since_need < _NEED_EVERY)
        needs = [known[number].need for number in numbers] if carries else None
        if not carries:
            self._since_need = 0
        steady, self._memories = averaged_faces(picture, faces, known, kept, options, needs)
        return steady


def passed_through(decoded: DecodedFrame) -> DoneFrame:
    """A frame as it was decoded."""
    return DoneFrame(decoded.index, decoded.frame, FrameTime(decoded.pts, decoded.duration))
