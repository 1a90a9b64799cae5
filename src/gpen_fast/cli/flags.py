"""The flags that commands share, and how they become one frozen Settings. Imports no torch."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated

import typer

from gpen_fast import plugins
from gpen_fast.errors import InputsError, SettingsError, reason
from gpen_fast.run.plan import PICTURES
from gpen_fast.settings import AUTO_SIZE, PRECISIONS, TEMPLATES, Settings, suffix_of
from gpen_fast.store.catalog import generators


def _one_of(*values: str) -> str:
    return "|".join(values)


Model = Annotated[str, typer.Option(metavar="NAME", help=f"auto, {', '.join(generators())}.")]
Weights = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Checkpoint: .pth, .pt or .safetensors; its figures are read off it."),
]
WeightsDir = Annotated[
    str | None, typer.Option("--weights-dir", metavar="FOLDER", help="Look for weights here first.")
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Never touch the network; GPEN_FAST_OFFLINE=1 does the same.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Accept the licence of weights to be fetched.")]
Detector = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=f"What finds the faces: auto, {', '.join(plugins.names('detect'))}."),
]
DetectSize = Annotated[
    str,
    typer.Option(
        metavar="auto|full|PX",
        help="Long side at which faces are sought; auto: 640, up to 1600 where they are small.",
    ),
]
DetectThreshold = Annotated[
    float | None,
    typer.Option(metavar="0..1", help="Score from which it is a face.", show_default="the detector's own"),
]
Landmarks = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Faces found before (--save-landmarks): not sought again."),
]
SaveLandmarks = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Add the faces found to FILE, for --landmarks."),
]
SkipDetect = Annotated[
    bool, typer.Option("--skip-detect", help="Each picture is one aligned face: same as --detector none.")
]
Device = Annotated[
    str, typer.Option(metavar="auto|cpu|cuda|cuda:N", help="Where to run; never replaced silently.")
]
Precision = Annotated[
    str | None, typer.Option(metavar=_one_of(*PRECISIONS), help="Arithmetic of the network.")
]
Fp16 = Annotated[
    bool,
    typer.Option("--fp16", help="Half precision: fp16 on CUDA, on a CPU bf16 where it is native, else fp32."),
]
Backend = Annotated[
    str,
    typer.Option(metavar="NAME", help=f"How the network runs: auto, {', '.join(plugins.names('generate'))}."),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, help="Faces per network call.", show_default="8 on CUDA; on a CPU up to 8 below 512 px, else 1"
    ),
]
Strength = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Blend: 0 keeps the input, 1 restores fully.")
]
OnlyLargest = Annotated[bool, typer.Option("--only-largest", help="Restore the largest face only.")]
OnlyCenter = Annotated[
    bool, typer.Option("--only-center", help="Restore the face nearest to the centre only.")
]
MinFace = Annotated[int, typer.Option(metavar="PX", min=0, help="Leave faces alone whose box is narrower.")]
Template = Annotated[
    str | None,
    typer.Option(
        metavar=_one_of(*TEMPLATES), help="Where a face lies in its crop.", show_default="the model's own"
    ),
]
MaxPixels = Annotated[
    int, typer.Option(metavar="N", min=1, help="Refuse pictures that declare more, unread.")
]
GpuDecode = Annotated[
    bool, typer.Option("--gpu-decode", help="Decode JPEG on the GPU; its pixels differ slightly.")
]
JsonFile = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write the report as JSON.")]


def report_path(name: str | None) -> Path | None:
    """Where `--json` writes, checked before the work starts whose report would be lost."""
    if name is None:
        return None
    return _target("--json", Path(name), "a .json file")


def refuse_one_file(report_to: Path | None, *landmarks: Path | None) -> None:
    """InputsError where the report would replace a file of landmarks, or be replaced by it."""
    if report_to and any(path and path.resolve() == report_to.resolve() for path in landmarks):
        raise InputsError(
            f"--json {report_to}: is the file of landmarks too, and one would replace the other. Name two files."
        )


def _target(flag: str, path: Path, wanted: str) -> Path:
    """The file that `flag` is to write, links followed. InputsError where that is no plain file, or cannot be."""
    try:
        target = path.resolve() if path.is_symlink() else path
        what = "picture" if suffix_of(target) in PICTURES else _special(path)
        has_folder = target.absolute().parent.is_dir()
    # A loop of links is a RuntimeError.
    except (OSError, RuntimeError) as cause:
        raise InputsError(f"{flag} {path}: {reason(cause, path)}. Name {wanted}.") from cause
    if what:
        raise InputsError(f"{flag} {path}: is a {what}. Name {wanted}.")
    if not has_folder:
        raise InputsError(f"{flag} {path}: there is no folder {target.parent}. Make it first.")
    return target


def _special(path: Path) -> str:
    """What is there instead of a plain file, "" where there is one or nothing."""
    try:
        # Of the name as given: what /dev/stdout leads to has no name of its own.
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISREG(mode):
        return ""
    kinds = {stat.S_IFDIR: "folder", stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(mode), "device")


def settings_from(
    *,
    detector: str | None,
    skip_detect: bool,
    precision: str | None,
    fp16: bool,
    detect_size: str = AUTO_SIZE,
    **rest: object,
) -> Settings:
    """One frozen Settings from the flags; SettingsError where two contradict each other."""
    if skip_detect and detector not in (None, "none"):
        raise SettingsError(f"--skip-detect and --detector {detector} contradict each other: leave one out.")
    if fp16 and precision not in (None, "fp16"):
        raise SettingsError(f"--fp16 and --precision {precision} contradict each other: leave one out.")
    if precision is not None and precision not in PRECISIONS:
        raise SettingsError(f"precision {precision!r}: accepted are {', '.join(PRECISIONS)}.")
    chosen = "none" if skip_detect else detector or "auto"
    size = int(detect_size) if detect_size.isdecimal() else detect_size
    chosen_precision = precision or ("half" if fp16 else "auto")
    return Settings(detector=chosen, precision=chosen_precision, detect_size=size, **rest)  # type: ignore[arg-type]


def landmarks_path(path: Path | None, settings: Settings) -> Path | None:
    """Where `--save-landmarks` writes, if the run looks for faces at all."""
    if path is None:
        return None
    if settings.aligned:
        raise SettingsError("--save-landmarks has nothing to save without detection: leave one out.")
    return _target("--save-landmarks", path, "a .jsonl file")
