"""Which videos become which files. Imports neither torch nor PyAV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import nearest_file
from gpen_fast.run.video.item import VideoItem
from gpen_fast.run.video.numbered import is_pattern, pictures_among, sequence_in, sequence_of_pattern
from gpen_fast.run.video.plan_frames import (
    as_video,
    check_frame_options,
    has_pictures,
    sequence_item,
    video_as_pictures,
)
from gpen_fast.run.walk import Told, WalkedFolder, exists, expanded, is_folder, real, walk_folders
from gpen_fast.settings import VideoOptions

# Suffix -> FFmpeg's name of the container that is written under it.
CONTAINERS = {
    "mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "avi": "avi", "ts": "mpegts",
    "m2ts": "mpegts", "mts": "mpegts", "flv": "flv", "mpg": "mpeg", "mpeg": "mpeg", "vob": "mpeg", "3gp": "3gp",
    "ogv": "ogg", "mxf": "mxf", "nut": "nut", "wmv": "asf", "asf": "asf", "gif": "gif",
}  # fmt: skip
# Containers by the names that users type.
_CALLED = {"mkv": "matroska", "ts": "mpegts", "wmv": "asf", "ogv": "ogg", "m4v": "mp4"}
# The container of numbered pictures' videos, where nothing names one.
_USUAL = "mp4"
_SUFFIX_OF = {"matroska": "mkv", "mpegts": "ts", "asf": "wmv", "ogg": "ogv", "mpeg": "mpg"}


@dataclass
class VideoPlan:
    """What a run of `video` is to do."""

    todo: list[VideoItem] = field(default_factory=list)
    """In the order of the inputs."""
    skipped: list[VideoItem] = field(default_factory=list)
    """Their output exists."""
    failed: Told = field(default_factory=list)
    """Inputs that cannot be read at all."""
    ignored: list[Path] = field(default_factory=list)
    """Files in folders that are no videos."""
    notes: Told = field(default_factory=list)
    """What a user may not expect."""


def plan_videos(inputs: Sequence[str], out: Path, options: VideoOptions) -> VideoPlan:
    """Finds the videos and numbered pictures, and names their outputs.

    Args:
        inputs: Files, folders, glob patterns, and patterns of numbered pictures.
        out: A file's name where there is one input file; else a folder. With `frames` a folder or a pattern.
        options: Container, rate, and whether existing results are restored again.

    Raises:
        InputsError: No video is named, or two results would have one name, or a result would replace its input.
    """
    check_frame_options(out, options)
    plan, names = VideoPlan(), expanded(inputs, out)
    alone = len(names) == 1
    for name in names:
        if is_pattern(name):
            plan.todo.append(_of_sequence(name, Path(), out, options, alone=alone))
        elif not exists(name):
            raise InputsError(f"{name}: no such file or folder.{nearest_file(name)}")
        elif is_folder(name):
            _walk_folder(name, out, options, plan, alone=alone)
        else:
            plan.todo.append(_of_file(name, out, options, alone=alone))
    _refuse_rate(plan, options)
    _settle(plan, options)
    if not (plan.todo or plan.skipped or plan.failed):
        raise InputsError(_nothing(inputs, plan, options))
    return plan


def _of_file(name: Path, out: Path, options: VideoOptions, *, alone: bool) -> VideoItem:
    """The item of a file that the user named."""
    if options.fps and pictures_among([name.name]):
        raise InputsError(
            f"{name}: is one picture. For the frames of a film name their folder, or a pattern such as shot_%05d.png."
        )
    if options.frames:
        return video_as_pictures(name, None if alone else Path(name.name), out)
    if alone and not is_folder(out) and (bool(out.suffix) or options.container is None):
        return VideoItem(name, out, _container(out, options))
    return _into(out, name, name.parent, options)


def _walk_folder(folder: Path, out: Path, options: VideoOptions, plan: VideoPlan, *, alone: bool) -> None:
    if options.frames and real(out) == real(folder):
        raise InputsError(f"{out}: the output folder is that of the inputs. Name another.")
    for found in walk_folders(folder, real(out), plan.failed, plan.notes):
        files = [entry.name for entry in found.files]
        videos = [each for each in files if _suffix(each) in CONTAINERS]
        pictures = pictures_among(files) if not videos and (options.fps or options.frames) else []
        others = set(files) - set(videos) - set(pictures)
        plan.ignored += [Path(found.below(each)) for each in files if each in others]
        for path in (Path(found.below(each)) for each in videos):
            below = path.relative_to(folder)
            plan.todo.append(
                video_as_pictures(path, below, out) if options.frames else _into(out, path, folder, options)
            )
        if pictures:
            _add_sequence(found, pictures, folder, out, options, plan, alone=alone)


def _add_sequence(
    found: WalkedFolder,
    pictures: list[str],
    root: Path,
    out: Path,
    options: VideoOptions,
    plan: VideoPlan,
    *,
    alone: bool,
) -> None:
    """Adds the pictures of a folder; if they are no sequence, those of others are restored nevertheless."""
    here = Path(found.path)
    below = here.relative_to(root)
    try:
        plan.todo.append(_of_sequence(here, below, out, options, alone=alone, pictures=pictures))
    except InputsError as error:
        if alone and here == root:
            raise
        plan.failed.append((here, str(error)))


def _of_sequence(
    name: Path,
    below: Path,
    out: Path,
    options: VideoOptions,
    *,
    alone: bool,
    pictures: Sequence[str] = (),
) -> VideoItem:
    """The item of numbered pictures: of a pattern, or those of a folder."""
    sequence = sequence_in(name, pictures) if pictures else sequence_of_pattern(name)
    if not alone and below == Path():
        below = Path(sequence.folder.resolve().name)
    item = sequence_item(sequence, below, out, options, "")
    if item.pictures is not None:
        return item
    if alone and below == Path() and not is_folder(out) and out.suffix:
        return as_video(item, out, _container(out, options))
    stem = below if below != Path() else Path(sequence.folder.resolve().name)
    called = _CALLED.get(options.container or _USUAL, options.container or _USUAL)
    return as_video(item, out / f"{stem}.{_SUFFIX_OF.get(called, called)}", called)


def _suffix(name: str) -> str:
    return Path(name).suffix.lower().removeprefix(".")


def _refuse_rate(plan: VideoPlan, options: VideoOptions) -> None:
    videos = [item.source for item in plan.todo if item.sequence is None]
    if options.fps and videos:
        raise InputsError(
            f"{videos[0]}: --fps is the rate of numbered pictures; a video's own rate is kept. Leave it out."
        )


def _nothing(inputs: Sequence[str], plan: VideoPlan, options: VideoOptions) -> str:
    hint = "Name a file to have it read whatever its name."
    if not (options.fps or options.frames) and pictures_among([path.name for path in plan.ignored]):
        hint = "For numbered pictures add --fps 24, or their true rate; --frames writes pictures instead of a video."
    return f"no video in {', '.join(inputs)}: videos are files that end in {', '.join(sorted(CONTAINERS))}. {hint}"


def _into(out: Path, path: Path, home: Path, options: VideoOptions) -> VideoItem:
    """The item of a video whose result goes into a folder, below which the input's folders are kept."""
    target = out / path.relative_to(home)
    if options.container:
        called = _CALLED.get(options.container, options.container)
        return VideoItem(path, target.with_suffix(f".{_SUFFIX_OF.get(called, called)}"), called)
    return VideoItem(path, target, _container(target, options))


def _container(target: Path, options: VideoOptions) -> str:
    if options.container:
        return _CALLED.get(options.container, options.container)
    suffix = target.suffix.lower().removeprefix(".")
    if suffix not in CONTAINERS:
        raise InputsError(
            f"{target}: its name does not say which kind of video it is to be. End it in .mp4, .mov, .mkv, .webm or "
            ".avi, or name a container by --container."
        )
    return CONTAINERS[suffix]


def _settle(plan: VideoPlan, options: VideoOptions) -> None:
    """Refuses clashes, and leaves out what is done."""
    sources = {real(item.source): item.source for item in plan.todo}
    targets: dict[Path, Path] = {}
    for item in plan.todo:
        place = real(item.target)
        if place in sources:
            raise InputsError(
                f"{item.source}: its result would replace {sources[place]}. Name another output."
            )
        if place in targets:
            raise InputsError(
                f"{item.source} and {targets[place]} would both become {item.target}: restore them into two folders."
            )
        targets[place] = item.source
    if options.overwrite:
        return
    todo, plan.todo = plan.todo, []
    for item in todo:
        try:
            done = has_pictures(item, options) if item.pictures else os.path.lexists(item.target)
        except InputsError as error:
            if len(todo) == 1:
                raise
            plan.failed.append((item.source, str(error)))
            continue
        (plan.skipped if done else plan.todo).append(item)
