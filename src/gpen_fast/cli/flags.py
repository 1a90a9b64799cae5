"""Flags beside the options of the parts: those of a run, shorthands, and how each flag looks. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from gpen_fast import plugins
from gpen_fast.cli.log_file import LOG_FORMATS, LogFormat, check_log
from gpen_fast.errors import SettingsError
from gpen_fast.settings import (
    ON_CLASH,
    PNG_LEVELS,
    PRECISIONS,
    TEMPLATES,
    DetectOptions,
    GenerateOptions,
    LiveOptions,
    LoadOptions,
    OutputOptions,
    PasteOptions,
    VideoOptions,
    WeightsOptions,
    formats,
)
from gpen_fast.store.catalog import generators


@dataclass(frozen=True)
class RunOptions:
    """What a command does beside restoring."""

    yes: bool = False
    """Accept the licence of weights that are to be fetched."""

    dry_run: bool = False
    """Print what would be done, and stop; transparent pictures that a format cannot hold are told by their headers."""

    json_file: str | None = None
    """Write the report to this file as JSON; - writes it to standard output."""

    log: Path | None = None
    """Add a line to this file for each input when it has come to its end."""

    log_format: LogFormat = "text"
    """Lines of --log: text, or one JSON object a line."""

    quiet: bool = False
    """Print only failures and notes."""

    csv: str | None = None
    """Write the table of stages to this file as CSV, one row a stage; - writes it to standard output."""

    markdown: str | None = None
    """Write the table of stages to this file in Markdown, as GitHub shows it; - writes it to standard output."""

    trace: Path | None = None
    """Write a timeline of every stage of every picture to this file; ui.perfetto.dev shows it."""

    def __post_init__(self) -> None:
        check_log(self.log, self.log_format)


@dataclass(frozen=True)
class ProfileOptions:
    """How `profile` measures."""

    runs: int = 10
    """Runs that count."""

    warmup: int = 3
    """Runs before them that do not count, after the first call."""

    target_fps: float = 30.0
    """Frames per second that count as live."""

    budget: float | None = None
    """End with status 1 if the p95 of the wall time is above this many milliseconds: for a check in CI."""

    repeat: int | None = None
    """Measure in so many fresh processes: what differs from start to start then counts. --json holds them all."""

    compare: Path | None = None
    """Compare with this report of --json; end with status 1 if a stage, or the whole, is slower by --fail-over."""

    fail_over: str = "10%"
    """Slow-down that counts as a regression, if it is beyond doubt."""

    ladder: bool = False
    """Instead, time the published ladder of optimisations row by row, each beside its likeness to the first row."""

    sweep: str | None = None
    """Instead, time one aligned face of each of these sizes through gpen-bfr-N: 256,512,1024,2048."""

    live: bool = False
    """Instead, play a video at its own speed through the live path, to nowhere: frames, latencies, quality steps."""

    max_latency: float = 100.0
    """With --live, milliseconds from a frame's arrival until it is handed out, at most."""

    seconds: float | None = None
    """With --live, repeat or cut the video to so many seconds; by default it plays once."""

    published: bool = False
    """Beside the figures of --ladder or --sweep, print those that others published."""

    def __post_init__(self) -> None:
        wanted = {"--ladder": self.ladder, "--sweep": self.sweep is not None, "--live": self.live}
        instead = [flag for flag, given in wanted.items() if given]
        if len(instead) > 1:
            raise SettingsError(f"{instead[0]} and {instead[1]} are two measurements: choose one.")
        if instead and self.budget is not None:
            raise SettingsError(
                f"--budget is for the time of one picture, not for {instead[0]}: leave one out."
            )
        if instead and (self.compare or self.repeat):
            raise SettingsError(
                f"--compare and --repeat are for the stages of one picture, not for {instead[0]}: leave one out."
            )
        if self.seconds is not None and not self.live:
            raise SettingsError("--seconds is for --live, which plays a video: add it.")
        if self.published and not instead:
            raise SettingsError("--published has figures for --ladder and --sweep: add one of them.")


@dataclass(frozen=True)
class Shorthands:
    """Flags that stand for a value of another flag."""

    skip_detect: bool = False
    """Take each picture as one aligned face: the same as --detector none."""

    fp16: bool = False
    """Half precision: fp16 on CUDA; on a CPU bf16 if it is native, else fp32."""


@dataclass(frozen=True)
class Flag:
    """How an option looks on the command line, apart from its type and its default."""

    metavar: str | None = None
    """Stands for the value in the help."""

    names: tuple[str, ...] = ()
    """Spellings, such as `--quiet` and `-q`; none: the field's own name."""

    accepted: Callable[[], Collection[str]] | None = None
    """Lists the values for help and completion. They are not checked here: the options check themselves."""

    least: float | None = None
    """Smallest number that is accepted."""

    most: float | None = None
    """Largest number that is accepted."""

    help: str | None = None
    """Replaces the text of the field."""

    default: str | None = None
    """Shown as the default of a field whose default is None."""


def _and_auto(names: Callable[[], Collection[str]]) -> Callable[[], list[str]]:
    return lambda: ["auto", *names()]


OPTION_FLAGS: Mapping[str, Flag] = {
    "max_pixels": Flag("N", least=1),
    "detector": Flag("NAME", accepted=_and_auto(lambda: plugins.names("detect"))),
    "detect_size": Flag("auto|full|PX"),
    "detect_device": Flag("auto|cpu"),
    "detect_threshold": Flag("0..1", default="the detector's own"),
    "landmarks": Flag("FILE"),
    "min_face": Flag("PX", least=0),
    "stall_timeout": Flag("S"),
    "any_angle": Flag(names=("--any-angle/--no-any-angle",), default="the detector's own"),
    "max_face": Flag("PX", least=1, default="no limit"),
    "model": Flag("NAME", accepted=_and_auto(generators)),
    "weights": Flag("FILE"),
    "weights_dir": Flag("FOLDER"),
    "yes": Flag(names=("--yes", "-y")),
    "device": Flag("NAME", accepted=lambda: ["auto", "cpu", "cuda", "cuda:N"]),
    "devices": Flag("LIST"),
    "precision": Flag("NAME", accepted=lambda: PRECISIONS),
    "backend": Flag("NAME", accepted=_and_auto(lambda: plugins.names("generate"))),
    "batch_size": Flag("auto|N", default="8 on CUDA; on a CPU up to 8 below 512 px, else 1"),
    "template": Flag("NAME", accepted=lambda: TEMPLATES, default="the network's own"),
    "strength": Flag("X", least=0, most=1),
    "keep_detail": Flag("X", least=0, most=1),
    "format": Flag("NAME", accepted=formats),
    "quality": Flag("N", least=1, most=100),
    "suffix": Flag("TEXT"),
    "on_clash": Flag("NAME", accepted=lambda: ON_CLASH),
    "flatten": Flag("COLOUR"),
    "save_landmarks": Flag("FILE"),
    "png_level": Flag("NAME", accepted=lambda: PNG_LEVELS),
    "runs": Flag("N", least=1),
    "warmup": Flag("N", least=0),
    "target_fps": Flag("X", least=0.001),
    "repeat": Flag("N", least=1, default="5 with --compare, else 1"),
    "compare": Flag("FILE"),
    "fail_over": Flag("10%|0.1"),
    "sweep": Flag("SIZES"),
    "budget": Flag("MS", least=0.001, default="no limit"),
    "codec": Flag("NAME", default="the input's"),
    "crf": Flag("X", default="by codec"),
    "temporal": Flag("X"),
    "detect_every": Flag("N"),
    "preset": Flag("NAME"),
    "out": Flag("window|virtual|none|FILE|URL", names=("--out", "-o")),
    "max_latency": Flag("MS"),
    "camera_size": Flag("WxH", default="the camera's own"),
    "camera_fps": Flag("X", default="the camera's own"),
    "seconds": Flag("S", default="to the end"),
    "pixel_format": Flag("NAME", default="the input's"),
    "container": Flag("NAME"),
    "fps": Flag("RATE"),
    "hwaccel": Flag("NAME"),
    "start": Flag("TIME"),
    "end": Flag("TIME"),
    "preview": Flag("N"),
    "json_file": Flag("FILE", names=("--json",)),
    "csv": Flag("FILE"),
    "markdown": Flag("FILE"),
    "trace": Flag("FILE"),
    "log": Flag("FILE"),
    "log_format": Flag("NAME", accepted=lambda: LOG_FORMATS),
    "quiet": Flag(names=("--quiet", "-q")),
}
OPTION_PANELS: Mapping[type, str] = {
    LoadOptions: "Input",
    DetectOptions: "Faces",
    PasteOptions: "Faces",
    WeightsOptions: "Network",
    GenerateOptions: "Network",
    OutputOptions: "Output",
    ProfileOptions: "Run",
    VideoOptions: "Video",
    LiveOptions: "Live",
    RunOptions: "Run",
}
# The order of the help: the picture's way through the stages.
OPTION_PARTS = (LoadOptions, DetectOptions, PasteOptions, WeightsOptions, GenerateOptions)
# Option -> the shorthand that stands after it.
OPTION_SHORTHAND = {"detector": "skip_detect", "precision": "fp16"}
