"""A contact sheet of a video: frames evenly over its length, before on the left, after on the right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpen_fast.errors import InputsError, VideoError
from gpen_fast.files import write_file
from gpen_fast.image.colour import to_8bit
from gpen_fast.image.convert import to_array
from gpen_fast.measure.clock import Clock
from gpen_fast.measure.recorder import Recorder
from gpen_fast.run.runtime import Runtime
from gpen_fast.run.video.films import PictureFrameSource, part_of
from gpen_fast.run.video.frames import FrameSource, into_frame, upright
from gpen_fast.run.video.pipeline import FramePipeline
from gpen_fast.run.video.plan_frames import named_sequence
from gpen_fast.settings import VIDEO_STAGES, VideoOptions, formats, suffix_of
from gpen_fast.stages.save.base import open_writer
from gpen_fast.types import Frame
from gpen_fast.video.colour import to_rgb
from gpen_fast.video.reader import DecodedFrame, VideoReader

_QUALITY = 95


def write_preview(runtime: Runtime, source: Path, target: Path, options: VideoOptions, count: int) -> None:
    """Restores some frames of a video and writes them as one picture, each at its full size.

    Args:
        runtime: What restores.
        source: The video.
        target: The picture.
        options: Which part of the video.
        count: Frames at most, one below the other.

    Raises:
        InputsError: The target's name is not a picture's.
        VideoError: The video cannot be read, or has no frame in that part.
        OSError: A file cannot be read or written.
    """
    kind = suffix_of(target)
    if kind not in formats():
        raise InputsError(f"{target}: --preview writes a picture. End its name in .png or .jpg.")
    pipeline = FramePipeline(runtime, Clock(Recorder(stages=VIDEO_STAGES)))
    sequence = named_sequence(source)
    rows = [
        _row(pipeline, source, decoded) for decoded in ([] if sequence else _evenly(source, options, count))
    ]
    if sequence is not None:
        part = part_of(sequence, options)
        rows = [_picture_row(pipeline, sequence.path(part[at])) for at in sorted(_places(len(part), count))]
    if not rows:
        raise VideoError("no frame in the part that --start and --end name.")
    sheet = torch.from_numpy(np.ascontiguousarray(np.vstack(rows).transpose(2, 0, 1)))
    write_file(target, open_writer(kind).encode(Frame(sheet), quality=_QUALITY))


def _row(pipeline: FramePipeline, source: Path, decoded: DecodedFrame) -> NDArray[np.uint8]:
    """(H,2W,3): the frame, and its restored form as it would be encoded."""
    before = upright(to_rgb(decoded.frame), decoded.rotation).copy()
    done = into_frame(pipeline.restore(FrameSource(0, source, decoded=decoded)))
    return np.hstack([before, upright(to_rgb(done.frame), decoded.rotation)])


def _picture_row(pipeline: FramePipeline, path: Path) -> NDArray[np.uint8]:
    """(H,2W,3): a numbered picture, and its restored form."""
    done = pipeline.restore(PictureFrameSource(0, path, 0))
    return np.hstack([to_8bit(to_array(Frame(each.pixels))) for each in (done.frame, done.result)])


def _places(total: int, count: int) -> set[int]:
    """The middles of `count` equal parts."""
    return {(2 * part + 1) * total // (2 * count) for part in range(count)} if total else set()


def _evenly(source: Path, options: VideoOptions, count: int) -> Iterator[DecodedFrame]:
    """Frames in the middle of `count` equal parts. Frames are counted first: not every container tells their number."""
    total = sum(1 for _ in _frames(source, options))
    wanted = _places(total, count)
    for decoded in _frames(source, options):
        if decoded.index in wanted:
            yield decoded


def _frames(source: Path, options: VideoOptions) -> Iterator[DecodedFrame]:
    with VideoReader(source, deinterlace=options.deinterlace) as reader:
        yield from reader.frames(options.start_s, options.end_s)
