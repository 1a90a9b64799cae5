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

from gpen_fast.device.threads import cores_beside, on_cores, own_torch_threads
from gpen_fast.image.similarity import Points
from gpen_fast.run.job import Cropped, Failed, Restored
from gpen_fast.run.verdict import attempt, reach_of
from gpen_fast.run.video.averaging import Memories, averaged_faces
from gpen_fast.run.video.counts import TRACKS
from gpen_fast.run.video.following import FollowedFrame, followed_frame, restored_alone
from gpen_fast.run.video.frames import DoneFrame, FilmSource, as_decoded
from gpen_fast.run.video.line_state import LineState
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.threads import ReadAheadThread
from gpen_fast.video.fading import FADE_FRAMES, ShownFaces, Visit, fade_of, visits_after
from gpen_fast.video.score import FaceMeter
from gpen_fast.video.steady import kept_share
from gpen_fast.video.track import Tracker, TrackState

# Frames that wait between two threads.
_AHEAD = 2


@dataclass(frozen=True, eq=False)
class _Steady:
    """A frame whose faces are averaged with those of the frames before."""

    frame: FollowedFrame
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
        # While one call of the network runs, the frames of the next are followed and those of the last are pasted.
        ahead = max(_AHEAD, self._pipeline.runtime.generator.batch_size)
        followed = on_cores(1, lambda: self._tracked(sources, time_base, begun.tracks))
        with (
            contextlib.closing(ReadAheadThread(followed, ahead, "tracker")) as tracked,
            contextlib.closing(
                ReadAheadThread(
                    on_cores(
                        cores_beside(2), lambda: self._averaged(iter(tracked), begun, is_first=state is None)
                    ),
                    ahead,
                    "network",
                )
            ) as averaged,
            own_torch_threads(1),
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
    ) -> Iterator[FollowedFrame]:
        for source in sources:
            seconds = float(source.time.pts * time_base)
            tracked, state = followed_frame(self._pipeline, self._tracker, source, state, seconds)
            yield tracked

    def _averaged(
        self, tracked: Iterator[FollowedFrame], begun: LineState, *, is_first: bool
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
                given: Memories = {} if frame.is_cut else memories
                options = self._pipeline.runtime.settings.paste
                restored, memories = averaged_faces(restored, faces, given, kept, options)
            else:
                memories = {}
            last, is_first = frame.seconds, False
            yield _Steady(replace(frame, picture=restored, faces=faces), before, shown, visits)

    def _generated(self, tracked: Iterator[FollowedFrame]) -> Iterator[FollowedFrame]:
        """The frames after the network, as many in a call as fill it."""
        size = self._pipeline.runtime.generator.batch_size
        group: list[FollowedFrame] = []
        faces = 0
        for frame in tracked:
            group.append(frame)
            faces += len(frame.faces)
            if faces >= size or len(group) >= max(_AHEAD, size):
                yield from self._called(group)
                group, faces = [], 0
        yield from self._called(group)

    def _called(self, group: Sequence[FollowedFrame]) -> Iterator[FollowedFrame]:
        pipeline = self._pipeline
        try:
            batch = pipeline.launch([each.picture for each in group if isinstance(each.picture, Cropped)])
            settled = iter(pipeline.settle(batch))
        except Exception as error:  # broad: `reach_of` decides; each frame alone may succeed
            if reach_of(error, in_network=True) == "run":
                raise
            settled = iter(
                [
                    restored_alone(pipeline, each.picture)
                    for each in group
                    if isinstance(each.picture, Cropped)
                ]
            )
        for each in group:
            yield replace(each, picture=next(settled)) if isinstance(each.picture, Cropped) else each

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
