"""Which videos become which files. Imports neither torch nor PyAV."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpen_fast.errors import InputsError
from gpen_fast.files import nearest_file
from gpen_fast.run.walk import Told, exists, expanded, is_folder, real, walk
from gpen_fast.settings import VideoOptions

# Suffix -> FFmpeg's name of the container that is written under it.
CONTAINERS = {
    "mp4": "mp4", "m4v": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm", "avi": "avi", "ts": "mpegts",
    "m2ts": "mpegts", "mts": "mpegts", "flv": "flv", "mpg": "mpeg", "mpeg": "mpeg", "vob": "mpeg", "3gp": "3gp",
    "ogv": "ogg", "mxf": "mxf", "nut": "nut", "wmv": "asf", "asf": "asf", "gif": "gif",
}  # fmt: skip
# Containers by the names that users type.
_CALLED = {"mkv": "matroska", "ts": "mpegts", "wmv": "asf", "ogv": "ogg", "m4v": "mp4"}
_SUFFIX_OF = {"matroska": "mkv", "mpegts": "ts", "asf": "wmv", "ogg": "ogv", "mpeg": "mpg"}


@dataclass(frozen=True)
class VideoItem:
    """A video that is to be restored."""

    source: Path
    """The input."""
    target: Path
    """The output."""
    container: str
    """FFmpeg's name of the output's format."""


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
    """Finds the videos, and names their outputs.

    Args:
        inputs: Files, folders and glob patterns.
        out: A file's name where there is one input file; else a folder.
        options: Container, and whether existing results are restored again.

    Raises:
        InputsError: No video is named, or two results would have one name, or a result would replace its input.
    """
    plan, names = VideoPlan(), expanded(inputs, out)
    one = len(names) == 1 and not is_folder(names[0])
    out_is_file = one and not is_folder(out) and (bool(out.suffix) or options.container is None)
    for name in names:
        if not exists(name):
            raise InputsError(f"{name}: no such file or folder.{nearest_file(name)}")
        if is_folder(name):
            _walk_folder(name, out, options, plan)
        else:
            _add(
                plan,
                VideoItem(name, out, _container(out, options))
                if out_is_file
                else _into(out, name, name.parent, options),
            )
    _settle(plan, options)
    if not (plan.todo or plan.skipped or plan.failed):
        raise InputsError(
            f"no video in {', '.join(inputs)}: videos are files that end in {', '.join(sorted(CONTAINERS))}. "
            "Name a file to have it read whatever its name."
        )
    return plan


def _walk_folder(folder: Path, out: Path, options: VideoOptions, plan: VideoPlan) -> None:
    for path in walk(folder, real(out), plan.failed, plan.notes):
        if path.suffix.lower().removeprefix(".") in CONTAINERS:
            _add(plan, _into(out, path, folder, options))
        else:
            plan.ignored.append(path)


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


def _add(plan: VideoPlan, item: VideoItem) -> None:
    plan.todo.append(item)


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
    if not options.overwrite:
        plan.skipped = [item for item in plan.todo if os.path.lexists(item.target)]
        plan.todo = [item for item in plan.todo if not os.path.lexists(item.target)]
