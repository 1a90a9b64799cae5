"""The part of a plan that is about numbered pictures, as inputs or as results. Imports neither torch nor PyAV."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.numbered import (
    FrameNames,
    FrameSequence,
    first_number,
    frames_between,
    is_pattern,
    names_of_pattern,
    pictures_among,
    results_of,
    sequence_in,
    sequence_of_pattern,
)
from gpen_fast.run.video.work_folder import frames_work_folder
from gpen_fast.run.walk import is_folder, real
from gpen_fast.settings import VideoOptions

# Of a video that became pictures: when each is shown. It is written last.
TIMES_FILE = "frames.json"


def check_frame_options(out: Path, options: VideoOptions) -> None:
    """Refuses flags that have no meaning together.

    Raises:
        InputsError: OUT is no folder or pattern, though pictures are to be written; or it is a pattern, and they are
            not; or flags of an encoder are given with them.
    """
    if not options.frames:
        if is_pattern(out) and not options.preview:
            raise InputsError(f"{out}: is the name of numbered pictures. Add --frames to have them written.")
        return
    if options.preview:
        return
    if not is_folder(out) and out.suffix and not is_pattern(out):
        raise InputsError(
            f"{out}: --frames writes numbered pictures. Name a folder, or a pattern such as out/shot_%05d.png."
        )
    for flag in ("codec", "crf", "preset", "pixel_format", "container"):
        if getattr(options, flag) is not None:
            raise InputsError(
                f"--{flag.replace('_', '-')} is for videos, and --frames writes pictures: leave one out."
            )


def sequence_item(
    sequence: FrameSequence, below: Path, out: Path, options: VideoOptions, container: str
) -> VideoItem:
    """The item of numbered pictures that become pictures; or a video, whose target is still to be named.

    Args:
        sequence: The pictures.
        below: Their folder below the input that was named.
        out: The output as the user named it.
        options: What is written.
        container: FFmpeg's name of the output's format, for a video.

    Raises:
        InputsError: The rate is missing, or results would replace their inputs.
    """
    source = sequence.folder / sequence.shown
    if not options.frames:
        if options.rate is None:
            raise InputsError(
                f"{source}: numbered pictures have no rate of their own. Add --fps 24, or their true rate."
            )
        return VideoItem(source, out, container, sequence)
    if options.rate is None and (options.start or options.end):
        raise InputsError(f"{source}: --start and --end are times. Add --fps 24, or the pictures' true rate.")
    if is_pattern(out):
        made = VideoItem(source, out.parent, "", sequence, names_of_pattern(out, first_number(sequence)))
    else:
        made = VideoItem(source, out / below, "", sequence, results_of(sequence))
    if real(made.target) == real(sequence.folder):
        raise InputsError(f"{made.target}: the output folder is that of the inputs. Name another.")
    return made


def video_as_pictures(video: Path, below: Path | None, out: Path) -> VideoItem:
    """The item of a video that becomes pictures.

    Args:
        video: The video.
        below: Its path below the input folder that was named; None: it was named itself, alone.
        out: The output as the user named it.
    """
    if is_pattern(out):
        return VideoItem(video, out.parent, "", pictures=names_of_pattern(out))
    target = out if below is None else out / below.with_suffix("")
    return VideoItem(video, target, "", pictures=FrameNames(".png", f"{video.stem}_"))


def has_pictures(item: VideoItem, options: VideoOptions) -> bool:
    """Whether the pictures of an item's result are there, all of them.

    Raises:
        InputsError: Some are, and no unfinished run has left them.
    """
    names = item.pictures
    assert names is not None, "an item whose result is pictures"
    if item.sequence is None:
        wanted, found = 0, (item.target / TIMES_FILE).exists()
        first = next(names.existing(item.target), None)
    else:
        part = frames_between(len(item.sequence), options.rate_or_film, options.start_s, options.end_s)
        there = [names.name(each) for each in part if names.is_there(item.target, each)]
        wanted, found, first = len(part), bool(part) and len(there) == len(part), next(iter(there), None)
    if frames_work_folder(item.target).exists():
        return False
    if first is not None and not found:
        of = f" (of {wanted} that are to be written)" if wanted else ""
        raise InputsError(
            f"{item.target / first}: exists{of}, and no unfinished run has left it. Name an empty folder, or add "
            "--overwrite to replace it."
        )
    return found


def named_sequence(source: Path) -> FrameSequence | None:
    """The numbered pictures that a name stands for, a folder's or a pattern's; None where it is a file.

    Raises:
        InputsError: They are no sequence, or a folder has none.
    """
    if is_pattern(source):
        return sequence_of_pattern(source)
    if not is_folder(source):
        return None
    pictures = pictures_among([each.name for each in source.iterdir() if each.is_file()])
    if not pictures:
        raise InputsError(f"{source}: holds no numbered pictures. Name a video, or a folder of pictures.")
    return sequence_in(source, pictures)


def as_video(item: VideoItem, target: Path, container: str) -> VideoItem:
    """The item of numbered pictures with the video that they become."""
    return replace(item, target=target, container=container)
