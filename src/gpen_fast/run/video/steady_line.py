"""The frames of a video through the stages, with what the frames around each tell: faces without flicker.

Three threads beside the decoder's and the encoder's: one follows the faces, one runs the network and averages along the
tracks, and the caller's pastes, once the next five frames have told whether a face leaves.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import torch

from gpen_fast.detections.cache import found_by
from gpen_fast.image.similarity import Points
from gpen_fast.run.job import Cropped, Detected, Failed, Loaded, Restored, failed
from gpen_fast.run.verdict import attempt, reach_of
from gpen_fast.run.video.counts import TRACKS
from gpen_fast.run.video.frames import DoneFrame, FilmSource, as_decoded
from gpen_fast.run.video.line_state import LineState
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.threads import ReadAheadThread
from gpen_fast.stages.align import landmarks_of
from gpen_fast.stages.detect.base import select_faces
from gpen_fast.stages.need.blend import measured_need
from gpen_fast.types import FaceBatch
from gpen_fast.video.fading import FADE_FRAMES, ShownFaces, Visit, fade_of, visits_after
from gpen_fast.video.score import FaceMeter
from gpen_fast.video.steady import FaceMemory, kept_share, steadied
from gpen_fast.video.track import TrackedFace, Tracker, TrackState

# Frames that wait between two threads.
_AHEAD = 2


@dataclass(frozen=True, eq=False)
class _Tracked:
    """A frame whose faces are known."""

    picture: Cropped | Restored | Failed
    before: TrackState
    """Before the frame."""
    seconds: float
    faces: tuple[TrackedFace, ...]
    """Those that are restored, in the picture's order."""
    is_cut: bool
    new_tracks: int


@dataclass(frozen=True, eq=False)
class _Steady:
    """A frame whose faces are averaged with those of the frames before."""

    frame: _Tracked
    before: LineState
    shown: ShownFaces
    visits: dict[int, Visit]
    """Of its own faces."""


class SteadyLine:
    """Restores the frames of one video in their order, on one device."""

    def __init__(
        self, pipeline: FramePipeline, tracker: Tracker, temporal: float, stopped: threading.Event
    ) -> None:
        """Takes what restores.

        Args:
            pipeline: The stages.
            tracker: Follows the faces.
            temporal: How much of the frames before is kept, above 0 and up to 1.
            stopped: Once it is set, frames whose next five are not known are left to the next run.
        """
        self._pipeline = pipeline
        self._tracker = tracker
        self._temporal = temporal
        self._stopped = stopped
        self._meter = FaceMeter()
        self.next_state: LineState | None = None
        """Before the first frame that was not given; None where all were."""

    def restored(
        self, sources: Iterator[FilmSource], time_base: Fraction, state: LineState | None
    ) -> Iterator[DoneFrame]:
        """The frames, restored; one that fails stays as it was decoded.

        Args:
            sources: The frames in their order.
            time_base: Of their time stamps, seconds.
            state: Before the first of them; None: it is the film's first.
        """
        begun = state or LineState()
        with (
            contextlib.closing(
                ReadAheadThread(self._tracked(sources, time_base, begun.tracks), _AHEAD)
            ) as tracked,
            contextlib.closing(
                ReadAheadThread(self._averaged(iter(tracked), begun, is_first=state is None), _AHEAD)
            ) as averaged,
        ):
            waiting: deque[_Steady] = deque()
            for frame in averaged:
                waiting.append(frame)
                if len(waiting) > FADE_FRAMES:
                    yield self._finished(waiting.popleft(), waiting)
            # After an interrupt the frames that follow are not known: the next run begins with these.
            while waiting and not self._stopped.is_set():
                yield self._finished(waiting.popleft(), waiting)
            self.next_state = waiting[0].before if waiting else None

    def _tracked(
        self, sources: Iterator[FilmSource], time_base: Fraction, state: TrackState
    ) -> Iterator[_Tracked]:
        for source in sources:
            seconds = float(source.time.pts * time_base)
            loaded = attempt(self._pipeline.load, source)
            try:
                made = self._followed(loaded, state, seconds)
            except Exception as error:  # broad: `reach_of` decides, as for every stage
                if reach_of(error) == "run":
                    raise
                made = _Tracked(failed(source, error), state, seconds, (), False, 0), state
            tracked, state = made
            yield tracked

    def _followed(
        self, loaded: Loaded | Failed, state: TrackState, seconds: float
    ) -> tuple[_Tracked, TrackState]:
        """The frame with its faces, and the tracks after it."""
        if isinstance(loaded, Failed):
            return _Tracked(loaded, state, seconds, (), False, 0), state
        pipeline, frame = self._pipeline, loaded.frame
        span = pipeline.clock.open("track", on_device=False)
        with span:
            look = self._tracker.look(state, frame, seconds)
        found = None
        if look.wants_detection:
            seen = pipeline.detect_now(loaded).found
            found = [replace(face, landmarks=landmarks_of(face, seen.box_points)) for face in seen.faces]
        with span:
            step = self._tracker.settle(state, look, frame, seconds, found)
        pipeline.clock.close(span)
        detected, faces = self._chosen(loaded, step.faces)
        new = step.state.next_number - state.next_number
        tracked = _Tracked(attempt(pipeline.crop, detected), state, seconds, faces, look.is_cut, new)
        return tracked, step.state

    def _chosen(
        self, loaded: Loaded, tracked: Sequence[TrackedFace]
    ) -> tuple[Detected, tuple[TrackedFace, ...]]:
        """The faces that the options let through."""
        runtime = self._pipeline.runtime
        by_face = {id(each.face): each for each in tracked}
        faces = [each.face for each in tracked]
        chosen = tuple(select_faces(faces, loaded.frame, runtime.settings.detect))
        found = found_by(runtime.detector, faces, runtime.settings.detect)
        detected = Detected(replace(loaded, faces_found=len(faces)), found, chosen)
        return detected, tuple(by_face[id(face)] for face in chosen)

    def _averaged(
        self, tracked: Iterator[_Tracked], begun: LineState, *, is_first: bool
    ) -> Iterator[_Steady]:
        """The frames after the network, several of them in a call."""
        memories, visits = dict(begun.faces), dict(begun.visits)
        last = begun.tracks.seconds
        for frame in self._generated(tracked):
            before = LineState(frame.before, memories, visits)
            restored, faces = frame.picture, frame.faces
            if isinstance(restored, Failed):
                faces = ()
            shown = ShownFaces(frozenset(face.number for face in faces), frame.is_cut)
            visits = visits_after(visits, shown, is_first=is_first)
            if isinstance(restored, Restored):
                kept = kept_share(self._temporal, max(0.0, frame.seconds - last))
                restored, memories = self._steadied(restored, faces, {} if frame.is_cut else memories, kept)
            else:
                memories = {}
            last, is_first = frame.seconds, False
            yield _Steady(replace(frame, picture=restored, faces=faces), before, shown, visits)

    def _generated(self, tracked: Iterator[_Tracked]) -> Iterator[_Tracked]:
        """The frames after the network, as many in a call as fill it."""
        size = self._pipeline.runtime.generator.batch_size
        group: list[_Tracked] = []
        faces = 0
        for frame in tracked:
            group.append(frame)
            faces += len(frame.faces)
            if faces >= size or len(group) >= max(_AHEAD, size):
                yield from self._called(group)
                group, faces = [], 0
        yield from self._called(group)

    def _called(self, group: Sequence[_Tracked]) -> Iterator[_Tracked]:
        pipeline = self._pipeline
        try:
            batch = pipeline.launch([each.picture for each in group if isinstance(each.picture, Cropped)])
            settled = iter(pipeline.settle(batch))
        except Exception as error:  # broad: `reach_of` decides; each frame alone may succeed
            if reach_of(error, in_network=True) == "run":
                raise
            settled = iter([self._alone(each.picture) for each in group if isinstance(each.picture, Cropped)])
        for each in group:
            yield replace(each, picture=next(settled)) if isinstance(each.picture, Cropped) else each

    def _alone(self, picture: Cropped) -> Restored | Failed:
        try:
            return self._pipeline.settle(self._pipeline.launch([picture]))[0]
        except Exception as error:  # broad: `reach_of` decides
            if reach_of(error, in_network=True) == "run":
                raise
            return failed(picture, error)

    @torch.inference_mode()
    def _steadied(
        self, picture: Restored, faces: Sequence[TrackedFace], memories: dict[int, FaceMemory], kept: float
    ) -> tuple[Restored, dict[int, FaceMemory]]:
        """The frame's faces averaged with the frames before, and what the next frame is averaged with."""
        if not faces:
            return picture, {}
        options = self._pipeline.runtime.settings.paste
        needs: Sequence[torch.Tensor | None] = [None] * len(faces)
        if options.keep_detail or options.keep_colour:
            needs = list(measured_need(picture.frame, picture.crops, picture.restored))
        made = [
            steadied(memories.get(face.number), crop, restored, need, kept)
            for face, crop, restored, need in zip(
                faces, picture.crops.pixels, picture.restored, needs, strict=True
            )
        ]
        averaged = [each.need for each in made if each.need is not None]
        steady = replace(
            picture,
            crops=FaceBatch(torch.stack([each.crop for each in made]), picture.crops.matrices),
            restored=tuple(each.restored for each in made),
            need=torch.stack(averaged) if averaged else None,
        )
        return steady, {face.number: each.memory for face, each in zip(faces, made, strict=True)}

    def _finished(self, frame: _Steady, later: Sequence[_Steady]) -> DoneFrame:
        """The frame in its own samples, its faces faded, and what was measured of them."""
        picture, faces = frame.frame.picture, frame.frame.faces
        shown = [each.shown for each in later]
        if isinstance(picture, Restored):
            fades = tuple(fade_of(each.number, frame.visits[each.number], shown) for each in faces)
            picture = replace(picture, fades=fades)
            pasted = attempt(self._pipeline.paste, picture)
        else:
            assert isinstance(picture, Failed), "the network's frames are restored or have failed"
            pasted = picture
        if isinstance(pasted, Failed):
            return replace(as_decoded(pasted), state=frame.before.to_bytes)
        places: dict[int, tuple[Points, Points]] = {}
        for each in faces:
            assert each.face.landmarks is not None, "a tracked face has landmarks"
            places[each.number] = each.measured, each.face.landmarks
        measured = self._meter.frame(pasted.frame, pasted.result, places)
        done = self._pipeline.finish(pasted)
        return replace(
            done, state=frame.before.to_bytes, measured={**measured, TRACKS: frame.frame.new_tracks}
        )
