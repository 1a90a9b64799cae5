"""A frame with its faces: loaded, followed from the frame before, detected where that is wanted, and cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gpen_fast.detections.cache import found_by
from gpen_fast.run.job import Cropped, Detected, Failed, Loaded, Restored, failed
from gpen_fast.run.verdict import attempt, reach_of
from gpen_fast.run.video.frames import FilmSource
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.stages.align import landmarks_of
from gpen_fast.stages.detect.base import select_faces
from gpen_fast.video.track import TrackedFace, Tracker, TrackState


@dataclass(frozen=True, eq=False)
class FollowedFrame:
    """A frame whose faces are known."""

    picture: Cropped | Restored | Failed
    """The frame."""
    before: TrackState
    """Before the frame."""
    seconds: float
    """Its time."""
    faces: tuple[TrackedFace, ...]
    """Those that are restored, in the picture's order."""
    is_cut: bool
    """Whether a new scene begins with it."""
    new_tracks: int
    """Faces that were not followed before it."""


def followed_frame(
    pipeline: FramePipeline, tracker: Tracker, source: FilmSource, state: TrackState, seconds: float
) -> tuple[FollowedFrame, TrackState]:
    """The frame with its faces cut out, and the tracks after it. One that fails leaves the tracks as they were.

    Args:
        pipeline: The stages.
        tracker: Follows the faces.
        source: The frame.
        state: The tracks before it.
        seconds: Its time.

    Raises:
        GpenError: What ends a run: see `run.verdict`.
    """
    loaded = attempt(pipeline.take, source)
    try:
        return _followed(pipeline, tracker, loaded, state, seconds)
    except Exception as error:  # broad: `reach_of` decides, as for every stage
        if reach_of(error) == "run":
            raise
        return FollowedFrame(failed(source, error), state, seconds, (), False, 0), state


def restored_alone(pipeline: FramePipeline, picture: Cropped) -> Restored | Failed:
    """A frame through the network in a call of its own.

    Args:
        pipeline: The stages.
        picture: The frame.

    Raises:
        GpenError: What ends a run: see `run.verdict`.
    """
    try:
        return pipeline.settle(pipeline.launch([picture]))[0]
    except Exception as error:  # broad: `reach_of` decides
        if reach_of(error, in_network=True) == "run":
            raise
        return failed(picture, error)


def _followed(
    pipeline: FramePipeline, tracker: Tracker, loaded: Loaded | Failed, state: TrackState, seconds: float
) -> tuple[FollowedFrame, TrackState]:
    if isinstance(loaded, Failed):
        return FollowedFrame(loaded, state, seconds, (), False, 0), state
    frame = loaded.frame
    span = pipeline.clock.open("track", on_device=False, pictures=(loaded.source.index,))
    with span:
        look = tracker.look(state, frame, seconds)
    found = None
    if look.wants_detection:
        with span:
            quick = pipeline.quick(loaded)
        seen = pipeline.detect_now(quick).found
        found = [replace(face, landmarks=landmarks_of(face, seen.box_points)) for face in seen.faces]
    with span:
        step = tracker.settle(state, look, frame, seconds, found)
    pipeline.clock.close(span)
    detected, faces = _chosen(pipeline, loaded, step.faces)
    new = step.state.next_number - state.next_number
    tracked = FollowedFrame(attempt(pipeline.crop, detected), state, seconds, faces, look.is_cut, new)
    return tracked, step.state


def _chosen(
    pipeline: FramePipeline, loaded: Loaded, tracked: Sequence[TrackedFace]
) -> tuple[Detected, tuple[TrackedFace, ...]]:
    """The faces that the options let through."""
    runtime = pipeline.runtime
    by_face = {id(each.face): each for each in tracked}
    faces = [each.face for each in tracked]
    chosen = tuple(select_faces(faces, loaded.frame, runtime.settings.detect))
    found = found_by(runtime.detector, faces, runtime.settings.detect)
    detected = Detected(replace(loaded, faces_found=len(faces)), found, chosen)
    return detected, tuple(by_face[id(face)] for face in chosen)
